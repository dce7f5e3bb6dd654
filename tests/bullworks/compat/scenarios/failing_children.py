"""What becomes of a parent whose child fails, by each policy."""

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


LONG_MS = 10_000_000


SCENARIOS: dict[str, list[Step]] = {
    f"{policy}, {then}": steps for policy in POLICIES for then, steps in _after_a_failure(policy).items()
}
