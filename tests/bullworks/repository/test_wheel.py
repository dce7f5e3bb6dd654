"""The wheel for a deploy image holds what the service needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bullworks import __version__

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(60)
def test_the_wheel_holds_all_code_and_lua_and_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=50)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"bullworks-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read(f"bullworks-{__version__}.dist-info/entry_points.txt").decode()
    sources = {
        str(path.relative_to(ROOT)) for suffix in ("*.py", "*.lua") for path in (ROOT / "bullworks").rglob(suffix)
    }
    assert any(name.endswith(".lua") for name in sources)
    assert sources <= names
    assert f"bullworks-{__version__}.dist-info/licenses/LICENSE" in names
    assert "bullworks = bullworks.cli.application:main" in entry_points
