"""docs/bullmq-parity.md as a table, and what its names stand for."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bullworks.bullmq
from bullworks.bullmq.queue_events import QUEUE_EVENTS
from bullworks.bullmq.worker.reporter import WORKER_EVENTS

PAGE = Path(__file__).parents[3] / "docs" / "bullmq-parity.md"

_CODE = re.compile(r"`([^`]+)`")
_ROW = re.compile(r"^\| (?P<theirs>`.*?) \| (?P<here>.*?) \| (?P<note>.*?) ?\|$", re.MULTILINE)
_DIFFERENCE = re.compile(r"^- \*\*(?P<name>.+?)\*\*: (?P<why>.+)\.$", re.MULTILINE)
_HERE = re.compile(r'^(?P<owner>[\w.]+?)(?:\.(?P<member>\w+))?(?:\((?:"(?P<event>\w+)"|(?P<argument>\w+))\))?$')
_EVENTS = {"Worker": WORKER_EVENTS, "QueueEvents": QUEUE_EVENTS}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: names of npm bullmq, those of ours, none where it is not here, and why."""

    theirs: list[str]
    here: list[str]
    note: str


def rows() -> list[Row]:
    """All of the page's tables."""
    found = [
        Row(_CODE.findall(match["theirs"]), _CODE.findall(match["here"]), match["note"])
        for match in _ROW.finditer(PAGE.read_text())
    ]
    assert found, f"{PAGE} has no table"
    return found


def differences() -> dict[str, str]:
    """The list of deliberate differences: name -> why."""
    return {match["name"]: match["why"] for match in _DIFFERENCE.finditer(PAGE.read_text())}


def missing(here: str) -> str | None:
    """Why a name of the middle column stands for nothing; None: it does.

    Args:
        here: `Class`, `Class.member`, `Class(argument)`, `Class.method(argument)`, `Class.on("event")`, or with the
            module before it where that is not bullworks.bullmq.
    """
    match = _HERE.match(here)
    if match is None:
        return "cannot be read"
    module_name, _, owner_name = match["owner"].rpartition(".")
    module = importlib.import_module(module_name) if module_name else bullworks.bullmq
    member = match["member"]
    if module_name and not module_name.startswith("bullworks"):
        return f"{here}: more than one dot"
    if not module_name and owner_name not in bullworks.bullmq.__all__:
        return f"{owner_name} is not exported by bullworks.bullmq"
    owner = getattr(module, owner_name, None)
    if owner is None:
        return f"{module.__name__} has no {owner_name}"
    if match["event"]:
        return None if match["event"] in _EVENTS[owner_name] else f"{owner_name} has no event {match['event']}"
    if member and not _has(owner, member):
        return f"{owner_name} has no {member}"
    if match["argument"] and not _takes(getattr(owner, member) if member else owner, match["argument"]):
        return f"{here.partition('(')[0]} has no argument {match['argument']}"
    return None


def _has(owner: Any, member: str) -> bool:
    """A method, a property, a slot, a field of a dataclass, or a key of a TypedDict."""
    return hasattr(owner, member) or any(
        member in getattr(base, "__annotations__", {}) for base in getattr(owner, "__mro__", (owner,))
    )


def _takes(function: Any, argument: str) -> bool:
    return argument in inspect.signature(function).parameters
