"""What ours refuses and npm bullmq takes: the last step of each. Nothing is stored by then here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios.scheduling import YEARLY

NEGATIVE: dict[str, Any] = {
    "attempts": -1,
    "backoff": -5,
    "delay": -5,
    "keepLogs": -1,
    "priority": -1,
    "removeOnComplete": -1,
    "removeOnFail": {"count": -1},
    "stackTraceLimit": -1,
    "timestamp": -5,
    "deduplication": {"id": "d", "ttl": -1},
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of it.

    Attributes:
        why: as the parity page has it.
        refused: name -> a step that is refused here only.
        before: what makes it possible.
    """

    why: str
    refused: dict[str, Step]
    before: tuple[Step, ...] = ()


def _add(**opts: Any) -> Step:
    return ["add", "a", {}, opts]


def _template(**opts: Any) -> Step:
    return ["upsert", "s", {"pattern": YEARLY}, {"opts": opts}]


REFUSALS: dict[str, Refusal] = {
    "negative numbers": Refusal(
        "are refused, of which option ever: Node stores them, and what they do is chance",
        {name: _add(**{name: value}) for name, value in NEGATIVE.items()},
    ),
    "fractions": Refusal(
        "of attempts, of a ms or of a run are refused: Node stores them, and counts and runs in whole ones",
        {
            "attempts": _add(attempts=1.5),
            "delay": _add(delay=5.5),
            "every": ["upsert", "s", {"every": 60_000.5}],
            "limit": ["upsert", "s", {"every": 60_000, "limit": 1.5}],
        },
    ),
    "a size limit and a time to live of 0": Refusal(
        "are refused: Node takes both for none",
        {"sizeLimit": _add(sizeLimit=0), "ttl": _add(deduplication={"id": "d", "ttl": 0})},
    ),
    "a delay of centuries": Refusal(
        "is refused: its time is not a number that a score of `delayed` holds", {"delay": _add(delay=2**50)}
    ),
    "an empty id or name": Refusal(
        "is refused: Node takes an id for none, and lists a job without a name",
        {"jobId": _add(jobId=""), "name": ["add", "", {}]},
    ),
    "the names of a queue's own keys": Refusal(
        "are not valid job ids: Node writes the job over them, or where they lie later",
        {name: _add(jobId=name) for name in ("meta", "completed")},
    ),
    "a negative number for an id": Refusal(
        "is refused: Node takes its own answer for an error, but stores the job; -0 it takes",
        {name: _add(jobId=name) for name in ("-0", "-00")},
    ),
    "a global concurrency of 0": Refusal(
        "is refused: pause the queue instead", {"concurrency": ["setGlobalConcurrency", 0]}
    ),
    "a scheduler's template": Refusal(
        "has no ids, times, deduplication or parent, since its jobs have their own: Node stores them, and heeds none",
        {
            "jobId": _template(jobId="x"),
            "delay": _template(delay=50),
            "timestamp": _template(timestamp=5),
            "deduplication": _template(deduplication={"id": "d"}),
            "parent": _template(parent={"id": "p", "queue": "bull:q"}),
        },
        (["add", "p", {}, {"jobId": "p"}],),
    ),
}
