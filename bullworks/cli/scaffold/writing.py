"""Writes a new project."""

from pathlib import Path

from bullworks.cli.failure import CommandError
from bullworks.cli.scaffold.base import BASE_FILE, Base
from bullworks.cli.scaffold.project import Project

# A project may be begun in a repository that has nothing in it yet.
_ALLOWED = frozenset({".git"})
_MOST_SHOWN = 5


def write_project(project: Project, folder: Path) -> int:
    """Write the project into a folder that is new, or empty except for a Git repository; returns the number of lines.

    The project keeps them in BASE_FILE, too, which is not among the lines.

    Raises:
        CommandError: there is something in the folder, or it cannot be written.
    """
    try:
        _refuse_used(folder)
        base = Base.installed(project)
        for file, text in {**base.files, BASE_FILE: base.text()}.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    return sum(len(text.splitlines()) for text in base.files.values())


def _refuse_used(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is a file", "Name a folder that is new or empty.")
    found = sorted(path.name for path in folder.iterdir() if path.name not in _ALLOWED) if folder.is_dir() else []
    if found:
        more = f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        raise CommandError(
            f"{folder} is not empty: it holds {', '.join(found[:_MOST_SHOWN])}{more}",
            "Name a folder that is new or empty; nothing was written.",
        )
