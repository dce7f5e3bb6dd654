"""The code that `new` and `generate` write passes a project's own checks, and the stricter ones of this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bullworks.cli.scaffold import Project, write_project
from tests.bullworks.cli.growing import grow

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 100.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    write_project(Project(name="shop", checkout=ROOT), folder)
    grow(folder)
    return folder


def check(project: Path, *tool: str, **variables: str) -> None:
    """Run a tool there; the project's `app` is not this repository's."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | variables
    command = [sys.executable, "-m", *tool]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rules", ["its own", "this repository's"])
def test_it_is_formatted_and_passes_the_rules(project: Path, rules: str) -> None:
    if rules == "this repository's":
        shutil.copy(ROOT / "pyproject.toml", project / "pyproject.toml")
    check(project, "ruff", "format", "--no-cache", "--diff", ".")
    check(project, "ruff", "check", "--no-cache", ".")


@pytest.mark.timeout(LIMIT_S + 20)
def test_its_types_are_right(project: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "bullworks").symlink_to(ROOT / "bullworks", target_is_directory=True)
    cache = ROOT / ".mypy_cache" / "new-project"
    check(project, "mypy", f"--cache-dir={cache}", PYTHONPATH=str(installed), MYPYPATH=str(installed))
