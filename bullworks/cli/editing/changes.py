"""Changes: edits of a project's files, collected first; then shown, or written all together."""

import difflib
from pathlib import Path

from bullworks.cli.failure import CommandError


class Changes:
    """Changes of text files in one folder, which nothing has written yet.

    Files are named by their path in the folder, with slashes. Texts have `\\n` at the ends of lines; a file that has
    `\\r\\n` keeps it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._texts: dict[str, str | None] = {}
        self._before: dict[str, str | None] = {}

    def text(self, file: str) -> str | None:
        """The text of a file with what was changed so far, or None if there is no such file.

        Raises:
            CommandError: it cannot be read, or is not text in UTF-8.
        """
        return self._texts[file] if file in self._texts else self._read(file)

    def put(self, file: str, text: str | None) -> None:
        """Have a file hold a text; None removes it."""
        self._before.setdefault(file, self._read(file))
        self._texts[file] = text

    def create(self, file: str, text: str) -> None:
        """Have a new file hold a text.

        Raises:
            CommandError: there is one.
        """
        if (self.folder / file).exists() or self.text(file) is not None:
            raise CommandError(f"{file} exists", "Choose another name, or remove it first; nothing was written.")
        self.put(file, text)

    @property
    def files(self) -> dict[str, str]:
        """The files that change, in order, with `new`, `edited` or `removed`."""
        return {
            file: "removed" if text is None else "new" if self._before[file] is None else "edited"
            for file, text in self._texts.items()
            if text != self._before[file]
        }

    def diff(self) -> str:
        """The changes as a unified diff, as `git apply` takes it."""
        return "".join(line for file in self.files for line in self._diff_of(file))

    def write(self) -> None:
        """Write all changes.

        Raises:
            CommandError: a file cannot be written; those before it are.
        """
        for file in self.files:
            path, text = self.folder / file, self._texts[file]
            try:
                if text is None:
                    path.unlink()
                    continue
                ending = "\r\n" if path.is_file() and b"\r\n" in path.read_bytes() else "\n"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8", newline=ending)
            except OSError as error:
                raise CommandError(f"{error.filename or path} cannot be written: {error.strerror}") from error

    def _read(self, file: str) -> str | None:
        try:
            return (self.folder / file).read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{self.folder / file} cannot be read: {error}") from error

    def _diff_of(self, file: str) -> list[str]:
        before, after = self._before[file], self._texts[file]
        old = "/dev/null" if before is None else f"a/{file}"
        new = "/dev/null" if after is None else f"b/{file}"
        lines = difflib.unified_diff(_lines(before), _lines(after), old, new)
        return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]


def _lines(text: str | None) -> list[str]:
    return [] if text is None else text.splitlines(keepends=True)
