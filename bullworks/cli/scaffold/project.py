"""Project: the files of `template/`, with the project's name and where its Bullworks comes from."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

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
