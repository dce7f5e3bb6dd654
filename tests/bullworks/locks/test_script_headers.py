"""Each lock script's header is its contract: the keys and arguments it names are those that the body reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bullworks.locks

SERVICES = Path(bullworks.locks.__file__).parent
LUA = SERVICES / "lua"
SCRIPTS = sorted(path.stem for path in LUA.glob("*.lua"))
_SECTIONS = re.compile(
    r"\n  KEYS(?P<keys>.*?)\n  ARGV(?P<argv>.*?)\n  RETURNS(?P<returns>.*?)\n  EVENTS(?P<events>.*?)\n\]\]", re.DOTALL
)
_DECLARED = re.compile(r"^ +(\d+) ", re.MULTILINE)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_keys_and_arguments_named_are_those_read(script: str) -> None:
    text = (LUA / f"{script}.lua").read_text()
    match = _SECTIONS.search(text)
    assert match is not None
    body = text[match.end() :]
    for section, name in (("keys", "KEYS"), ("argv", "ARGV")):
        assert set(_DECLARED.findall("  " + match[section])) == set(re.findall(rf"{name}\[(\d+)\]", body)), section


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_touches_only_keys_that_it_was_passed(script: str) -> None:
    text = (LUA / f"{script}.lua").read_text()
    assert "bullworks:" not in text
    assert not re.search(r"KEYS\[\d+\] *\.\.", text)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_called_from_one_place(script: str) -> None:
    assert [path.name for path in SERVICES.rglob("*.py") if f'_load("{script}")' in path.read_text()] == [
        "lock_scripts.py"
    ]


def test_time_is_read_in_one_place() -> None:
    assert [path.name for path in LUA.rglob("*.lua") if "'TIME'" in path.read_text()] == ["now.lua"]
