"""Each limit script's header is its contract: the keys and arguments it names are those that are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bullworks.limits

PACKAGE = Path(bullworks.limits.__file__).parent
LUA = PACKAGE / "lua"
SCRIPTS = sorted(path.stem for path in LUA.glob("*.lua"))
_SECTIONS = re.compile(
    r"\n  KEYS(?P<keys>.*?)\n  ARGV(?P<argv>.*?)\n  RETURNS(?P<returns>.*?)\n  EVENTS(?P<events>.*?)\n\]\]", re.DOTALL
)
_DECLARED = re.compile(r"^ +(\d+)(?:\.\.\.)? ", re.MULTILINE)
# The rest of the arguments are pairs, which a shared function reads from there on.
_FROM = re.compile(r"read_windows\(key, now, (\d+)\)")


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_keys_and_arguments_named_are_those_read(script: str) -> None:
    text = (LUA / f"{script}.lua").read_text()
    match = _SECTIONS.search(text)
    assert match is not None
    body = text[match.end() :]
    assert set(_DECLARED.findall("  " + match["keys"])) == set(re.findall(r"KEYS\[(\d+)\]", body)) == {"1"}
    read = set(re.findall(r"ARGV\[(\d+)\]", body)) | set(_FROM.findall(body))
    assert set(_DECLARED.findall("  " + match["argv"])) == read


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_touches_only_the_key_that_it_was_passed(script: str) -> None:
    text = (LUA / f"{script}.lua").read_text()
    assert "bullworks:" not in text
    assert not re.search(r"KEYS\[\d+\] *\.\.|key *\.\.", text)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_called_from_one_place(script: str) -> None:
    assert [path.name for path in PACKAGE.rglob("*.py") if f'_load("{script}")' in path.read_text()] == [
        "limit_scripts.py"
    ]


def test_time_is_read_in_one_place() -> None:
    assert [path.name for path in LUA.rglob("*.lua") if "'TIME'" in path.read_text()] == ["now.lua"]
