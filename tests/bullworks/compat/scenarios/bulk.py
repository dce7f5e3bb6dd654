"""Jobs that are added together."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios.flowing import _node


def child_of(parent_id: str, name: str = "c", **opts: Any) -> dict[str, Any]:
    return {"name": name, "data": 1, "opts": {"parent": {"id": parent_id, "queue": "bull:q"}, **opts}}


LONG_MS = 10_000_000

SCENARIOS: dict[str, list[Step]] = {
    "an id twice": [
        [
            "addBulk",
            [{"name": "a", "data": 1, "opts": {"jobId": "x"}}, {"name": "b", "data": 2, "opts": {"jobId": "x"}}],
        ],
        ["read", "x"],
    ],
    "a deduplication id twice, replacing": [
        [
            "addBulk",
            [
                {"name": "a", "data": 1, "opts": {"delay": LONG_MS, "deduplication": {"id": "d", "replace": True}}},
                {"name": "b", "data": 2, "opts": {"delay": LONG_MS, "deduplication": {"id": "d", "replace": True}}},
            ],
        ],
        ["counts"],
    ],
    "while paused": [
        ["pause"],
        ["addBulk", [{"name": "a", "data": 1}, {"name": "b", "data": 2, "opts": {"priority": 1}}]],
        ["counts"],
        ["take"],
    ],
    "while the fleet is full": [
        ["setGlobalConcurrency", 1],
        ["add", "z", {}],
        ["take"],
        ["redis", "DEL", "bull:q:marker"],
        ["addBulk", [{"name": "a", "data": 1}]],
        ["isMaxed"],
    ],
    "default options of a queue": [
        ["use", "d", {"defaultJobOptions": {"attempts": 3, "priority": 2}}],
        ["addBulk", [{"name": "a", "data": 1}, {"name": "b", "data": 1, "opts": {"priority": 5}}]],
        ["counts"],
    ],
    "a parent and its child": [
        ["addBulk", [{"name": "p", "data": 1, "opts": {"jobId": "p"}}, child_of("p"), child_of("p")]],
        ["dependencies", "p"],
        ["counts"],
    ],
    "a parent that gets a number, and its child": [
        ["addBulk", [{"name": "p", "data": 1}, child_of("1")]],
        ["dependencies", "1"],
    ],
    "a deduplicated parent and its child": [
        ["addBulk", [{"name": "p", "data": 1, "opts": {"jobId": "p", "deduplication": {"id": "d"}}}, child_of("p")]],
        ["dependencies", "p"],
    ],
    "a child twice, of the same parent": [
        ["add", "p", {}, {"jobId": "p"}],
        ["addBulk", [child_of("p", jobId="c"), child_of("p", jobId="c", delay=5_000)]],
        ["dependencies", "p"],
    ],
    "a child whose parent is no more gets another": [
        ["flow", _node("old", _node("c"))],
        ["redis", "DEL", "bull:q:old"],
        ["add", "p", {}, {"jobId": "p"}],
        ["addBulk", [child_of("p", jobId="c")]],
        ["dependencies", "p"],
    ],
    "jobs of every kind": [
        [
            "addBulk",
            [
                {"name": "plain", "data": {}},
                {"name": "delayed", "data": {}, "opts": {"delay": 5_000}},
                {"name": "lifo", "data": {}, "opts": {"lifo": True}},
                {"name": "priority", "data": {}, "opts": {"priority": 2}},
                {"name": "own", "data": {}, "opts": {"jobId": "own"}},
                {"name": "own again", "data": {}, "opts": {"jobId": "own"}},
                {"name": "deduplicated", "data": {}, "opts": {"deduplication": {"id": "d"}}},
                {"name": "dropped", "data": {}, "opts": {"deduplication": {"id": "d"}}},
            ],
        ],
        ["counts"],
    ],
    "none": [["addBulk", []], ["counts"]],
    "flows of each shape": [
        [
            "flowBulk",
            [_node("a", _node("b"), _node("c", queue="other")), _node("lone"), _node("d", _node("e", _node("f")))],
        ],
        ["counts"],
        ["getFlow", "d"],
    ],
}
