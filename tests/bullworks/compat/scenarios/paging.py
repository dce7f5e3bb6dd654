"""Children in pages: few of them come all at once, many by cursor; which cursor is the server's own business."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios.flowing import _node

_MANY = 700


def _many(*children: dict[str, Any]) -> list[Step]:
    return [["flow", _node("p", *children)]]


SCENARIOS: dict[str, list[Step]] = {
    "few children": [
        ["flow", _node("p", _node("a"), _node("b", ignoreDependencyOnFailure=True), _node("c"), _node("d"))],
        ["take"],
        ["complete", {"v": 1}],
        ["take"],
        ["fail", "no"],
        ["dependencyPages", "p", {"processed": {}}],
        ["dependencyPages", "p", {"unprocessed": {"cursor": 0, "count": 100}, "ignored": {"count": 5}}],
        ["dependencyPages", "p", {"processed": {"count": 1}, "ignored": {}, "unprocessed": {"count": 50}}],
        ["dependencyPages", "nobody", {"processed": {}}],
    ],
    "many that are waited for": [
        *_many(*(_node(f"c{number}") for number in range(_MANY))),
        ["allPages", "p", "unprocessed", 50],
        ["allPages", "p", "processed", 50],
        ["dependencyPages", "p", {"unprocessed": {"cursor": 0, "count": 10_000}}],
    ],
    "many that are done": [
        ["add", "p", {}, {"jobId": "p"}],
        *(["redis", "HSET", "bull:q:p:processed", f"bull:q:c{number}", number] for number in range(_MANY)),
        *(["redis", "HSET", "bull:q:p:failed", f"bull:q:f{number}", "no"] for number in range(_MANY)),
        ["allPages", "p", "processed", 50],
        ["allPages", "p", "ignored", 50],
    ],
    "by the parent's id": [
        ["flow", _node("p", _node("a"), _node("b"), _node("c", queue="other"))],
        ["take"],
        ["complete", {"v": 1}],
        ["children", "p", "processed", 0, -1],
        ["children", "p", "processed", 1, 5],
        ["children", "p", "pending", 0, -1],
        ["children", "p", "pending", 0, 0],
        ["children", "p", "pending", 1, 1],
        ["children", "nobody", "pending", 0, -1],
    ],
}
