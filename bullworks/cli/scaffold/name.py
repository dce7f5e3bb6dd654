"""The name of a new project: that of its folder, as Python's packaging takes it."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from bullworks.cli.failure import CommandError

# PEP 508's.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_FRAMEWORK = "bullworks"


def project_name(folder: Path) -> str:
    """Derive the project's name from the last part of the folder's path.

    Raises:
        CommandError: no package may be called so, or one that the project would need is.
    """
    name = folder.resolve().name
    if not _NAME.fullmatch(name):
        raise CommandError(
            f"{name!r} cannot be the name of a project",
            "A name has letters, digits, dots, dashes and underscores, and begins and ends with a letter or a digit.",
        )
    if name.lower() == _FRAMEWORK or _is_installed(name):
        raise CommandError(
            f"{name!r} is the name of a package that is installed beside a project", "Choose another name."
        )
    return name


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
