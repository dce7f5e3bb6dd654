"""The crons of the fleet: what is recorded of each, and those of this process."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.board.board import Board
from bullworks.board.reaching import reaching_all
from bullworks.redis import PipelinedConnection, RedisError
from bullworks.schedule import CronJob
from bullworks.schedule.clockwork.ticks import Ticks, ticks_of
from bullworks.schedule.journal.keys import checked_name
from bullworks.schedule.journal.records import CronRecord, read_recent_names, read_record

_MOST_FIELDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCron:
    """A cron as the board displays it.

    Attributes:
        expression, zone: zone is "" for that of the process.
        record: its last run and what it missed; None means nothing is recorded, or it cannot be read.
        job: that of this process; None means it is elsewhere.
        next_ms: its next tick; None means there is none, or it is unknown.
        problem: why its record cannot be read.
    """

    name: str
    expression: str
    zone: str = ""
    record: CronRecord | None = None
    job: CronJob | None = None
    next_ms: int | None = None
    problem: str | None = None


async def read_crons(board: Board, most: int) -> tuple[list[ShownCron], int, str | None]:
    """Read crons by name, the number of recorded names, and the reason if they cannot be read.

    Args:
        most: names that are looked at; those of this process come besides.
    """
    jobs = {} if board.crons is None else board.crons.get_cron_jobs()
    home, now_ms = board.home(), time.time_ns() // 1_000_000
    if home is None:
        return [_describe(name, None, jobs[name], None, now_ms) for name in sorted(jobs)], 0, None
    async with reaching_all(home) as connection:
        try:
            recorded, total = await read_recent_names(connection, most)
        except RedisError as error:
            return [_describe(name, None, jobs[name], None, now_ms) for name in sorted(jobs)], 0, str(error)
        names = sorted({*recorded, *jobs})
        read = await asyncio.gather(*(_read(connection, name) for name in names))
    shown = [
        _describe(name, found if isinstance(found, CronRecord) else None, jobs.get(name), found, now_ms)
        for name, found in zip(names, read, strict=True)
    ]
    # of a cron that was taken out of the code nothing but its name may be left
    return [cron for cron in shown if cron.job or cron.problem or _says_something(cron.record)], total, None


async def _read(connection: PipelinedConnection, name: str) -> CronRecord | str:
    try:
        return await read_record(connection, checked_name(name))
    except (RedisError, ValueError) as error:  # the others are shown
        return str(error)


def _says_something(record: CronRecord | None) -> bool:
    return record is not None and (record.started_at_ms is not None or bool(record.misses) or bool(record.running_on))


def _describe(
    name: str, record: CronRecord | None, job: CronJob | None, found: CronRecord | str | None, now_ms: int
) -> ShownCron:
    problem = found if isinstance(found, str) else None
    if job is not None:
        ticks: Ticks | None = job.facts.ticks
        next_ms = job.facts.ticks.next_ms(now_ms) if job.is_active else None
        expression, zone = job.expression, job.time_zone or ""
    else:
        ticks = None if record is None else _ticks(record.pattern, name)
        expression = "" if record is None else record.pattern
        zone = ""
        if ticks is not None:
            expression, zone = ticks.expression, ticks.zone or ""
        next_ms = None if record is None or record.next_ms is None or record.next_ms <= now_ms else record.next_ms
        if next_ms is None and ticks is not None:
            next_ms = ticks.next_ms(now_ms)
    return ShownCron(
        name=name, expression=expression, zone=zone, record=record, job=job, next_ms=next_ms, problem=problem
    )


def _ticks(pattern: str, name: str) -> Ticks | None:
    """Expression and zone of a recorded pattern, in which the zone stands last; None means it is none, or a date."""
    words: Sequence[str] = pattern.split()
    tries: list[tuple[str, str | None]] = [(pattern, None)]
    if 1 < len(words) <= _MOST_FIELDS + 1:
        tries.append((" ".join(words[:-1]), words[-1]))
    for expression, zone in tries:
        try:
            return ticks_of(expression, time_zone=zone, seed=name)
        except ValueError:
            continue
    return None
