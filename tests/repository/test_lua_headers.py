"""Each Lua script begins with the header comment that is its contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "bullworks").rglob("lua/*.lua"))
_HEADER = re.compile(r"\A--\[\[ ([a-z_]+): .*?\]\]\n", re.DOTALL)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.relative_to(ROOT / "bullworks")))
def test_a_script_begins_with_its_contract(script: Path) -> None:
    header = _HEADER.match(script.read_text())
    assert header is not None, f"begin {script} with `--[[ {script.stem}: what it does`"
    assert header[1] == script.stem, f"name {script} in its header as the file is named"
    for section in ("KEYS", "ARGV", "RETURNS", "EVENTS"):
        assert f"\n  {section}" in header[0], f"say in the header of {script} what its {section} are"
