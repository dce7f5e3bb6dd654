"""Real workers, and what their handlers do with a job and its family."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios.flowing import _node
from tests.bullworks.compat.scenarios.working import _job


def _doing(node: dict[str, Any], *acts: list[Any]) -> dict[str, Any]:
    return {**node, "data": {"acts": list(acts)}}


SCENARIOS: dict[str, list[Step]] = {
    "two failures, then a result": [
        _job("a", [["throw", "1"]], [["throw", "2"]], [["return", 3]], attempts=3),
        ["work", {}, [["a", "completed"]]],
        ["read", "a"],
    ],
    "an exponential backoff": [
        _job(
            "a",
            [["throw", "1"]],
            [["throw", "2"]],
            [["return", 3]],
            attempts=3,
            backoff={"type": "exponential", "delay": 20},
        ),
        ["work", {}, [["a", "completed"]]],
        ["read", "a"],
    ],
    "a backoff of one's own says no more": [
        _job("a", [["throw", "1"]], [["return", 3]], attempts=3, backoff={"type": "mine"}),
        ["work", {"backoffs": [-1]}, [["a", "failed"]]],
        ["read", "a"],
    ],
    "a backoff of one's own says at once": [
        _job("a", [["throw", "1"]], [["return", 3]], attempts=3, backoff={"type": "mine"}),
        ["work", {"backoffs": [0]}, [["a", "completed"]]],
        ["read", "a"],
    ],
    "a backoff of one's own says later": [
        _job("a", [["throw", "1"]], [["return", 3]], attempts=3, backoff={"type": "mine", "delay": 30}),
        ["work", {"backoffs": [30]}, [["a", "completed"]]],
        ["read", "a"],
    ],
    "an unrecoverable failure with attempts left": [
        _job("a", [["unrecoverable", "no"]], attempts=3),
        ["work", {}, [["a", "failed"]]],
        ["read", "a"],
    ],
    "results of every kind": [
        _job("a", [["return", None]]),
        _job("b", [["return", 0]]),
        _job("c", [["return", False]]),
        _job("d", [["return", ""]]),
        _job("e", [["return", [1]]]),
        _job("f", [["return", {"x": None}]]),
        _job("g", [["return", 1.5]]),
        [
            "work",
            {},
            [
                ["a", "completed"],
                ["b", "completed"],
                ["c", "completed"],
                ["d", "completed"],
                ["e", "completed"],
                ["f", "completed"],
                ["g", "completed"],
            ],
        ],
        ["read", "a"],
        ["read", "b"],
        ["read", "c"],
        ["read", "d"],
        ["read", "e"],
        ["read", "f"],
        ["read", "g"],
    ],
    "the order of each kind of job": [
        _job("a", priority=3),
        _job("b", priority=1),
        _job("c"),
        _job("d", lifo=True),
        ["work", {}, [["a", "completed"], ["b", "completed"], ["c", "completed"], ["d", "completed"]]],
    ],
    "progress and a log that keeps one line": [
        _job("a", [["progress", 1], ["log", "x"], ["progress", {"a": 1}], ["log", "y"], ["return", 1]], keepLogs=1),
        ["work", {}, [["a", "completed"]]],
        ["logs", "a"],
        ["read", "a"],
    ],
    "progress, then a failure": [
        _job("a", [["progress", 1], ["throw", "x"]]),
        ["work", {}, [["a", "failed"]]],
        ["read", "a"],
    ],
    "a handler that delays itself twice": [
        _job("a", [["delay", 20]], [["delay", 20]], [["return", 1]]),
        ["work", {}, [["a", "completed"]]],
        ["read", "a"],
    ],
    "a handler that hands back twice": [
        _job("a", [["wait"]], [["wait"]], [["return", 1]]),
        ["work", {}, [["a", "completed"]]],
        ["read", "a"],
    ],
    "a handler that hands back, with a priority": [
        _job("a", [["wait"]], [["return", 1]], priority=4),
        ["work", {}, [["a", "completed"]]],
        ["read", "a"],
    ],
    "a handler that delays itself, with a priority": [
        _job("a", [["delay", 20]], [["return", 1]], priority=4),
        ["work", {}, [["a", "completed"]]],
        ["read", "a"],
    ],
    "a handler that limits the rate": [
        _job("a", [["rateLimit", 30]], [["return", 1]]),
        ["work", {"limiter": {"max": 5, "duration": 1000}}, [["a", "completed"]]],
        ["read", "a"],
        ["removeRateLimitKey"],
    ],
    "a child that is not kept": [
        ["flow", _node("p", _doing(_node("c", removeOnComplete=True), [["return", 7]]))],
        ["work", {}, [["p", "completed"]]],
        ["childrenValues", "p"],
    ],
    "a child that fails its parent": [
        ["flow", _node("p", _doing(_node("c", failParentOnFailure=True), [["throw", "bad"]]))],
        ["work", {}, [["p", "failed"]]],
        ["read", "p"],
        ["read", "c"],
    ],
    "a child whose failure is ignored": [
        ["flow", _node("p", _doing(_node("c", ignoreDependencyOnFailure=True), [["throw", "bad"]]))],
        ["work", {}, [["p", "completed"]]],
        ["ignoredFailures", "p"],
    ],
    "a failure through three generations": [
        [
            "flow",
            _node(
                "g",
                _node("p", _doing(_node("c", failParentOnFailure=True), [["throw", "bad"]]), failParentOnFailure=True),
            ),
        ],
        ["work", {}, [["g", "failed"]]],
        ["read", "g"],
        ["read", "p"],
    ],
    "a child that is tried again": [
        [
            "flow",
            _node("p", _doing(_node("c", attempts=2, failParentOnFailure=True), [["throw", "bad"]], [["return", 2]])),
        ],
        ["work", {}, [["p", "completed"]]],
        ["childrenValues", "p"],
    ],
    "an id that becomes free": [
        ["add", "a", {}, {"jobId": "a", "deduplication": {"id": "d"}}],
        ["add", "b", {}, {"jobId": "b", "deduplication": {"id": "d"}}],
        ["work", {}, [["a", "completed"]]],
        ["add", "c", {}, {"jobId": "c", "deduplication": {"id": "d"}}],
        ["work", {}, [["c", "completed"]]],
    ],
    "a retry is no failure to metrics": [
        _job("a", [["throw", "x"]], [["return", 1]], attempts=2),
        ["work", {"metrics": {"maxDataPoints": 5}}, [["a", "completed"]]],
        ["metrics", "completed"],
        ["metrics", "failed"],
    ],
    "a worker that keeps no completed jobs": [
        _job("a"),
        _job("b"),
        ["work", {"removeOnComplete": {"count": 0}}, [["a", "unknown"], ["b", "unknown"]]],
        ["counts"],
    ],
    "a worker that keeps no failed jobs": [
        _job("a", [["throw", "x"]]),
        ["work", {"removeOnFail": {"count": 0}}, [["a", "unknown"]]],
        ["counts"],
    ],
    "a job that is kept against its worker's wish": [
        _job("a", removeOnComplete=False),
        ["work", {"removeOnComplete": {"count": 0}}, [["a", "completed"]]],
        ["counts"],
    ],
    "a worker that keeps jobs for a time": [
        _job("a"),
        ["work", {"removeOnComplete": {"age": 60}}, [["a", "completed"]]],
        ["counts"],
    ],
    "delays count as starts": [
        _job("a", [["delay", 5]], [["delay", 5]], [["return", 1]], attempts=2),
        ["work", {"maxStartedAttempts": 2}, [["a", "failed"]]],
        ["read", "a"],
    ],
    "a job that stalled once too often": [
        _job("a", attempts=3),
        ["worker", {"maxStalledCount": 0}],
        ["take"],
        ["stalledCheck"],
        ["redis", "DEL", "bull:q:stalled-check", "bull:q:a:lock"],
        ["stalledCheck"],
        ["redis", "DEL", "bull:q:stalled-check"],
        ["work", {}, [["a", "failed"]]],
        ["read", "a"],
    ],
    "one at a time in the whole fleet": [
        ["setGlobalConcurrency", 1],
        _job("a"),
        _job("b"),
        _job("c"),
        ["work", {"concurrency": 3}, [["a", "completed"], ["b", "completed"], ["c", "completed"]]],
        ["counts"],
    ],
}
