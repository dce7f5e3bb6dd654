"""Job schedulers, each scenario with npm bullmq and with ours: answers and what is left in Redis must be the same.

Meant differences, and so not here: removing a scheduler removes a job of it that waits already; changing one while
paused leaves no second job; an overdue pattern is not dropped when it is set again; a changed start date or offset
moves the pending job; a changed `every` counts from its new first run; no run of `every` is past the end date; a run
that is there already is not added again.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.compat.dump import dump
from tests.compat.node import Node
from tests.compat.scenario import QUEUE, Step, in_node, in_python

HOUR_MS = 3_600_000
YEARLY = "0 0 1 1 *"
FULL: Any = {"name": "n", "data": {"a": [1, "ż"]}, "opts": {"attempts": 3, "removeOnComplete": 5, "keepLogs": 2}}
BACKOFF: Any = {"data": 5, "opts": {"backoff": {"type": "exponential", "delay": 5}, "removeOnFail": {"age": 60}}}

SCENARIOS: dict[str, list[Step]] = {
    "every": [["upsert", "s", {"every": 60_000, "limit": 7}, FULL], ["scheduler", "s"], ["counts"]],
    "every with no template": [["upsert", "s", {"every": 60_000}], ["scheduler", "s"]],
    "every from a date on": [["upsert", "s", {"every": 60_000, "startIn": HOUR_MS}, BACKOFF], ["scheduler", "s"]],
    "every from a past date on": [["upsert", "s", {"every": 60_000, "startIn": -HOUR_MS}]],
    "every with an offset": [["upsert", "s", {"every": 60_000, "offsetIn": 20_000}], ["scheduler", "s"]],
    "every with an offset that has passed": [["upsert", "s", {"every": 60_000, "offsetIn": 59_000}]],
    "every until a date": [["upsert", "s", {"every": 60_000, "endIn": HOUR_MS}], ["take"], ["complete", 1]],
    "a pattern": [["upsert", "s", {"pattern": YEARLY, "tz": "Europe/Paris", "limit": 3}, FULL], ["scheduler", "s"]],
    "a pattern from a date on, until a date": [
        ["upsert", "s", {"pattern": YEARLY, "startDate": 1_924_992_000_000, "endDate": 2_240_611_200_000}, BACKOFF],
        ["scheduler", "s"],
    ],
    "a pattern, immediately": [
        ["upsert", "s", {"pattern": YEARLY, "immediately": True}, FULL],
        ["take"],
        ["complete", 1],
        ["scheduler", "s"],
    ],
    "templates of every kind": [
        # In the order of their names, in which Redis has those that are due in the same millisecond.
        ["upsert", "lifo", {"every": 60_000}, {"opts": {"lifo": True}}],
        ["upsert", "prio", {"every": 60_000}, {"opts": {"priority": 4}}],
        ["upsert", "zero", {"pattern": YEARLY}, {"data": 0}],
        ["upsert", "null", {"pattern": YEARLY}, {"data": None}],
        ["upsert", "text", {"pattern": YEARLY}, {"data": "abc", "opts": {"sizeLimit": 100, "stackTraceLimit": 1}}],
        ["upsert", "flags", {"pattern": YEARLY}, {"opts": {"removeOnComplete": True, "removeOnFail": False}}],
        ["schedulersCount"],
    ],
    "ids of every kind": [["upsert", name, {"pattern": YEARLY}] for name in ("0", "17", "a:b", "a:b:c:d:e:f", "ż ó")],
    "taking job after job": [
        ["upsert", "s", {"every": 60_000}, FULL],
        *[step for _ in range(3) for step in (["take"], ["complete", None], ["promoteNext"])],
        ["scheduler", "s"],
        ["counts"],
    ],
    "a pattern's job after job, by a clock set forward": [
        ["upsert", "s", {"pattern": "30 2 * * *", "tz": "Europe/Paris", "startDate": 1_901_055_600_000}],
        *[step for _ in range(4) for step in (["promoteNext"], ["take"], ["complete", None])],
    ],
    "a limit is reached": [
        ["upsert", "s", {"pattern": YEARLY, "limit": 2}, FULL],
        *[step for _ in range(2) for step in (["promoteNext"], ["take"], ["complete", None])],
        ["scheduler", "s"],
        ["counts"],
        ["removeNext", "Completed"],
    ],
    "after a limit was reached": [
        ["upsert", "s", {"every": 60_000, "limit": 1}],
        ["take"],
        ["upsert", "s", {"every": 60_000, "limit": 1}],
        ["complete", None],
        ["upsert", "s", {"every": 60_000, "limit": 1}],
    ],
    "a job that fails, is retried and completes": [
        ["upsert", "s", {"every": 60_000}],
        ["take"],
        ["fail", "boom"],
        ["retryJobs", "failed"],
        ["take"],
        ["complete", 1],
        ["counts"],
    ],
    "saying the same again": [
        ["upsert", "e", {"every": 60_000}, FULL],
        ["upsert", "e", {"every": 60_000}, BACKOFF],
        ["upsert", "p", {"pattern": YEARLY}, FULL],
        ["upsert", "p", {"pattern": YEARLY}],
        ["schedulers"],
    ],
    "changing a waiting one": [
        ["upsert", "s", {"every": 60_000}, FULL],
        ["upsert", "s", {"every": 60_000}, {"opts": {"priority": 4}}],
        ["upsert", "s", {"every": 60_000}, {"opts": {"priority": 5}}],
        ["upsert", "s", {"pattern": YEARLY, "tz": "Asia/Tokyo"}, FULL],
        ["upsert", "s", {"pattern": "0 0 2 1 *"}],
    ],
    "changing a pattern into every": [
        ["upsert", "s", {"pattern": YEARLY, "limit": 3}, FULL],
        ["upsert", "s", {"every": 60_000, "startIn": HOUR_MS, "offsetIn": 5_000}, BACKOFF],
    ],
    "changing one while its job runs": [
        ["upsert", "s", {"every": 60_000}],
        ["take"],
        ["upsert", "s", {"pattern": YEARLY}, FULL],
        ["complete", None],
        ["scheduler", "s"],
    ],
    "setting one up while paused": [
        ["pause"],
        ["upsert", "s", {"every": 60_000}],
        ["upsert", "p", {"pattern": YEARLY}],
        ["take"],
        ["resume"],
        ["take"],
    ],
    "pausing while its job runs": [["upsert", "s", {"every": 60_000}], ["take"], ["pause"], ["complete", 1]],
    "removing": [
        ["upsert", "s", {"pattern": YEARLY}],
        ["upsert", "t", {"pattern": YEARLY}],
        ["removeScheduler", "s"],
        ["removeScheduler", "s"],
        ["removeScheduler", "never"],
        ["schedulersCount"],
        ["counts"],
    ],
    "removing one while its job runs": [
        ["upsert", "s", {"every": 60_000}],
        ["take"],
        ["removeScheduler", "s"],
        ["complete", 1],
        ["removeNext", "Completed"],
        ["counts"],
    ],
    "its pending job stays": [
        ["upsert", "a", {"every": 60_000}],
        ["upsert", "b", {"every": 60_000}, {"opts": {"priority": 4}}],
        ["upsert", "d", {"pattern": YEARLY}],
        ["drain", True],
        *[["clean", 0, 10, state] for state in ("wait", "delayed", "prioritized")],
        *[["removeNext", state] for state in ("Waiting", "Delayed", "Prioritized")],
        ["counts"],
    ],
    "pages": [
        *[["upsert", f"s{i}", {"every": 1_000, "startDate": 1_924_992_000_000 + i}] for i in (2, 1, 3)],
        ["schedulers"],
        ["schedulers", 0, 1],
        ["schedulers", 1, 1, True],
        ["schedulers", 7, 9],
        ["scheduler", "never"],
        ["schedulersCount"],
    ],
    "what BullMQ 5 left among them": [
        ["redis", "ZADD", "KEY:repeat", 9_000_000_000_000, "legacy:::5000"],
        ["redis", "HSET", "KEY:repeat:legacy:::5000", "name", "l", "every", 5_000],
        ["scheduler", "legacy:::5000"],
        ["schedulers"],
        ["removeScheduler", "legacy:::5000"],
    ],
}

REFUSALS: dict[str, list[Step]] = {
    "both pattern and every": [["upsert", "s", {"every": 5, "pattern": YEARLY}]],
    "neither": [["upsert", "s", {}]],
    "an end date that is past": [["upsert", "s", {"every": 5, "endIn": -1}]],
    "immediately from a date on": [["upsert", "s", {"pattern": YEARLY, "immediately": True, "startIn": 5}]],
    "a pattern that is none": [["upsert", "s", {"pattern": "x y z"}]],
    "a zone that is none": [["upsert", "s", {"pattern": YEARLY, "tz": "Nowhere/None"}]],
    "no run before the end date": [["upsert", "s", {"pattern": YEARLY, "endIn": 5}]],
    "a limit of 0": [["upsert", "s", {"every": 5, "limit": 0}]],
}

_SLOT = re.compile(r"(?P<before>.*repeat:(?P<scheduler>.*):)(?P<ms>\d{13})(?P<after>:[a-z]+)?")
_TIMES = range(1_577_836_800_000, 4_102_444_800_000)


class Evened:
    """One side's answers and dump, less what no two runs have in common.

    A scheduler's slot that is not the calendar's becomes its number among them, so that ids can be compared.
    """

    def __init__(self, seen: Any) -> None:
        self._slots: dict[str, set[int]] = {}
        self._find(seen)

    def _find(self, value: Any) -> None:
        if isinstance(value, dict):
            value = list(value.items())
        if isinstance(value, list | tuple):
            for part in value:
                self._find(part)
        elif isinstance(value, str) and (match := _SLOT.fullmatch(value)) and not _is_of_calendar(int(match["ms"])):
            self._slots.setdefault(match["scheduler"], set()).add(int(match["ms"]))

    def of(self, value: Any, name: str = "") -> Any:
        """The value to compare; `name`: of the field that holds it."""
        if isinstance(value, dict):
            return {self.of(key): self.of(part, str(key)) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(part, name) for part in value]
        if isinstance(value, str) and (match := _SLOT.fullmatch(value)):
            slots = sorted(self._slots.get(match["scheduler"], ()))
            ms = int(match["ms"])
            number = f"<slot {slots.index(ms)}>" if ms in slots else str(ms)
            return f"{match['before']}{number}{match['after'] or ''}"
        if isinstance(value, int) and not isinstance(value, bool):
            if name in {"delay", "offset"} and value > 0:
                return f"<{name}>"
            if value in _TIMES and not _is_of_calendar(value):
                return "<slot>" if any(value in slots for slots in self._slots.values()) else "<time>"
        return value


def _is_of_calendar(ms: int) -> bool:
    """Full minutes, and the few ms after one that a scenario names, are the same in every run."""
    return ms % 60_000 < 5


def _with_base(steps: list[Step], base: str) -> list[Step]:
    return [[part.replace("KEY:", base) if isinstance(part, str) else part for part in step] for step in steps]


async def _both(node: Node, url: str, prefix: str, steps: list[Step]) -> tuple[Any, Any]:
    """(answers, dump) of Node, and of ours, each evened."""
    theirs, ours = f"{prefix}-node", f"{prefix}-python"
    sides = [
        (await in_node(node, url, theirs, _with_base(steps, f"{theirs}:{QUEUE}:")), dump(url, theirs)),
        (await in_python(url, ours, _with_base(steps, f"{ours}:{QUEUE}:")), dump(url, ours)),
    ]
    evened = [Evened(side).of(side) for side in sides]
    for answers, _ in evened:
        answers[:] = [{"error": True} if isinstance(a, dict) and "error" in a else a for a in answers]
    return evened[0], evened[1]


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_answers_and_redis_are_the_same(node: Node, redis_url: str, key_prefix: str, scenario: str) -> None:
    steps = SCENARIOS[scenario]
    (theirs, their_redis), (ours, our_redis) = await _both(node, redis_url, key_prefix, steps)
    for step, their_answer, our_answer in zip(steps, theirs, ours, strict=True):
        assert our_answer == their_answer, step
    assert our_redis == their_redis


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_what_node_refuses_we_refuse(node: Node, redis_url: str, key_prefix: str, refusal: str) -> None:
    (theirs, their_redis), (ours, our_redis) = await _both(node, redis_url, key_prefix, REFUSALS[refusal])
    assert theirs == ours == [{"error": True}]
    assert our_redis == their_redis


async def test_a_difference_would_be_seen(node: Node, redis_url: str, key_prefix: str) -> None:
    steps = SCENARIOS["every"]
    (_, their_redis), _ = await _both(node, redis_url, f"{key_prefix}-a", steps)
    spoilt = [*steps, ["redis", "HSET", "KEY:repeat:s", "ic", 2]]
    _, (_, our_redis) = await _both(node, redis_url, f"{key_prefix}-b", spoilt)
    assert our_redis != their_redis
    our_redis["q:repeat:s"]["ic"] = 1
    assert our_redis == their_redis
