"""Each script's header is its contract: what it says of keys, arguments and events is what the body does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bullworks.bullmq
from bullworks.redis.script import Script

# As lua/lib/fetch.lua has it.
FETCH_ARGUMENTS = 7

ENGINE = Path(bullworks.bullmq.__file__).parent
LUA = ENGINE / "lua"
SCRIPTS = sorted(path.stem for path in LUA.glob("*.lua"))
LIBRARIES = sorted((LUA / "lib").glob("*.lua"))

_SECTIONS = re.compile(
    r"\n  KEYS(?P<keys>.*?)\n  ARGV(?P<argv>.*?)\n  RETURNS(?P<returns>.*?)\n  EVENTS(?P<events>.*?)\n\]\]", re.DOTALL
)
_FUNCTION = re.compile(r"^local function (?P<name>\w+)\(.*?\n(?P<body>.*?)^end", re.DOTALL | re.MULTILINE)
_EMITTED = re.compile(r"emit\([\w.()\[\]]+, '([a-z-]+)'")
_DECLARED = re.compile(r"^ +(\d+)(\.\.\.|\.\.(\d+))?(?: |$)", re.MULTILINE)
_OWN_KEY = re.compile(r"(?:KEYS\[1\]|\bbase) \.\. '([a-z-]+)'")


_AS_IN = re.compile(r"all that (\w+) touches|as in (\w+)")


def header_and_body(script: str) -> tuple[dict[str, str], str]:
    text = (LUA / f"{script}.lua").read_text()
    match = _SECTIONS.search(text)
    assert match is not None, script
    return match.groupdict(), text[match.end() :]


def reached(script: str) -> str:
    """The body, and the functions that it calls, and those that they call."""
    _, body = header_and_body(script)
    source = Script.load("bullworks.bullmq", script).source.decode()
    functions = {match["name"]: match["body"] for match in _FUNCTION.finditer(source)}
    names = re.compile(rf"\b({'|'.join(functions)})\b") if functions else re.compile(r"(?!)")
    seen: set[str] = set()
    waiting, parts = [body], []
    while waiting:
        parts.append(waiting.pop())
        for name in set(names.findall(parts[-1])) - seen:
            seen.add(name)
            waiting.append(functions[name])
    return "\n".join(parts)


def emitted(script: str) -> set[str]:
    """What the body may emit, also through the functions that it calls."""
    return set(_EMITTED.findall(reached(script)))


ALL_EVENTS = {event for script in SCRIPTS for event in emitted(script)}


def events_in(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z-]+", text) if word in ALL_EVENTS}


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_events_named_are_the_events_emitted(script: str) -> None:
    """A shared function may hold a branch that this script never takes: the header then says `never <event>`."""
    header, _ = header_and_body(script)
    told, _, never = re.sub(r"\(.*?\)", "", header["events"], flags=re.DOTALL).partition("never ")
    assert events_in(told) | events_in(never) == emitted(script)
    assert not events_in(told) & events_in(never)
    assert (told.strip() == "none") == (not emitted(script))


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_arguments_named_are_the_arguments_read(script: str) -> None:
    header, body = header_and_body(script)
    fixed: set[int] = set()
    is_open = False
    for first, more, last in _DECLARED.findall("  " + header["argv"]):
        is_open |= more == "..."
        if more != "...":
            fixed |= set(range(int(first), int(last or first) + 1))
    read = {int(index) for index in re.findall(r"ARGV\[(\d+)\]", body)}
    if "read_fetch_options(1)" in body:
        read |= set(range(1, FETCH_ARGUMENTS + 1))
    read |= {FETCH_ARGUMENTS + int(after) for after in re.findall(r"ARGV\[FETCH_ARGUMENTS \+ (\d+)\]", body)}
    assert read == fixed
    assert bool(re.search(r"#ARGV|ipairs\(ARGV\)", reached(script))) == is_open
    assert (header["argv"].strip() == "none") == (not fixed and not is_open)


@pytest.mark.parametrize("script", SCRIPTS)
def test_keys_are_bases_and_those_derived_are_named(script: str) -> None:
    header, body = header_and_body(script)
    is_of_many_queues = bool(re.search(r"KEYS\[(?!\d+\])", body))
    assert _DECLARED.findall("  " + header["keys"]) == [("1", "..." if is_of_many_queues else "", "")]
    assert is_of_many_queues or set(re.findall(r"KEYS\[(\d+)\]", body)) == {"1"}
    told = header["keys"] + header["argv"]
    for match in _AS_IN.finditer(told):
        told += header_and_body(match[1] or match[2])[0]["keys"]
    for suffix in set(_OWN_KEY.findall(body)):
        assert re.search(rf"(?<![\w-]){suffix}(?![\w-])", told) or "every list and set" in told, suffix


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_called_from_one_place(script: str) -> None:
    loads = [path.name for path in ENGINE.rglob("*.py") if f'load("{script}")' in path.read_text()]
    assert len(loads) == 1, loads


def test_every_shared_part_is_used() -> None:
    included = set(
        re.findall(r"-- include(?: within)?: (lib/\w+\.lua)", "".join(path.read_text() for path in LUA.rglob("*.lua")))
    )
    assert included == {f"lib/{path.name}" for path in LIBRARIES}


@pytest.mark.parametrize("path", sorted(LUA.rglob("*.lua")), ids=lambda path: path.stem)
def test_time_is_read_in_one_place(path: Path) -> None:
    assert ("'TIME'" in path.read_text()) == (path.name == "now.lua")


@pytest.mark.parametrize("path", sorted(LUA.rglob("*.lua")), ids=lambda path: path.stem)
def test_nothing_is_global_nor_reaches_beyond_the_queue(path: Path) -> None:
    code = re.sub(r"--\[\[.*?\]\]|--[^\n]*", "", path.read_text(), flags=re.DOTALL)
    assert re.findall(r"^function |^\w+ = ", code, re.MULTILINE) == []
    assert re.findall(r"'(KEYS|SCAN|FLUSHDB|FLUSHALL|RANDOMKEY|CONFIG|SCRIPT)'", code) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_function_is_made_before_what_calls_it(script: str) -> None:
    """Lua takes a name that is not yet a local for a global, and tells only when that line runs."""
    source = re.sub(r"--.*", "", Script.load("bullworks.bullmq", script).source.decode())
    all_names = {match["name"] for path in LUA.rglob("*.lua") for match in _FUNCTION.finditer(path.read_text())}
    made: dict[str, int] = {}
    for match in re.finditer(r"local function (\w+)\(", source):
        made.setdefault(match[1], match.start())
    for call in re.finditer(r"(?<![\w.:'])(\w+)(?=\()", source):
        if call[1] in all_names:
            assert made.get(call[1], len(source)) < call.start(), call[1]
