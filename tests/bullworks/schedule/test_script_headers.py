"""Each script's header is its contract: what it says of keys and arguments is what the body does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bullworks.schedule

FOLDER = Path(bullworks.schedule.__file__).parent
LUA = FOLDER / "lua"
SCRIPTS = sorted(path.stem for path in LUA.glob("*.lua"))
_SECTIONS = re.compile(
    r"\n  KEYS(?P<keys>.*?)\n  ARGV(?P<argv>.*?)\n  RETURNS(?P<returns>.*?)\n  EVENTS(?P<events>.*?)\n\]\]", re.DOTALL
)
_DECLARED = re.compile(r"^ +(\d+)(\.\.\.)?(?: |$)", re.MULTILINE)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("what", ["KEYS", "ARGV"])
def test_what_is_named_is_what_is_read(script: str, what: str) -> None:
    text = (LUA / f"{script}.lua").read_text()
    match = _SECTIONS.search(text)
    assert match is not None
    body = text[match.end() :]
    declared = _DECLARED.findall("  " + match[what.lower()])
    fixed = {int(number) for number, is_open in declared if not is_open}
    open_from = [int(number) for number, is_open in declared if is_open]
    assert {int(index) for index in re.findall(rf"{what}\[(\d+)\]", body)} == fixed
    assert bool(re.search(rf"{what}\[[a-z]|unpack\({what}|#{what}", body)) == bool(open_from)
    assert sorted(fixed | set(open_from)) == list(range(1, len(declared) + 1))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_called_from_one_place(script: str) -> None:
    loads = [path.name for path in FOLDER.rglob("*.py") if f'load("{script}")' in path.read_text()]
    assert loads == ["scripts.py"]


@pytest.mark.parametrize("path", sorted(LUA.rglob("*.lua")), ids=lambda path: path.stem)
def test_time_is_read_in_one_place_and_nothing_is_global(path: Path) -> None:
    code = re.sub(r"--\[\[.*?\]\]|--[^\n]*", "", path.read_text(), flags=re.DOTALL)
    assert ("'TIME'" in code) == (path.name == "now.lua")
    assert re.findall(r"^function |^\w+ = ", code, re.MULTILINE) == []
