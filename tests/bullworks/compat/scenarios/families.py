"""Parents and children: taken ids, removal and second runs."""

from __future__ import annotations

from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios.flowing import _node

POLICIES = (
    "failParentOnFailure",
    "continueParentOnFailure",
    "ignoreDependencyOnFailure",
    "removeDependencyOnFailure",
)


def _after_a_failure(policy: str) -> dict[str, list[Step]]:
    chosen = {policy: True}
    child = _node("x", **chosen)
    stalls: list[Step] = [["redis", "DEL", "bull:q:stalled-check", "bull:q:x:lock"], ["stalledCheck"]]
    return {
        "its sibling goes on": [
            ["flow", _node("a", child, _node("y"))],
            ["take"],
            ["fail", "no"],
            *[["dependencies", "a"], ["dependenciesCount", "a"], ["counts"]],
            ["take"],
            ["complete", 1],
            ["take"],
            ["complete", 2],
            *[["childrenValues", "a"], ["ignoredFailures", "a"]],
        ],
        "it is retried": [
            ["flow", _node("a", child)],
            ["take"],
            ["fail", "no"],
            ["retry", "x"],
            ["counts"],
            ["take"],
            ["complete", 1],
            *[["counts"], ["dependencies", "a"]],
        ],
        "its parent is a child too": [
            ["flow", _node("g", _node("a", child, **chosen))],
            ["take"],
            ["fail", "no"],
            ["counts"],
            ["take"],
            ["counts"],
        ],
        "it is removed": [
            ["flow", _node("a", child, _node("y"))],
            ["take"],
            ["fail", "no"],
            ["remove", "x"],
            *[["counts"], ["dependencies", "a"]],
        ],
        "it stalled too often": [
            ["flow", _node("a", child)],
            ["take"],
            ["stalledCheck"],
            *stalls,
            ["take"],
            *stalls,
            ["redis", "DEL", "bull:q:stalled-check"],
            ["stalledCheck"],
            *[["counts"], ["read", "x"]],
        ],
    }


SCENARIOS: dict[str, list[Step]] = {
    "a child twice in a flow": [["flow", _node("a", _node("x"), _node("x"))], ["counts"], ["dependencies", "a"]],
    "a root whose id is taken": [
        ["add", "a", {"o": 1}, {"jobId": "a"}],
        ["flow", _node("a", _node("x"))],
        ["counts"],
        ["dependencies", "a"],
    ],
    "a root whose id is taken by a completed job": [
        ["add", "a", {"o": 1}, {"jobId": "a"}],
        ["take"],
        ["complete", 1],
        ["flow", _node("a", _node("x"))],
        ["counts"],
    ],
    "a root with no children": [["flow", {**_node("a"), "children": []}], ["counts"]],
    "a delayed parent of a delayed child": [
        ["flow", _node("a", _node("x", delay=10000000), delay=10000000)],
        ["promote", "x"],
        ["take"],
        ["complete", 1],
        ["counts"],
    ],
    "a parent and a child with priorities": [
        ["flow", _node("a", _node("x", priority=3), priority=4)],
        ["take"],
        ["complete", 1],
        ["take"],
        ["complete", 2],
    ],
    "a parent and a child, lifo": [
        ["add", "z", {}],
        ["flow", _node("a", _node("x", lifo=True), lifo=True)],
        ["take"],
        ["complete", 1],
        ["take"],
    ],
    "removing a parent with its children": [["flow", _node("a", _node("x"), _node("y"))], ["remove", "a"], ["counts"]],
    "removing a parent without its children": [
        ["flow", _node("a", _node("x"), _node("y"))],
        ["remove", "a", {"removeChildren": False}],
        ["counts"],
        ["take"],
        ["complete", 1],
    ],
    "removing a parent whose child is active": [
        ["flow", _node("a", _node("x"), _node("y"))],
        ["take"],
        ["remove", "a"],
        ["counts"],
    ],
    "removing a parent one of whose children is completed": [
        ["flow", _node("a", _node("x"), _node("y"))],
        ["take"],
        ["complete", 1],
        ["remove", "a"],
        ["counts"],
    ],
    "removing the only child": [["flow", _node("a", _node("x"))], ["remove", "x"], ["counts"], ["dependencies", "a"]],
    "running a completed parent again": [
        ["flow", _node("a", _node("x"))],
        ["take"],
        ["complete", 1],
        ["take"],
        ["complete", 2],
        ["retry", "a", "completed"],
        ["take"],
        ["complete", 3],
        ["childrenValues", "a"],
    ],
    "running a completed child again": [
        ["flow", _node("a", _node("x"))],
        ["take"],
        ["complete", 1],
        ["retry", "x", "completed"],
        ["counts"],
        ["dependencies", "a"],
    ],
    "retrying a failed child": [
        ["flow", _node("a", _node("x"))],
        ["take"],
        ["fail", "no"],
        ["counts"],
        ["retry", "x"],
        ["take"],
        ["complete", 1],
        ["counts"],
    ],
    "draining all children": [["flow", _node("a", _node("x"), _node("y"))], ["drain"], ["counts"]],
    "cleaning the only child": [["flow", _node("a", _node("x"))], ["clean", 0, 0, "wait"], ["counts"]],
    "obliterating a flow of three generations": [
        ["flow", _node("a", _node("x"), _node("y", _node("z")))],
        ["obliterate"],
        ["counts"],
    ],
    "removing children and their children": [
        ["flow", _node("a", _node("x"), _node("y", _node("z")))],
        ["removeUnprocessedChildren", "a"],
        ["counts"],
    ],
    "waiting for no children": [["add", "a", {}], ["take"], ["moveToWaitingChildren"], ["counts"]],
    "waiting for one child that was added meanwhile": [
        ["add", "a", {}, {"jobId": "a"}],
        ["take"],
        ["add", "c", {}, {"parent": {"id": "a", "queue": "bull:q"}, "jobId": "c"}],
        ["moveToWaitingChildren", {"child": {"id": "c", "queue": "bull:q"}}],
        ["counts"],
        ["take"],
        ["complete", 1],
        ["counts"],
    ],
    **{
        f"a failed child, {policy}: {then}": steps
        for policy in POLICIES
        for then, steps in _after_a_failure(policy).items()
    },
}
