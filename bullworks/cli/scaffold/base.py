"""Base: the files of a project as Bullworks wrote them, which the project keeps so that an upgrade can merge."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bullworks import __version__
from bullworks.cli.failure import CommandError
from bullworks.cli.scaffold.project import FILES, Project

BASE_FILE = ".bullworks.json"
"""Where a project keeps its base; see docs/decisions/0014-a-project-keeps-its-base.md."""


@dataclass(frozen=True, slots=True)
class Base:
    """The files that one version of Bullworks writes into a project.

    Args:
        version: that of Bullworks.
        project: the values that its files were written with.
        files: text by path.
    """

    version: str
    project: Project
    files: Mapping[str, str]

    @classmethod
    def installed(cls, project: Project) -> "Base":
        """The files that the installed Bullworks writes."""
        return cls(__version__, project, {file: project.render(file) for file in FILES})

    @classmethod
    def read(cls, folder: Path) -> "Base":
        """Read what a project keeps.

        Raises:
            CommandError: it keeps nothing, or it cannot be read.
        """
        path = folder / BASE_FILE
        try:
            kept = json.loads(path.read_text("utf-8"))
            checkout = kept["checkout"]
            project = Project(name=str(kept["name"]), checkout=None if checkout is None else Path(checkout))
            files = {str(file): "\n".join(lines) for file, lines in kept["files"].items()}
            return cls(str(kept["bullworks"]), project, files)
        except FileNotFoundError:
            raise CommandError(
                f"{folder} has no {BASE_FILE}, so there is nothing to compare its files with",
                "`bullworks new` writes it. If it was removed, take it from the project's history; else have the "
                "Bullworks that the project was made with write a new project, and copy it from there.",
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CommandError(f"{path} cannot be read: {error!r}", "Take it from the project's history.") from error

    def text(self) -> str:
        """The file that a project keeps. Texts are lists of lines, so that its own changes can be read and merged."""
        kept = {
            "about": "What bullworks wrote here: `bullworks upgrade` merges by it. Commit it, and leave it as it is.",
            "bullworks": self.version,
            "name": self.project.name,
            "checkout": None if self.project.checkout is None else str(self.project.checkout),
            "files": {file: text.split("\n") for file, text in self.files.items()},
        }
        return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
