"""Scenarios drawn from a seed: what nobody thought of.

Left out is most of where ours differs on purpose, see scenarios/differing.py; `is_meant` tells the rest.

Times of the same ms come in any order, so nothing is drawn that would depend on which of two jobs ended first.
"""

from __future__ import annotations

import random
from typing import Any

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000
_IDS = ["1", "2", "3", "j0", "j1", "j2", "j3", "f1", "f2", "f3", "f4"]
_POLICIES = [
    "failParentOnFailure",
    "continueParentOnFailure",
    "ignoreDependencyOnFailure",
    "removeDependencyOnFailure",
]
_DEDUPLICATIONS: list[dict[str, Any]] = [
    {},
    {"ttl": 3_600_000},
    {"replace": True},
    {"extend": True, "ttl": 3_600_000},
    {"keepLastIfActive": True},
    {"reschedule": True},
]
_STATES = ["wait", "completed", "failed", "delayed", "prioritized", "active"]


def scenario(seed: int) -> list[Step]:
    """The same for the same seed; it begins with a job that is taken."""
    return _Drawing(random.Random(seed)).scenario()


def is_meant(path: str, both: tuple[Any, Any]) -> bool:
    """Whether a difference is one of those that are meant, and that a drawn scenario may come upon."""
    # Both refuse, for one of two reasons.
    return path.endswith("/error") and both == ("children", "lock")


class _Drawing:
    def __init__(self, drawn: random.Random) -> None:
        self._drawn = drawn
        self._nodes = 0
        self._is_across = False
        """Whether a parent and a child may be of different queues."""

    def scenario(self) -> list[Step]:
        drawn = self._drawn
        steps: list[Step] = [["use", "c"], ["use", "q"], ["add", "first", {}], ["take"]]
        kinds = [self._add, self._flow, self._take, self._end, self._move, self._look, self._change, self._tidy]
        weights = [26, 8, 14, 14, 6, 6, 14, 12]
        steps += [draw() for draw in drawn.choices(kinds, weights, k=drawn.randint(8, 24))]
        # Who waits for work takes the marker; with a delayed job ours sets it once more than Node.
        return [*steps, *(["redis", "DEL", f"bull:{queue}:marker"] for queue in "qc")]

    def _chance(self, probability: float) -> bool:
        return self._drawn.random() < probability

    def _options(self) -> dict[str, Any]:
        drawn, opts = self._drawn, dict[str, Any]()
        if self._chance(0.3):
            opts["delay"] = LONG_MS * drawn.randint(1, 3)
        if self._chance(0.3):
            opts["priority"] = drawn.randint(1, 3)
        if self._chance(0.2):
            opts["lifo"] = True
        if self._chance(0.4):
            opts["attempts"] = drawn.randint(1, 3)
            if self._chance(0.3):
                opts["backoff"] = LONG_MS
        for option in ("removeOnComplete", "removeOnFail"):
            if self._chance(0.2):
                opts[option] = True
        return opts

    def _add(self) -> Step:
        opts = self._options()
        if self._chance(0.5):
            opts["jobId"] = f"j{self._drawn.randint(0, 5)}"
        if self._chance(0.25):
            opts["deduplication"] = {"id": self._drawn.choice("de"), **self._drawn.choice(_DEDUPLICATIONS)}
            # Without one the other job is due at once: whether the next step finds it so is chance.
            if opts["deduplication"].get("reschedule"):
                opts.setdefault("delay", LONG_MS)
        elif self._chance(0.35):
            opts["parent"] = {"id": self._drawn.choice(_IDS), "queue": f"bull:{self._drawn.choice('qc')}"}
            self._add_policy(opts)
            self._is_across = True
        return ["add", "n", {}, opts]

    def _add_policy(self, opts: dict[str, Any]) -> None:
        if self._chance(0.8):
            opts[self._drawn.choice(_POLICIES)] = True

    def _flow(self) -> Step:
        return ["flow", self._node(2)]

    def _node(self, depth: int) -> dict[str, Any]:
        self._nodes += 1
        opts = {**self._options(), "jobId": f"f{self._nodes}"}
        node: dict[str, Any] = {"name": opts["jobId"], "queueName": self._drawn.choice("qqc"), "opts": opts}
        if depth < 2:
            self._add_policy(opts)
        if depth > 0 and self._chance(0.7):
            # A parent that a removed child releases keeps these, but not in Node.
            opts.pop("delay", None)
            opts.pop("priority", None)
            node["children"] = [self._node(depth - 1) for _ in range(self._drawn.randint(1, 3))]
            self._is_across |= any(child["queueName"] != node["queueName"] for child in node["children"])
        return node

    def _take(self) -> Step:
        return ["take"]

    def _end(self) -> Step:
        return ["complete", self._drawn.randint(0, 9)] if self._chance(0.5) else ["fail", "boom"]

    def _move(self) -> Step:
        return self._drawn.choice([["moveToWait"], ["moveToDelayed", {"now": LONG_MS}], ["stalledCheck"]])

    def _look(self) -> Step:
        job_id = self._drawn.choice(_IDS)
        return self._drawn.choice([["counts"], ["state", job_id], ["getFlow", job_id], ["dependencies", job_id]])

    def _change(self) -> Step:
        drawn = self._drawn
        job_id, number = drawn.choice(_IDS), drawn.randint(0, 3)
        return drawn.choice(
            [
                ["retry", job_id, drawn.choice(["failed", "completed"])],
                ["promote", job_id],
                ["changePriority", job_id, {"priority": number, "lifo": self._chance(0.3)}],
                ["changeDelay", job_id, LONG_MS],
                ["updateData", job_id, {"x": number}],
                ["progress", job_id, number],
                ["log", job_id, "row"],
                ["removeDeduplicationKey", "d"],
                ["removeChildDependency", job_id],
            ]
        )

    def _tidy(self) -> Step:
        drawn = self._drawn
        job_id = drawn.choice(_IDS)
        # Which parent in another queue then waits first is not the same.
        wholesale = [["drain", self._chance(0.5)], ["clean", 0, 10, drawn.choice(_STATES)]]
        return drawn.choice(
            [
                *([] if self._is_across else wholesale),
                ["pause"],
                ["resume"],
                ["resume"],
                ["remove", job_id],
                ["removeJob", job_id, {"removeChildren": self._chance(0.5)}],
                ["removeUnprocessedChildren", job_id],
                ["setGlobalConcurrency", drawn.randint(1, 2)],
                ["removeGlobalConcurrency"],
            ]
        )
