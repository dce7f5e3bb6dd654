"""What the comparison is worth: Node agrees with itself, and what is wrong is seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.bullworks.compat.comparison import NOTHING, Comparison
from tests.bullworks.compat.player import Step
from tests.bullworks.compat.test_agrees_with_node import SCENARIOS

STEPS: list[Step] = [
    ["add", "a", {"n": 1}, {"attempts": 3, "backoff": 600_000}],
    ["add", "b", {}, {"priority": 2}],
    ["add", "c", {}, {"deduplication": {"id": "d", "ttl": 3_600_000}}],
    ["take"],
    ["fail", "boom"],
    ["take"],
]
# What a step more does wrong, and where that must show.
WRONG: dict[str, tuple[Step, str]] = {
    "a field": (["redis", "HSET", "bull:q:1", "atm", 2], "bull:q:1/2/atm"),
    "a field too many": (["redis", "HSET", "bull:q:1", "extra", 1], "bull:q:1/2/extra"),
    "an option": (["redis", "HSET", "bull:q:2", "opts", '{"attempts":1,"priority":2}'], "bull:q:2/2/opts/attempts"),
    "data": (["redis", "HSET", "bull:q:1", "data", '{"n":true}'], "bull:q:1/2/data/n"),
    "a key too many": (["redis", "SET", "bull:q:extra", 1], "bull:q:extra"),
    "a key of another queue": (["redis", "SET", "bull:other:meta", 1], "bull:other:meta"),
    "a lock that does not expire": (["redis", "PERSIST", "bull:q:3:lock"], "bull:q:3:lock/1"),
    "a time": (["redis", "PEXPIRE", "bull:q:de:d", 7_200_000], "bull:q:de:d/1"),
    "a score": (["redis", "ZINCRBY", "bull:q:delayed", 4096 * 60_000, "1"], "bull:q:delayed/2/0/1"),
    "an order": (["redis", "ZADD", "bull:q:prioritized", 1, "2"], "bull:q:prioritized/2/0/1"),
    "an event too many": (["redis", "XADD", "bull:q:events", "*", "event", "x"], "bull:q:events/2"),
    "no event": (["redis", "XTRIM", "bull:q:events", "MAXLEN", 3], "bull:q:events/2"),
    "a type": (["redis", "DEL", "bull:q:id"], "bull:q:id"),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_node_agrees_with_itself(comparison: Comparison, scenario: str) -> None:
    """The second time at another time, and with other uuids, millisecond by millisecond."""
    first, second = [await comparison.in_node(SCENARIOS[scenario]) for _ in range(2)]
    assert first.differences(second) == {}


async def test_the_steps_that_are_spoilt_agree(comparison: Comparison) -> None:
    assert await comparison.differences(STEPS) == {}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_is_seen(comparison: Comparison, wrong: str) -> None:
    step, path = WRONG[wrong]
    right, spoilt = await comparison.in_node(STEPS), await comparison.in_python([*STEPS, step])
    spoilt.answers.pop()
    assert list(right.differences(spoilt)) == [path]


async def test_a_wrong_answer_is_seen(comparison: Comparison) -> None:
    seen = await comparison.in_node([["add", "a", {}], ["state", "1"], ["state", "2"]])
    assert seen.answers == ["1", "waiting", "unknown"]
    other: list[Any] = ["1", "waiting", True]
    assert seen.differences(type(seen)(other, seen.keys)) == {"answers/2": ("unknown", True)}
    assert seen.differences(type(seen)(seen.answers, {})) == {key: (seen.keys[key], NOTHING) for key in seen.keys}


async def test_each_step_of_node_is_one_of_ours() -> None:
    """A step that only one side knows is never compared."""
    from tests.bullworks.compat.node import FOLDER
    from tests.bullworks.compat.player import Player

    theirs = {name for file in (FOLDER / "steps").glob("*.mjs") for name in _exported(file)}
    only_theirs = {name for name in theirs if not hasattr(Player, "is_" if name == "is" else name)}
    assert only_theirs == {"workers", "queueEvents"}  # of use where both sides are on one queue


def _exported(file: Path) -> list[str]:
    return re.findall(r"^export const (\w+)", file.read_text(), re.MULTILINE)
