"""Writes a new project: the files of `template/`, with the project's name and where its Bullworks comes from."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from bullworks.cli.failure import CommandError

FILES = (
    "README.md",
    "Makefile",
    "pyproject.toml",
    ".env.example",
    ".gitignore",
    ".github/workflows/ci.yml",
    "main.py",
    "app/__init__.py",
    "app/app_module.py",
    "app/modules/__init__.py",
    "app/modules/greetings/__init__.py",
    "app/modules/greetings/module.py",
    "app/modules/greetings/service.py",
    "app/modules/greetings/settings.py",
    "app/workers/__init__.py",
    "app/workers/greetings_worker.py",
    "app/workers/workers_module.py",
    "tests/test_env_example.py",
    "tests/test_greetings.py",
)
"""What a project has. The template's folder may hold more: what tools left there."""

# What stands in the template, which is a project that runs, for what each project has of its own.
_NAME = "project-name"
_SOURCE = "BULLWORKS ?=\n"
# A project may be begun in a repository that has nothing in it yet.
_ALLOWED = frozenset({".git"})
_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The values that differ between new projects.

    Args:
        checkout: the folder of a Bullworks to install from; None means wherever pip finds it.
    """

    name: str
    checkout: Path | None = None

    def render(self, file: str) -> str:
        """Render one of FILES."""
        text = files("bullworks.cli.scaffold").joinpath("template", *file.split("/")).read_text("utf-8")
        if self.checkout is not None:
            text = text.replace(_SOURCE, f"BULLWORKS ?= {self.checkout}\n")
        return text.replace(_NAME, self.name)


def write_project(project: Project, folder: Path) -> int:
    """Write the project into a folder that is new, or empty except for a Git repository; returns the number of lines.

    Raises:
        CommandError: there is something in the folder, or it cannot be written.
    """
    try:
        _refuse_used(folder)
        lines = 0
        for file in FILES:
            text = project.render(file)
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            lines += len(text.splitlines())
    except OSError as error:
        raise CommandError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    return lines


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
