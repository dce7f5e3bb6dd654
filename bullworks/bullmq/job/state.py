"""The states a job may be in, by BullMQ's public names, and the key that holds the ids of each."""

from collections.abc import Iterable
from typing import Literal, cast

from bullworks.bullmq.errors import InvalidOptionError

JobState = Literal["waiting", "active", "delayed", "prioritized", "completed", "failed", "waiting-children", "unknown"]
"""What `Job.get_state` answers; `unknown`: it was removed."""

ListedState = Literal[
    "waiting", "wait", "paused", "active", "delayed", "prioritized", "completed", "failed", "waiting-children"
]
"""What can be listed and counted: `wait` is short for `waiting`, `paused` BullMQ 5's list of that name."""

FinishedState = Literal["completed", "failed"]

SUFFIXES: dict[str, str] = {
    "waiting": "wait",
    "wait": "wait",
    "paused": "paused",
    "active": "active",
    "delayed": "delayed",
    "prioritized": "prioritized",
    "completed": "completed",
    "failed": "failed",
    "waiting-children": "waiting-children",
}
LIST_SUFFIXES = frozenset({"wait", "paused", "active"})
"""Lists, with the next job out at the tail; the others are sorted sets, lowest score first."""

ALL_STATES: tuple[ListedState, ...] = (
    "active", "completed", "delayed", "failed", "prioritized", "waiting", "waiting-children",
)  # fmt: skip
"""What Node's getJobs() and getJobCounts() take without arguments, in their order."""

WAITING_STATES: tuple[ListedState, ...] = ("waiting", "delayed", "prioritized", "waiting-children")
"""Of jobs that are still to run: what Node's `count()` adds up."""

CLEANABLE_STATES = frozenset(SUFFIXES) - {"waiting-children"}
FINISHED_STATES = frozenset({"completed", "failed"})


def checked_suffix(state: object, known: Iterable[str] = SUFFIXES) -> str:
    """Convert a state named by a user to the suffix of its Redis key.

    Raises:
        InvalidOptionError: it is none of `known`; the near name is named.
    """
    if not isinstance(state, str):
        raise InvalidOptionError("state", f"must be a string, not {state!r}")
    if state not in known:
        raise InvalidOptionError.unknown(f"state {state}", [f"state {name}" for name in known])
    return SUFFIXES[state]


def state_of(suffix: bytes | None) -> JobState:
    """Convert a script's state to its public name."""
    if suffix is None:
        return "unknown"
    name = suffix.decode()
    return cast(JobState, "waiting" if name in {"wait", "paused"} else name)
