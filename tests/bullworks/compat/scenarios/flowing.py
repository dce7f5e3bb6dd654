"""Flows: trees of jobs, and what becomes of a parent when a child ends one way or the other."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000


def _node(name: str, *children: dict[str, Any], queue: str = "q", **opts: Any) -> dict[str, Any]:
    """A job of a flow whose id is its name."""
    node: dict[str, Any] = {"name": name, "queueName": queue, "data": {"of": name}, "opts": {"jobId": name, **opts}}
    return {**node, "children": list(children)} if children else node


def _looked_at(parent: str) -> list[Step]:
    return [["dependencies", parent], ["dependenciesCount", parent], ["state", parent]]


SCENARIOS: dict[str, list[Step]] = {
    "a parent and its children": [
        ["flow", _node("p", _node("a"), _node("b"))],
        *_looked_at("p"),
        ["getFlow", "p"],
        ["take"],
        ["complete", {"from": "a"}],
        *_looked_at("p"),
        ["take"],
        ["complete", None, {"fetchNext": True}],
        *_looked_at("p"),
        ["childrenValues", "p"],
        ["complete", "all"],
        ["getFlow", "p"],
        ["counts"],
    ],
    "generated ids": [
        ["flow", {"name": "p", "queueName": "q", "children": [{"name": "c", "queueName": "q", "data": [1]}]}],
        ["flow", {"name": "alone", "queueName": "q"}],
        ["jobs", ["wait", "waiting-children"]],
    ],
    "over queues": [
        ["use", "c"],
        ["use", "q"],
        [
            "flow",
            _node("p", _node("a", queue="c"), _node("b", queue="c", priority=2), _node("d", queue="c", delay=LONG_MS)),
        ],
        ["use", "c"],
        ["take"],
        ["complete", 1],
        ["take"],
        ["complete", 2],
        ["promote", "d"],
        ["take"],
        ["complete", 3],
        ["use", "q"],
        ["childrenValues", "p"],
        ["take"],
    ],
    "grandparents": [
        ["flow", _node("g", _node("p", _node("a"), _node("b")), _node("c"))],
        ["getFlow", "g"],
        ["getFlow", "g", {"depth": 2}],
        *[step for _ in range(3) for step in (["take"], ["complete", 1])],
        ["state", "g"],
        ["take"],
        ["complete", 2],
        *_looked_at("g"),
        ["take"],
        ["childrenValues", "g"],
        ["complete", 3],
    ],
    "many flows at once": [
        ["flowBulk", [_node("p", _node("a")), _node("r", _node("b"), _node("c")), _node("alone")]],
        *[step for _ in range(6) for step in (["take"], ["complete", 1])],
        ["counts"],
    ],
    "parents of every kind": [
        ["flow", _node("prio", _node("a"), priority=5)],
        ["flow", _node("late", _node("b"), delay=LONG_MS)],
        ["flow", _node("lifo", _node("c"), lifo=True)],
        ["add", "first", {}],
        *[step for _ in range(3) for step in (["take"], ["complete", 1])],
        ["counts"],
        ["jobs", ["wait"], 0, -1, True],
    ],
    "a parent that is ready while paused": [
        ["flow", _node("p", _node("a"))],
        ["take"],
        ["pause"],
        ["complete", 1],
        ["counts"],
        ["resume"],
        ["take"],
    ],
    "a parent that is ready while maxed": [
        ["flow", _node("p", _node("a"))],
        ["add", "x", {}],
        ["setGlobalConcurrency", 1],
        ["take"],
        ["complete", 1],
        ["take"],
        ["counts"],
    ],
    "default options by queue": [
        [
            "flow",
            _node("p", _node("a", queue="c"), _node("b", attempts=7)),
            {
                "queuesOptions": {
                    "c": {"defaultJobOptions": {"attempts": 3}},
                    "q": {"defaultJobOptions": {"lifo": True}},
                }
            },
        ],
    ],
    "a child that fails leaves its parent waiting": [
        ["flow", _node("p", _node("a"), _node("b"))],
        *[step for _ in range(2) for step in (["take"], ["fail", "boom"])],
        *_looked_at("p"),
        ["retry", "a"],
        ["take"],
        ["complete", 1],
        *_looked_at("p"),
    ],
    "a child that fails its parent": [
        ["flow", _node("p", _node("a", failParentOnFailure=True), _node("b"))],
        ["take"],
        ["fail", "boom"],
        *_looked_at("p"),
        ["take"],
        ["take"],
        ["counts"],
    ],
    "a failure that goes up": [
        ["flow", _node("g", _node("p", _node("a", failParentOnFailure=True), failParentOnFailure=True))],
        ["take"],
        ["failForGood", "boom"],
        *_looked_at("p"),
        *_looked_at("g"),
        ["work", {}, [["p", "failed"], ["g", "failed"]]],
        *_looked_at("g"),
        ["counts"],
    ],
    "a failure that goes up and is ignored there": [
        ["flow", _node("g", _node("p", _node("a", failParentOnFailure=True), ignoreDependencyOnFailure=True))],
        ["take"],
        ["fail", "boom"],
        ["work", {}, [["p", "failed"], ["g", "completed"]]],
        *_looked_at("g"),
        ["ignoredFailures", "g"],
    ],
    "a failed child of a parent that runs": [
        ["flow", _node("p", _node("a", failParentOnFailure=True), _node("b", failParentOnFailure=True))],
        *[["take"] for _ in range(2)],
        ["fail", "boom", {"job": "a"}],
        ["fail", "bang", {"job": "b"}],
        ["work", {}, [["p", "failed"]]],
        *_looked_at("p"),
        ["retry", "p"],
        ["retry", "a"],
        ["counts"],
    ],
    "a failed child of a parent that is delayed": [
        [
            "flow",
            _node("p", _node("a", continueParentOnFailure=True), _node("b", failParentOnFailure=True), delay=LONG_MS),
        ],
        *[step for _ in range(2) for step in (["take"], ["fail", "boom"], ["state", "p"])],
        ["dependencies", "p"],
    ],
    "a failed child of a parent with a delay and a priority": [
        ["flow", _node("p", _node("a", failParentOnFailure=True), delay=LONG_MS)],
        ["flow", _node("r", _node("b", failParentOnFailure=True), priority=4)],
        *[step for _ in range(2) for step in (["take"], ["fail", "boom"])],
        ["state", "p"],
        ["state", "r"],
    ],
    "a failed child of a parent that has failed": [
        ["flow", _node("p", _node("a", failParentOnFailure=True), _node("b", failParentOnFailure=True))],
        ["take"],
        ["fail", "boom"],
        ["redis", "DEL", "bull:q:wait"],
        ["redis", "LPUSH", "bull:q:wait", "b", "p"],
        ["take"],
        ["redis", "LREM", "bull:q:wait", 1, "p"],
        ["redis", "ZADD", "bull:q:failed", 1, "p"],
        ["fail", "bang"],
    ],
    "retrying a failed child": [
        [
            "flow",
            _node("p", _node("a", failParentOnFailure=True), _node("b", ignoreDependencyOnFailure=True), _node("c")),
        ],
        *[step for _ in range(2) for step in (["take"], ["fail", "boom"])],
        ["retry", "a"],
        ["retryJobs", "failed"],
        *_looked_at("p"),
    ],
    "a failed child that has attempts left": [
        ["flow", _node("p", _node("a", failParentOnFailure=True, attempts=2))],
        ["take"],
        ["fail", "boom"],
        *_looked_at("p"),
        ["take"],
        ["complete", 1],
        *_looked_at("p"),
    ],
    "a child whose failure is ignored": [
        ["flow", _node("p", _node("a", ignoreDependencyOnFailure=True), _node("b"))],
        ["take"],
        ["fail", "boom"],
        *_looked_at("p"),
        ["take"],
        ["complete", 1],
        *_looked_at("p"),
        ["ignoredFailures", "p"],
        ["getFlow", "p"],
    ],
    "a child whose failure is ignored, the last": [
        ["flow", _node("p", _node("a", ignoreDependencyOnFailure=True))],
        ["take"],
        ["fail", "boom", {"fetchNext": True}],
        ["ignoredFailures", "p"],
        ["complete", 1],
    ],
    "a child that is removed from its parent when it fails": [
        ["flow", _node("p", _node("a", removeDependencyOnFailure=True), _node("b"))],
        ["take"],
        ["fail", "boom"],
        *_looked_at("p"),
        ["take"],
        ["complete", 1],
        *_looked_at("p"),
    ],
    "a child whose failure lets its parent go on": [
        ["flow", _node("p", _node("a", continueParentOnFailure=True), _node("b"))],
        ["take"],
        ["fail", "boom", {"fetchNext": True}],
        *_looked_at("p"),
        ["ignoredFailures", "p"],
        ["take"],
        ["removeUnprocessedChildren", "p"],
        ["counts"],
    ],
    "policies mixed": [
        [
            "flow",
            _node(
                "p",
                _node("a", ignoreDependencyOnFailure=True),
                _node("b", removeDependencyOnFailure=True),
                _node("c"),
            ),
        ],
        *[step for _ in range(2) for step in (["take"], ["fail", "boom"])],
        ["take"],
        ["complete", {"of": "c"}, {"fetchNext": True}],
        *_looked_at("p"),
        ["complete", 1],
    ],
    "a child that stalls too often": [
        ["worker", {"maxStalledCount": 0}],
        ["flow", _node("p", _node("a", failParentOnFailure=True))],
        ["take"],
        ["stalledCheck"],
        ["redis", "DEL", "bull:q:stalled-check", "bull:q:a:lock"],
        ["stalledCheck"],
        ["work", {}, [["p", "failed"]]],
        *_looked_at("p"),
    ],
    "a flow below a job that is there": [
        ["add", "p", {}, {"jobId": "p"}],
        ["take"],
        ["flow", _node("a", _node("b"), parent={"id": "p", "queue": "bull:q"})],
        ["complete", 1],
        ["moveToWaitingChildren"],
        *_looked_at("p"),
        ["take"],
        ["complete", 1],
        ["take"],
        ["complete", 2],
        ["take"],
        ["complete", 3],
    ],
    "retention of children": [
        ["flow", _node("p", _node("a", removeOnComplete=True), _node("b", removeOnComplete=1))],
        *[step for _ in range(2) for step in (["take"], ["complete", 1])],
        ["childrenValues", "p"],
        ["getFlow", "p"],
        ["take"],
        ["complete", 1],
    ],
    "retention of a parent": [
        ["flow", _node("p", _node("a"), removeOnComplete=True)],
        *[step for _ in range(2) for step in (["take"], ["complete", 1])],
        ["counts"],
    ],
}
