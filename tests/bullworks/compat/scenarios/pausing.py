"""Pausing and resuming."""

from __future__ import annotations

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000

SCENARIOS: dict[str, list[Step]] = {
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
        ["redis", "RENAME", "bull:q:wait", "bull:q:paused"],
        ["add", "later", {}],
        ["counts", "paused", "waiting"],
        ["jobs", ["paused"], 0, -1, True],
        ["state", "1"],
        ["resume"],
        ["jobs", ["waiting"], 0, -1, True],
        ["take"],
    ],
    "pausing while jobs run": [
        ["add", "a", {}, {"attempts": 2}],
        ["add", "b", {}],
        ["take"],
        ["pause"],
        ["fail", "boom"],
        ["take"],
        ["add", "c", {}, {"lifo": True}],
        ["resume"],
        ["take"],
        ["complete", 1, {"fetchNext": True}],
        ["pause"],
        ["complete", 2, {"fetchNext": True}],
        ["counts"],
    ],
}
