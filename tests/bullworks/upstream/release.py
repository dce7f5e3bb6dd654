"""Release: one npm bullmq in a folder of its own, with copies of our Node scripts beside it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bullworks.compat.node import PINNED_FOLDER

BUILD = Path(__file__).parents[3] / "build" / "upstream"
# npm may have to compile nothing (--ignore-scripts), but a slow mirror is slow.
LONGEST_S = 300

_VERSION = re.compile(r"\d+\.\d+\.\d+(-[\w.]+)?")


class ReleaseError(Exception):
    """A release cannot be installed; the text says why."""


@dataclass(frozen=True, slots=True)
class Release:
    """An installed npm bullmq."""

    folder: Path

    @property
    def version(self) -> str:
        """The version that npm installed."""
        version: str = json.loads((self._package / "package.json").read_text())["version"]
        return version

    @property
    def declarations(self) -> Path:
        """The folder of its type declarations."""
        return self._package / "dist" / "esm"

    @property
    def lua(self) -> Path:
        """The folder of its Lua scripts, with `includes/` in it."""
        return self._package / "dist" / "esm" / "commands"

    @property
    def _package(self) -> Path:
        return self.folder / "node_modules" / "bullmq"


def pinned() -> Release:
    """The release that our tests are pinned to.

    Raises:
        ReleaseError: it is not installed.
    """
    release = Release(PINNED_FOLDER)
    if not release.declarations.is_dir():
        raise ReleaseError(f"npm bullmq is not installed: run `npm ci --ignore-scripts` in {PINNED_FOLDER}")
    return release


def installed(version: str, build: Path = BUILD) -> Release:
    """Install a release below `build`, unless it is there, and copy our Node scripts beside it.

    Args:
        version: `6.5.4`; a range or a tag such as `latest` is refused, so that a folder holds what its name says.
        build: the folder that gets a folder for each version.

    Raises:
        ReleaseError: the version cannot be read, npm is missing, or npm failed.
    """
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"{version!r} is not a version; write one such as 6.5.4 (`npm view bullmq versions`)")
    release = Release(build / version)
    copy_scripts(release.folder)
    if not release.declarations.is_dir():
        package = json.loads((PINNED_FOLDER / "package.json").read_text())
        (release.folder / "package.json").write_text(json.dumps(with_bullmq(package, version), indent=2))
        _npm_install(release.folder)
    return release


def copy_scripts(folder: Path) -> None:
    """Copy our Node scripts: Node looks for node_modules beside the script that imports."""
    folder.mkdir(parents=True, exist_ok=True)
    for script in PINNED_FOLDER.glob("*.mjs"):
        shutil.copy(script, folder)
    shutil.copytree(PINNED_FOLDER / "steps", folder / "steps", dirs_exist_ok=True)


def with_bullmq(package: dict[str, Any], version: str) -> dict[str, Any]:
    """Our package.json with another bullmq, and without Bull Board, which the compared suites do not use."""

    def without_board(part: str) -> dict[str, str]:
        return {name: wanted for name, wanted in package[part].items() if not name.startswith("@bull-board/")}

    dependencies = {**without_board("dependencies"), "bullmq": version}
    return {**package, "dependencies": dependencies, "overrides": without_board("overrides")}


def _npm_install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise ReleaseError("no npm on PATH: a release of bullmq comes from there")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode != 0:
        raise ReleaseError(f"npm install failed in {folder}: {done.stderr.strip()[-1000:]}")
