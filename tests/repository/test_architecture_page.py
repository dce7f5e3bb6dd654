"""docs/architecture.md names, among the states of a job, every script that moves one."""

from __future__ import annotations

import re

from tests.bullworks.docs.examples import ROOT

PAGE = ROOT / "docs" / "architecture.md"
LUA = ROOT / "bullworks" / "bullmq" / "lua"
# What the header of a script that moves jobs names under EVENTS.
MOVES = {"active", "cleaned", "completed", "delayed", "failed", "removed", "waiting", "waiting-children"}
# They move jobs and emit nothing for it.
SILENT = {"change_priority", "resume"}


def test_every_script_that_moves_a_job_is_in_the_table_of_states() -> None:
    section = re.search(r"(?ms)^## The states of a job$.*?(?=^## )", PAGE.read_text())
    assert section is not None
    named = set(re.findall(r"`(\w+)\.lua`", section[0]))
    moving = {path.stem for path in LUA.glob("*.lua") if events_of(path.read_text()) & MOVES} | SILENT
    assert moving - named == set(), "add these to the table"
    assert named - moving == {"pause"}, "these move no job"


def events_of(script: str) -> set[str]:
    """The events that a script's header says it may emit."""
    events = re.search(r"(?s)\n  EVENTS(.*?)\n\]\]", script)
    assert events is not None
    told = re.sub(r"(?s)\(.*?\)", "", events[1]).partition("never ")[0]
    return set(re.findall(r"[a-z-]+", told))
