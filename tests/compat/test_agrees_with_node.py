"""Each scenario runs twice, with npm bullmq and with ours: answers and what is left in Redis must be the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.dump import dump
from tests.compat.node import Node
from tests.compat.scenario import QUEUE, Step, in_node, in_python

LONG_MS = 10_000_000
OLD = 1_600_000_000_000

SCENARIOS: dict[str, list[Step]] = {
    "adding jobs of every kind": [
        ["add", "plain", {"x": 1}],
        ["add", "nothing", None],
        ["add", "unicode", {"text": "żółć 漢字 😀 \u2028", "nested": {"list": [1, 2.5, None, True, "a"]}}],
        ["add", "delayed", {}, {"delay": LONG_MS, "attempts": 3, "backoff": {"type": "exponential", "delay": 1000}}],
        ["add", "jitter", {}, {"attempts": 2, "backoff": {"type": "fixed", "delay": 10, "jitter": 0.5}}],
        ["add", "priority", {}, {"priority": 3, "removeOnComplete": True, "removeOnFail": {"count": 5, "age": 60}}],
        ["add", "kept", {}, {"removeOnComplete": 100, "removeOnFail": False, "keepLogs": 5, "stackTraceLimit": 2}],
        ["add", "lifo", {}, {"lifo": True, "jobId": "custom"}],
        ["add", "again", {}, {"lifo": True, "jobId": "custom"}],
        ["add", "dated", {}, {"timestamp": OLD, "jobId": "dated"}],
        ["add", "sized", {}, {"sizeLimit": 1000}],
        ["addBulk", [{"name": "e", "data": 1}, {"name": "f", "data": None, "opts": {"priority": 2}}]],
        ["read", "1"],
        ["read", "custom"],
        ["read", "gone"],
        ["counts"],
    ],
    "pausing and resuming": [
        ["isPaused"],
        ["pause"],
        ["isPaused"],
        ["pause"],
        ["add", "a", {}],
        ["add", "p", {}, {"priority": 1}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["take"],
        ["counts"],
        ["counts", "paused", "wait"],
        ["resume"],
        ["isPaused"],
        ["resume"],
        ["take"],
    ],
    "resuming an empty queue": [["pause"], ["resume"]],
    "resuming with delayed jobs only": [["add", "d", {}, {"delay": LONG_MS}], ["pause"], ["resume"]],
    "resuming with prioritized jobs only": [["pause"], ["add", "p", {}, {"priority": 9}], ["resume"]],
    "resuming with what BullMQ 5 left in its paused list": [
        *[["add", "a", {}] for _ in range(3)],
        ["pause"],
        ["redis", "RENAME", "KEY:wait", "KEY:paused"],
        ["add", "later", {}],
        ["counts", "paused", "waiting"],
        ["jobs", ["paused"], 0, -1, True],
        ["state", "1"],
        ["resume"],
        ["jobs", ["waiting"], 0, -1, True],
        ["take"],
    ],
    "cleaning each state": [
        *[["add", "a", {"i": i}] for i in range(5)],
        ["add", "p", {}, {"priority": 3}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["take"],
        ["log", "1", "x"],
        ["complete", 1],
        ["take"],
        ["fail", "boom"],
        ["take"],
        *[["clean", LONG_MS, 10, state] for state in ("completed", "failed", "delayed", "prioritized", "wait")],
        *[["clean", 0, 10, state] for state in ("completed", "failed", "active", "delayed", "prioritized", "wait")],
        ["counts"],
    ],
    "cleaning up to a limit": [
        *[["add", "a", {}] for _ in range(5)],
        ["clean", 0, 2, "wait"],
        ["jobs", ["wait"], 0, -1, True],
        ["clean", 0, 0, "wait"],
    ],
    "cleaning an active job whose worker is gone": [
        ["add", "a", {}],
        ["take"],
        ["clean", 0, 10, "active"],
        ["redis", "DEL", "KEY:1:lock"],
        ["clean", 0, 10, "active"],
    ],
    "cleaning goes by the right age": [
        *[["add", "a", {}, {"jobId": f"w{i}", "timestamp": OLD}] for i in range(2)],
        ["redis", "HSET", "KEY:w1", "processedOn", 9_000_000_000_000],
        ["clean", 1000, 10, "wait"],
        *[["add", "a", {}, {"jobId": f"p{i}", "timestamp": OLD, "priority": 1}] for i in range(2)],
        ["redis", "HSET", "KEY:p1", "processedOn", 9_000_000_000_000],
        ["clean", 1000, 10, "prioritized"],
        ["add", "young", {}, {"priority": 1}],
        ["clean", 1000, 10, "prioritized"],
        ["redis", "LPUSH", "KEY:wait", "ghost"],
        ["clean", 1000, 10, "wait"],
    ],
    "draining": [
        *[["add", "a", {}] for _ in range(3)],
        ["add", "p", {}, {"priority": 3}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["take"],
        ["drain", False],
        ["counts"],
        ["add", "b", {}],
        ["drain", True],
        ["counts"],
    ],
    "draining what BullMQ 5 left in its paused list": [
        ["add", "a", {}],
        ["pause"],
        ["redis", "RENAME", "KEY:wait", "KEY:paused"],
        ["drain", False],
    ],
    "removing jobs": [
        *[["add", "a", {}] for _ in range(3)],
        ["add", "p", {}, {"priority": 3}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["take"],
        ["remove", "1"],
        ["complete", None],
        *[["remove", job_id] for job_id in ("1", "1", "2", "4", "5", "never")],
        ["take"],
        ["redis", "DEL", "KEY:3:lock"],
        ["removeJob", "3"],
        ["add", "orphan", {}, {"jobId": "orphan"}],
        ["redis", "DEL", "KEY:wait"],
        ["removeJob", "orphan"],
    ],
    "retrying jobs": [
        *[["add", "a", {}, {"attempts": 1}] for _ in range(2)],
        ["add", "l", {}, {"lifo": True, "jobId": "lifo"}],
        ["add", "p", {}, {"priority": 4, "jobId": "prio"}],
        *[step for _ in range(3) for step in (["take"], ["fail", "boom"])],
        ["take"],
        ["complete", {"ok": True}],
        ["add", "first", {}],
        ["retry", "1"],
        ["retry", "lifo"],
        ["retry", "prio", "completed"],
        ["read", "1"],
        ["take"],
        ["complete", 1],
        ["retry", "lifo", "completed", {"resetAttemptsMade": True, "resetAttemptsStarted": True}],
        ["pause"],
        ["retry", "2"],
        ["jobs", ["wait"], 0, -1, True],
    ],
    "retrying a job with a deferred failure": [
        ["add", "a", {}],
        ["take"],
        ["redis", "HSET", "KEY:1", "defa", "stalled", "stc", "2"],
        ["fail", "boom"],
        ["retry", "1"],
    ],
    "retrying all jobs": [
        # None has a priority: Node moves those to `wait` too, ahead of their turn; ours go back where they were.
        *[["add", "a", {}] for _ in range(4)],
        *[step for _ in range(2) for step in (["take"], ["fail", "boom"])],
        *[step for _ in range(2) for step in (["take"], ["complete", 1])],
        ["retryJobs", "failed"],
        ["retryJobs", "completed"],
        ["counts"],
        ["jobs", ["wait"], 0, -1, True],
    ],
    "promoting jobs": [
        ["add", "d", {}, {"delay": LONG_MS}],
        ["add", "dp", {}, {"delay": LONG_MS, "priority": 7}],
        ["add", "dl", {}, {"delay": LONG_MS, "lifo": True}],
        *[["promote", job_id] for job_id in ("1", "2", "3")],
        ["jobs", ["wait"], 0, -1, True],
        ["pause"],
        ["add", "paused", {}, {"delay": LONG_MS}],
        ["promote", "4"],
    ],
    "progress, data and logs": [
        ["add", "a", {}, {"keepLogs": 2}],
        *[["progress", "1", progress] for progress in (30, 33.3, "half", True, {"a": 1}, [1])],
        ["updateData", "1", {"changed": ["ż", None]}],
        *[["log", "1", f"row {i}"] for i in range(4)],
        ["logs", "1"],
        ["logs", "1", 0, 0, True],
        ["logs", "1", 0, 0, False],
        ["logs", "never"],
        ["read", "1"],
    ],
    "states, counts and pages": [
        *[["add", "a", {}] for _ in range(8)],
        *[step for _ in range(3) for step in (["take"], ["fail", "boom"])],
        *[step for _ in range(2) for step in (["take"], ["complete", 1])],
        *[["add", "p", {}, {"priority": 4 - i}] for i in range(3)],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["take"],
        *[["state", str(i)] for i in range(1, 14)],
        ["counts"],
        ["counts", "wait", "paused", "completed"],
        ["count"],
        *[
            ["jobs", [state], start, end, asc]
            for state in ("waiting", "wait", "active", "delayed", "prioritized", "completed", "failed", "paused")
            for start, end in ((0, -1), (0, 1), (1, 1), (1, 20), (-2, -1), (5, 9))
            for asc in (False, True)
        ],
        ["jobs", ["failed", "completed", "wait", "waiting"], 0, 1, True],
        *[["listing", state] for state in ("Waiting", "Active", "Delayed", "Prioritized", "Completed", "Failed")],
        ["redis", "DEL", "KEY:7"],
        ["jobs", ["wait"], 0, -1, False],
    ],
    "a scheduler's pending iteration stays": [
        ["redis", "ZADD", "KEY:repeat", 9_000_000_000_000, "nightly"],
        ["redis", "HSET", "KEY:repeat:nightly", "name", "n", "every", 1000, "ic", 1],
        *[
            step
            for ms, state in ((9_000_000_000_000, "wait"), (8_000_000_000_000, "wait"))
            for step in (
                ["redis", "HSET", f"KEY:repeat:nightly:{ms}", "name", "n", "data", "{}", "opts", "{}"],
                ["redis", "HSET", f"KEY:repeat:nightly:{ms}", "rjk", "nightly", "timestamp", OLD],
                ["redis", "LPUSH", f"KEY:{state}", f"repeat:nightly:{ms}"],
            )
        ],
        ["clean", 0, 10, "wait"],
        ["drain", True],
        ["counts"],
    ],
}

# What npm bullmq answers with an error, so that only its being one can be compared.
REFUSALS: dict[str, list[Step]] = {
    "removing a job that a worker runs": [["add", "a", {}], ["take"], ["removeJob", "1"]],
    "removing a scheduler's pending iteration": [
        ["redis", "ZADD", "KEY:repeat", 9_000_000_000_000, "s"],
        ["redis", "HSET", "KEY:repeat:s:9000000000000", "name", "n", "data", "{}", "opts", "{}", "rjk", "s"],
        ["redis", "LPUSH", "KEY:wait", "repeat:s:9000000000000"],
        ["remove", "repeat:s:9000000000000"],
    ],
    "retrying a job in another state": [["add", "a", {}], ["take"], ["complete", 1], ["retry", "1", "failed"]],
    "promoting a job that is not delayed": [["add", "a", {}], ["promote", "1"]],
    "an id that is an integer": [["add", "a", {}, {"jobId": "17"}]],
    "an id that begins with 0:": [["add", "a", {}, {"jobId": "0:a"}]],
    "an id with a colon": [["add", "a", {}, {"jobId": "a:b"}]],
    "a priority out of range": [["add", "a", {}, {"priority": 2**21}]],
    "a fractional priority": [["add", "a", {}, {"priority": 1.5}]],
    "data over the size limit": [["add", "a", {"text": "x" * 100}, {"sizeLimit": 50}]],
    "jitter out of range": [["add", "a", {}, {"backoff": {"type": "fixed", "delay": 1, "jitter": 2}}]],
}


def _with_base(steps: list[Step], base: str) -> list[Step]:
    return [[part.replace("KEY:", base) if isinstance(part, str) else part for part in step] for step in steps]


async def _both(node: Node, url: str, prefix: str, steps: list[Step]) -> list[tuple[list[Any], dict[str, Any]]]:
    """Answers and dump of each side, Node's first, each under a prefix of its own."""
    theirs, ours = f"{prefix}-node", f"{prefix}-python"
    their_answers = await in_node(node, url, theirs, _with_base(steps, f"{theirs}:{QUEUE}:"))
    our_answers = await in_python(url, ours, _with_base(steps, f"{ours}:{QUEUE}:"))
    return [(their_answers, dump(url, theirs)), (our_answers, dump(url, ours))]


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
    assert set(theirs[-1]) == {"error"}, theirs
    assert set(ours[-1]) == {"error"}, ours
    # Node counts an id even for a job that it then refuses; ours are refused before Redis hears of them.
    their_redis.pop("q:id", None)
    our_redis.pop("q:id", None)
    assert our_redis == their_redis
