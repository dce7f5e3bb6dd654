"""Processing by hand, limits, counts and errors of handlers: each scenario runs with npm bullmq and with ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compat.dump import dump
from tests.compat.node import Node
from tests.compat.processing import in_node, in_python
from tests.compat.scenario import QUEUE, Step

LONG_MS = 10_000_000
OLD = 1_600_000_000_000
MINUTE_MS = 60_000

SCENARIOS: dict[str, list[Step]] = {
    "taking from an empty queue": [["take"]],
    "completing by hand, with and without the next job": [
        *[["add", "a", {"i": i}] for i in range(3)],
        ["take"],
        ["complete", {"ok": True}],
        ["heldFields"],
        ["take"],
        ["complete", 7, True],
        ["counts"],
    ],
    "completing the last job by hand": [["add", "a", {}], ["take"], ["complete", None, True], ["counts"]],
    "completing by hand with a foreign token": [
        ["add", "a", {}],
        ["take"],
        ["complete", 1, False, "x"],
        ["complete", 1],
    ],
    "completing twice": [["add", "a", {}], ["take"], ["complete", 1], ["complete", 1]],
    "completing a job that is gone": [
        ["add", "a", {}],
        ["take"],
        ["redis", "DEL", "KEY:1", "KEY:1:lock"],
        ["complete", 1],
    ],
    # Node drops the lock before it sees that; ours changes nothing.
    "completing a job that is not active": [
        ["add", "a", {}],
        ["take"],
        ["redis", "DEL", "KEY:active"],
        ["complete", 1],
        ["redis", "DEL", "KEY:1:lock"],
    ],
    "failing by hand with attempts left": [
        ["add", "a", {}, {"attempts": 3}],
        ["add", "b", {}],
        ["take"],
        ["fail", "boom"],
        ["heldFields"],
        ["take"],
        ["complete", 1],
        ["take"],
        ["fail", "again"],
        ["take"],
        ["fail", "at last"],
        ["heldFields"],
        ["counts"],
    ],
    "failing by hand takes the next job": [
        ["add", "a", {}],
        ["add", "b", {}],
        ["take"],
        ["fail", "boom", True],
        ["counts"],
    ],
    "failing by hand with a backoff": [
        ["add", "a", {}, {"attempts": 3, "backoff": {"type": "exponential", "delay": 60_000}}],
        ["take"],
        ["fail", "boom"],
        ["counts"],
    ],
    "failing by hand a job with a priority": [
        ["add", "a", {}, {"attempts": 2, "priority": 3}],
        ["take"],
        ["fail", "boom"],
        ["take"],
        ["fail", "boom"],
    ],
    "failing by hand a lifo job": [
        ["add", "b", {}],
        ["add", "a", {}, {"attempts": 2, "lifo": True}],
        ["take"],
        ["fail", "boom"],
        ["take"],
    ],
    "failing by hand for good": [["add", "a", {}, {"attempts": 5}], ["take"], ["failForGood", "never"], ["counts"]],
    "moving to delayed": [
        ["add", "a", {}],
        ["add", "b", {}],
        ["take"],
        ["delayBy", LONG_MS, "x"],
        ["delayBy", -LONG_MS],
        ["heldFields"],
        ["take"],
        ["delayBy", LONG_MS],
        ["delayBy", LONG_MS],
        ["counts"],
        # What is left of it depends on the millisecond.
        ["redis", "HSET", "KEY:2", "delay", LONG_MS],
    ],
    "moving to wait": [
        ["add", "a", {}],
        ["add", "b", {}],
        ["take"],
        ["toWait", "x"],
        ["toWait"],
        ["toWait"],
        ["take"],
    ],
    "moving a prioritized job to wait": [
        ["add", "a", {}, {"priority": 3}],
        ["add", "b", {}, {"priority": 3}],
        ["take"],
        ["toWait"],
        ["take"],
    ],
    "moving to wait while paused": [["add", "a", {}], ["take"], ["pause"], ["toWait"], ["take"]],
    "moving to waiting-children": [
        ["add", "a", {}],
        ["take"],
        ["toWaitingChildren"],
        ["addChild", "1"],
        ["toWaitingChildren", "nobody"],
        ["toWaitingChildren", None, "x"],
        ["toWaitingChildren"],
        ["waitingChildren"],
        ["toWaitingChildren"],
        ["take"],
        ["complete", "r"],
        ["take"],
        ["toWaitingChildren"],
        ["complete", 1],
    ],
    "waiting for one child": [
        ["add", "a", {}],
        ["take"],
        ["addChild", "1", {"jobId": "c"}],
        ["toWaitingChildren", "c"],
        ["is", "1"],
    ],
    "a parent with open or failed children": [
        ["add", "a", {}],
        ["take"],
        ["addChild", "1"],
        ["complete", 1],
        ["redis", "ZADD", "KEY:1:unsuccessful", 1, "x"],
        ["toWaitingChildren"],
        ["redis", "DEL", "KEY:1:dependencies"],
        ["complete", 1],
        ["fail", "then"],
    ],
    "locks extended by hand": [["add", "a", {}], ["take"], ["extendLock", 60_000], ["extendLock", 60_000, "x"]],
    "a job that stalls": [
        ["add", "a", {}],
        ["take"],
        ["checkStalled"],
        ["redis", "DEL", "KEY:stalled-check", "KEY:1:lock"],
        ["checkStalled"],
        ["redis", "DEL", "KEY:stalled-check"],
        ["take"],
        ["complete", 1],
    ],
    "a job that stalls too often": [
        ["add", "a", {}],
        ["redis", "HSET", "KEY:1", "stc", 1],
        ["take"],
        ["checkStalled"],
        ["redis", "DEL", "KEY:stalled-check", "KEY:1:lock"],
        ["checkStalled"],
        ["redis", "DEL", "KEY:stalled-check"],
        ["take"],
    ],
    "other priorities": [
        *[["add", "a", {}] for _ in range(3)],
        *[["add", "a", {}, {"priority": 5}] for _ in range(3)],
        ["changePriority", "1", {"priority": 3}],
        ["changePriority", "2", {"priority": 0}],
        ["changePriority", "3", {"lifo": True}],
        ["changePriority", "4", {"priority": 0}],
        ["changePriority", "5", {"lifo": True}],
        ["changePriority", "6", {"priority": 5, "lifo": True}],
        ["countsPerPriority", [0, 3, 5]],
        ["changePriority", "6", {"priority": 7}],
        ["take"],
        ["changePriority", "5", {"priority": 9}],
        ["complete", 1],
        ["changePriority", "5", {"priority": 8}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["changePriority", "7", {"priority": 2}],
    ],
    "other priorities while paused": [
        ["add", "a", {}],
        ["pause"],
        ["changePriority", "1", {"priority": 3}],
        ["changePriority", "1", {"priority": 0}],
        ["resume"],
    ],
    "a priority wakes a worker": [
        ["add", "a", {}],
        ["redis", "DEL", "KEY:marker"],
        ["changePriority", "1", {"priority": 3}],
    ],
    "other delays": [
        ["add", "d", {}, {"delay": LONG_MS}],
        ["add", "d", {}, {"delay": LONG_MS // 2}],
        ["add", "w", {}],
        ["changeDelay", "1", LONG_MS // 4],
        ["changeDelay", "1", LONG_MS * 2],
        ["changeDelay", "2", 0],
        ["changeDelay", "3", 10],
        ["changeDelay", "gone", 10],
    ],
    # Node leaves the field `delay` of jobs that it promotes together, though not of one that it promotes alone.
    "promoting all": [
        *[["add", "d", {}, {"delay": LONG_MS + i}] for i in range(5)],
        ["promoteJobs", 2],
        ["promoteJobs"],
        *[["redis", "HSET", f"KEY:{number}", "delay", 0] for number in range(1, 6)],
    ],
    "promoting all while paused": [
        ["add", "d", {}, {"delay": LONG_MS, "lifo": True}],
        ["pause"],
        ["promoteJobs"],
        ["redis", "HSET", "KEY:1", "delay", 0],
    ],
    "obliterating": [
        *[["add", "a", {}] for _ in range(5)],
        ["add", "p", {}, {"priority": 1}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["addChild", "5"],
        ["take"],
        ["complete", 1],
        ["take"],
        ["fail", "boom"],
        ["addJobLog", "2", "x"],
        ["pause"],
        ["obliterate", False, 2],
        ["counts"],
    ],
    "obliterating pauses first, and minds active jobs": [
        ["add", "a", {}],
        ["add", "b", {}],
        ["take"],
        ["obliterate"],
        ["counts"],
        ["checkStalled"],
        ["obliterate", True],
        ["counts"],
    ],
    "obliterating nothing": [["obliterate"]],
    "a manual rate limit": [
        ["limitTtl"],
        ["limitTtl", 5],
        ["rateLimit", LONG_MS],
        ["limitTtl"],
        ["limitTtl", 5],
        ["removeRateLimitKey"],
        ["removeRateLimitKey"],
        ["workerRateLimit", LONG_MS],
    ],
    "a limiter of the worker's own": [
        ["byHand", {"limiter": {"max": 2, "duration": LONG_MS}}],
        *[["add", "a", {}] for _ in range(4)],
        ["take"],
        ["complete", 1],
        ["take"],
        ["limitTtl", 2],
        ["limitTtl", 3],
        ["complete", 1, True],
        ["take"],
        ["counts"],
    ],
    "a manual limit and a limiter": [
        ["byHand", {"limiter": {"max": 2, "duration": LONG_MS}}],
        ["add", "a", {}],
        ["rateLimit", LONG_MS],
        ["take"],
        ["counts"],
    ],
    "a global rate limit": [
        ["getGlobalRateLimit"],
        ["setGlobalRateLimit", 2, LONG_MS],
        ["getGlobalRateLimit"],
        *[["add", "a", {}] for _ in range(4)],
        ["take"],
        ["take"],
        ["complete", 1, True],
        ["meta"],
        ["removeGlobalRateLimit"],
        ["removeGlobalRateLimit"],
        ["getGlobalRateLimit"],
    ],
    "a global concurrency": [
        ["isMaxed"],
        ["getGlobalConcurrency"],
        ["setGlobalConcurrency", 1],
        ["getGlobalConcurrency"],
        ["isMaxed"],
        *[["add", "a", {}] for _ in range(3)],
        ["take"],
        ["isMaxed"],
        ["complete", 1, True],
        ["meta"],
        ["pause"],
        ["meta"],
        ["removeGlobalConcurrency"],
        ["removeGlobalConcurrency"],
        ["isMaxed"],
    ],
    "counting": [
        *[["add", "a", {}] for _ in range(3)],
        *[["add", "p", {}, {"priority": 1 + i % 2}] for i in range(4)],
        ["add", "old", {}, {"delay": 100_000, "timestamp": 5_000, "jobId": "old"}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["take"],
        ["complete", 1],
        ["take"],
        ["fail", "x"],
        ["countByTypes"],
        ["countByTypes", "wait", "prioritized"],
        ["countsOfEach"],
        ["countsPerPriority", [0, 1, 2, 3, 1]],
        ["countsPerPriority", []],
        ["delayedCount"],
        ["delayedCount", OLD],
        ["delayedCount", 105_000],
        ["delayedCount", 105_001],
        ["ranges", ["wait", "prioritized"], 0, -1, True],
        ["ranges", ["wait", "prioritized"], 0, 1, False],
        ["prometheus"],
        ["prometheus", {"env": "test", "zone": 1}],
        ["is", "1"],
        ["is", "2"],
        ["is", "3"],
        ["is", "4"],
        ["is", "old"],
    ],
    "what an operator does by id": [
        ["add", "a", {}],
        ["updateJobProgress", "1", 50],
        ["updateJobProgress", "gone", 50],
        *[["addJobLog", "1", f"row {i}"] for i in range(4)],
        ["addJobLog", "1", "last", 2],
        ["addJobLog", "gone", "row"],
        ["clearLogs", "1", 1],
        ["clearLogs", "1"],
    ],
    "metrics": [
        ["byHand", {"metrics": {"maxDataPoints": 4}}],
        ["metrics", "completed"],
        *[
            step
            for aged_ms in (0, 0, MINUTE_MS, 0, MINUTE_MS, 3 * MINUTE_MS, 20 * MINUTE_MS)
            for step in (
                *([["agePoint", "completed", aged_ms]] if aged_ms else []),
                ["add", "a", {}],
                ["take"],
                ["complete", 1],
                ["metrics", "completed"],
            )
        ],
        ["metrics", "completed", 0, 1],
        ["metrics", "completed", 1, 2],
        ["add", "f", {}, {"attempts": 2, "removeOnFail": True}],
        ["take"],
        ["fail", "x"],
        ["metrics", "failed"],
        ["take"],
        ["fail", "x"],
        ["metrics", "failed"],
        ["prometheus"],
    ],
    "a handler that delays its job": [["add", "a", {}, {"attempts": 2}], ["run", "delays"], ["state", "1"]],
    "a handler that puts its job back": [["add", "a", {}], ["run", "waits"]],
    "a handler that waits for children": [["add", "a", {}], ["run", "waitsForChildren", {}, 2]],
    "a handler that is turned away": [
        ["add", "a", {}],
        ["run", "limits", {"limiter": {"max": 9, "duration": 50}}],
        ["redis", "DEL", "KEY:limiter"],
    ],
    "a handler that fails for good": [["add", "a", {}, {"attempts": 3}], ["run", "unrecoverable"]],
    "a handler that fails": [["add", "a", {}, {"attempts": 3}], ["run", "fails"]],
    "a job that was started too often": [
        ["add", "a", {}, {"attempts": 9}],
        ["redis", "HSET", "KEY:1", "ats", 5],
        ["run", "plain", {"maxStartedAttempts": 3}],
    ],
    "a job that may not be started again": [
        ["add", "a", {}, {"attempts": 9}],
        ["run", "fails", {"maxStartedAttempts": 3}],
    ],
    "a failure that was deferred": [
        ["add", "a", {}, {"attempts": 3}],
        ["redis", "HSET", "KEY:1", "defa", "deferred"],
        ["run", "plain"],
    ],
    "a handler that is cancelled": [["add", "a", {}, {"attempts": 2}], ["run", "watches", {}, 1, "1"]],
}


def _with_base(steps: list[Step], base: str) -> list[Step]:
    return [[part.replace("KEY:", base) if isinstance(part, str) else part for part in step] for step in steps]


def _evened_out(url: str, prefix: str) -> Any:
    """The dump, less the prefix in values, and the order of jobs that may have ended in the same millisecond."""
    found = json.loads(json.dumps(dump(url, prefix)).replace(prefix, "PREFIX"))
    for state in ("completed", "failed"):
        found.get(f"{QUEUE}:{state}", []).sort()
    return found


def _is_error(answer: Any) -> bool:
    return isinstance(answer, dict) and set(answer) == {"error"}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_answers_and_redis_are_the_same(node: Node, redis_url: str, key_prefix: str, scenario: str) -> None:
    steps, theirs, ours = SCENARIOS[scenario], f"{key_prefix}-node", f"{key_prefix}-python"
    their_answers = await in_node(node, redis_url, theirs, _with_base(steps, f"{theirs}:{QUEUE}:"))
    our_answers = await in_python(redis_url, ours, _with_base(steps, f"{ours}:{QUEUE}:"))
    for step, their_answer, our_answer in zip(steps, their_answers, our_answers, strict=True):
        if not (_is_error(their_answer) and _is_error(our_answer)):
            assert our_answer == their_answer, step
    assert _evened_out(redis_url, ours) == _evened_out(redis_url, theirs)
