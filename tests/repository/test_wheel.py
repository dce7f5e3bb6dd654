"""The wheel holds the framework and all it reads at run time, and nothing of the service."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from bullworks import __version__

ROOT = Path(__file__).resolve().parents[2]


def tracked(folder: str) -> set[str]:
    """The files of a folder that belong to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", folder], cwd=ROOT, check=True, capture_output=True, text=True, timeout=30
    )
    return set(listed.stdout.split())


@pytest.mark.timeout(60)
def test_the_wheel_holds_all_code_lua_and_pages_and_the_command_and_no_service(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=50)
    about = f"bullworks-{__version__}.dist-info"
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"bullworks-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read(f"{about}/entry_points.txt").decode()
        metadata = message_from_bytes(archive.read(f"{about}/METADATA"))
    assert {name.partition("/")[0] for name in names} == {"bullworks", about}
    assert tracked("bullworks") <= names
    assert {"bullworks/py.typed", "bullworks/CHANGELOG.md"} <= names
    assert {Path(name).suffix for name in names} >= {".lua", ".html", ".css", ".js"}
    assert f"{about}/licenses/LICENSE" in names
    assert "bullworks = bullworks.__main__:run" in entry_points.splitlines()
    required = {
        re.split(r"[^\w-]", line)[0] for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line
    }
    assert required == {
        "croniter",
        "dependency-injector",
        "hiredis",
        "pydantic-settings",
        "redis",
        "typing-extensions",
        "tzdata",
    }
