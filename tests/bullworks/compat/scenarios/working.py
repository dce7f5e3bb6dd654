"""A real worker, one job at a time; what handlers do stands in the jobs."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000


def _job(name: str, *attempts: list[list[Any]], **opts: Any) -> Step:
    """A job whose handler does `attempts[n]` in its n-th attempt, and then returns its name."""
    return ["add", name, {"acts": list(attempts)}, {"jobId": name, **opts}]


def _done(*ids: str) -> list[list[str]]:
    return [[job_id, "completed"] for job_id in ids]


SCENARIOS: dict[str, list[Step]] = {
    "job after job": [
        *[_job(name, [["return", {"n": name}]]) for name in "abc"],
        _job("p", [["progress", 10], ["log", "row"], ["progress", {"a": 1}]], priority=1),
        ["work", {}, _done(*"abcp")],
        ["counts"],
    ],
    "a handler that fails, with attempts and none": [
        _job("a", [["throw", "one"]], [["throw", "two"]], [["return", 3]], attempts=3),
        _job("b", [["throw", "alone"]]),
        _job("c", *[[["throw", "boom"]]] * 2, attempts=2, removeOnFail=True),
        ["work", {}, [["a", "completed"], ["b", "failed"], ["c", "unknown"]]],
    ],
    "a fixed backoff": [
        _job("a", [["throw", "one"]], [["throw", "two"]], attempts=3, backoff={"type": "fixed", "delay": 20}),
        ["work", {}, _done("a")],
    ],
    "an exponential backoff": [
        _job("a", [["throw", "one"]], [["throw", "two"]], attempts=3, backoff={"type": "exponential", "delay": 10}),
        ["work", {}, _done("a")],
    ],
    "a backoff of no time": [
        _job("a", [["throw", "one"]], attempts=2, backoff=0),
        ["work", {}, _done("a")],
    ],
    "a backoff of the worker's own": [
        _job("a", [["throw", "one"]], [["throw", "two"]], attempts=9, backoff={"type": "mine"}),
        _job("b", [["throw", "three"]], attempts=9, backoff={"type": "mine"}),
        ["work", {"backoffs": [0, -1]}, [["a", "failed"], ["b", "completed"]]],
    ],
    "a backoff that ends beyond the test": [
        _job("a", [["throw", "one"]], attempts=2, backoff=LONG_MS, priority=4),
        _job("l", [["throw", "one"]], attempts=2, backoff=LONG_MS, lifo=True),
        ["work", {}, [["a", "delayed"], ["l", "delayed"]]],
    ],
    "a handler that fails for good": [
        _job("a", [["unrecoverable", "never"]], attempts=3),
        ["work", {}, [["a", "failed"]]],
    ],
    "a handler that delays its job": [
        _job("a", [["progress", 1], ["delay", 20]], attempts=2),
        ["work", {}, _done("a")],
        ["read", "a"],
    ],
    "a handler that puts its job back": [_job("a", [["wait"]]), ["work", {}, _done("a")], ["read", "a"]],
    "a handler that is turned away": [
        _job("a", [["rateLimit", 40]]),
        ["work", {"limiter": {"max": 100, "duration": LONG_MS}}, _done("a")],
        ["removeRateLimitKey"],
        ["read", "a"],
    ],
    "a handler that makes children and waits": [
        ["use", "c"],
        ["use", "q"],
        _job("a", [["child", ["c", "one"]], ["child", ["c", "two", {"priority": 2}]], ["waitForChildren"]]),
        ["work", {}, [["a", "waiting-children"]]],
        ["use", "c"],
        ["work", {}, _done("one", "two")],
        ["use", "q"],
        ["childrenValues", "a"],
        ["work", {}, _done("a")],
    ],
    "a handler with nothing to wait for": [_job("a", [["waitForChildren"]]), ["work", {}, _done("a")]],
    "a handler that changes its data": [
        _job("a", [["updateData", {"seen": 1}], ["throw", "again"]], attempts=2),
        ["work", {}, _done("a")],
        ["read", "a"],
    ],
    "a job started too often": [
        _job("a", attempts=9),
        ["redis", "HSET", "bull:q:a", "ats", 5],
        ["work", {"maxStartedAttempts": 3}, [["a", "failed"]]],
    ],
    "a failure that was deferred": [
        _job("a", attempts=3),
        ["redis", "HSET", "bull:q:a", "defa", "deferred"],
        ["work", {}, [["a", "failed"]]],
    ],
    "removed while it runs": [
        _job("a", [["redis", ["DEL", "bull:q:a", "bull:q:a:lock"]]]),
        _job("b"),
        ["work", {"skipStalledCheck": True}, _done("b")],
        ["counts"],
    ],
    "its own removal is refused": [_job("a", [["removeSelf"]]), ["work", {}, _done("a")]],
    "a delayed job's time comes": [
        _job("d", delay=30, priority=2),
        ["work", {}, _done("d")],
        _job("e", delay=30),
        ["work", {}, _done("e")],
    ],
    "a limiter of its own": [
        *[_job(name) for name in "abc"],
        ["work", {"limiter": {"max": 2, "duration": 60}}, _done("a", "b", "c")],
        ["removeRateLimitKey"],
    ],
    "its own retention": [
        *[_job(name, [["throw", "boom"]] if name in "cd" else []) for name in "abcde"],
        ["work", {"removeOnComplete": {"count": 1}, "removeOnFail": {"count": 1}}, [["e", "completed"]]],
    ],
    "metrics": [
        _job("a"),
        _job("b", [["throw", "boom"]]),
        ["work", {"metrics": {"maxDataPoints": 5}}, [["a", "completed"], ["b", "failed"]]],
        ["metrics", "completed"],
        ["metrics", "failed"],
    ],
    "deduplication's last job": [
        ["add", "a", {}, {"jobId": "a", "deduplication": {"id": "d", "keepLastIfActive": True}}],
        ["take"],
        ["add", "b", {"n": 2}, {"jobId": "b", "deduplication": {"id": "d", "keepLastIfActive": True}}],
        ["moveToWait"],
        ["work", {}, _done("a")],
        ["counts"],
    ],
    "a handler that is cancelled": [
        _job("a", [["watch"]], attempts=2),
        ["work", {"cancel": "a"}, _done("a")],
        ["read", "a"],
    ],
}
