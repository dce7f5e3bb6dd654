"""What Redis knows of crons: their last runs and what they missed, for the command line and the board."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.redis import PipelinedConnection
from bullworks.schedule.journal.keys import NAMES
from bullworks.schedule.journal.scripts import CronView, read_cron


@dataclass(frozen=True, slots=True)
class Miss:
    """A tick that ran in no process; of a cron that is not distributed, in this process.

    Args:
        tick_ms: when it was due.
        instance: the process that says so, or that claimed it and died: host and process id.
    """

    tick_ms: int
    instance: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CronRecord:
    """The stored facts, runs and misses of a cron.

    Args:
        pattern: its expression and zone, when it last ran.
        started_at_ms, duration_ms: its last run; None means none is known.
        succeeded_at_ms: when the last run without an error began; None means none is known.
        result: "ok", "failed", "interrupted"; "" where none is known.
        error: what the last run raised, shortened.
        instance: the process of the last run: host and process id.
        next_ms: the tick after it, as that process saw it.
        misses: oldest first, the last 100.
        running_on: processes that run it now; of a distributed one only.
    """

    name: str
    pattern: str
    started_at_ms: int | None
    duration_ms: int | None
    succeeded_at_ms: int | None
    result: str
    error: str
    instance: str
    next_ms: int | None
    misses: Sequence[Miss]
    running_on: Sequence[str]


async def read_names(connection: PipelinedConnection) -> list[str]:
    """Read the names of all crons that have records."""
    return sorted(name.decode() for name in await connection.execute("ZRANGE", NAMES, 0, -1))


async def read_recent_names(connection: PipelinedConnection, most: int) -> tuple[list[str], int]:
    """Sort and limit names to those written last; also returns how many there are."""
    names, total = await asyncio.gather(
        connection.execute("ZREVRANGE", NAMES, 0, most - 1), connection.execute("ZCARD", NAMES)
    )
    return sorted(name.decode("utf-8", "replace") for name in names), total


async def read_record(connection: PipelinedConnection, name: str) -> CronRecord:
    """Read a cron's record; empty if unknown. Lists runs of dead processes as missed on the way."""
    return _record(name, await read_cron(connection, name))


def _record(name: str, view: CronView) -> CronRecord:
    state = view.state
    misses = [member.split("|", 2) for member in view.misses]
    return CronRecord(
        name=name,
        pattern=state.get("pattern", ""),
        started_at_ms=_int(state.get("started")),
        duration_ms=_int(state.get("duration")),
        succeeded_at_ms=_int(state.get("succeeded")),
        result=state.get("result", ""),
        error=state.get("error", ""),
        instance=state.get("instance", ""),
        next_ms=_int(state.get("next")),
        misses=[Miss(int(tick), instance, reason) for tick, instance, reason in misses],
        running_on=[member.split("|", 2)[2] for member in view.open],
    )


def _int(text: str | None) -> int | None:
    return int(text) if text else None
