"""What `upgrade` asks git: whether all is committed, which files are the project's, and a merge of three texts."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from bullworks.cli.failure import CommandError

_MOST_SHOWN = 5
# `git merge-file` exits with the number of conflicts, up to this; more is an error.
_MOST_CONFLICTS = 127


def refuse_uncommitted(folder: Path) -> None:
    """Check that a folder has nothing that is not committed: what an upgrade does can then be seen, and undone.

    Raises:
        CommandError: there are changes or untracked files, no repository, or no git.
    """
    found = [line[3:] for line in _git(folder, "status", "--porcelain", "--", ".").splitlines()]
    if found:
        more = f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        raise CommandError(
            f"there is what is not committed: {', '.join(found[:_MOST_SHOWN])}{more}",
            "Commit or stash it first: `git diff` then shows what the upgrade did, and `git restore .` undoes it.",
        )


def python_files(folder: Path) -> list[str]:
    """The Python files below a folder that belong to its repository; paths in the folder, with slashes."""
    return [name for name in _git(folder, "ls-files", "-z", "--", "*.py").split("\0") if name]


def merge(mine: str, base: str, theirs: str, their_name: str) -> tuple[str, bool]:
    """Merge what two sides made of a text; where both changed the same lines, both are there between markers.

    Returns:
        The text, and whether it has conflicts.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in (("mine", mine), ("base", base), ("theirs", theirs)):
            (folder / file).write_text(text, "utf-8", newline="\n")
        labels = ("-L", "yours", "-L", "base", "-L", their_name)
        done = _run(folder, ["merge-file", "-p", *labels, "mine", "base", "theirs"])
    if not 0 <= done.returncode <= _MOST_CONFLICTS:
        raise CommandError(f"git merge-file: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(), done.returncode > 0


def _git(folder: Path, *arguments: str) -> str:
    done = _run(folder, list(arguments))
    if done.returncode != 0:
        raise CommandError(
            f"{folder} is not in a git repository: {done.stderr.decode(errors='replace').strip()}",
            "Make it one and commit all: `git init && git add . && git commit -m Begin`.",
        )
    return done.stdout.decode(errors="replace")


def _run(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        raise CommandError("git is not installed", "It merges what you and Bullworks changed, and undoes it.")
    return subprocess.run(  # noqa: S603 - git, with arguments of ours
        [git, *arguments], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
