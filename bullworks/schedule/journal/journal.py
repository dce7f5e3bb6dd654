"""Journal: who may run a tick, and what became of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from bullworks.schedule.clockwork.ticks import Ticks

log = logging.getLogger(__name__)


class Verdict(IntEnum):
    """The answer to a claim of a tick: whether this process may run it."""

    TAKEN = 0
    """Another process's, or expired."""
    OURS = 1
    EARLY = 2
    """Nobody's: it is not due yet by the clock of Redis."""
    LATE = 3
    """Nobody's: it is over by the clock of Redis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CronRun:
    """One run of a cron.

    Attributes:
        tick_ms: the tick it was for, ms since 1970; None means it was asked for by `fire_on_tick`.
        started_at_ms, duration_ms: when it began by the wall clock, and how long it took.
        error: what it raised.
    """

    tick_ms: int | None
    started_at_ms: int
    duration_ms: int
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class CronFacts:
    """The facts about a cron that are stored beside its runs.

    Args:
        has_own_name: it was given its name, rather than called after its method.
        threshold_ms: how late a tick may come up.
    """

    name: str
    ticks: Ticks
    is_distributed: bool
    has_own_name: bool
    threshold_ms: int = 250

    def gap_ms(self, tick_ms: int) -> int | None:
        """The time from a tick to the next, ms; None if there is no next."""
        next_ms = self.ticks.next_ms(tick_ms)
        return None if next_ms is None else next_ms - tick_ms


class Journal(Protocol):
    """Claims ticks, and stores runs and misses. Only `claim` may take time."""

    async def claim(self, cron: CronFacts, tick_ms: int, late_ms: int) -> Verdict:
        """Claim a distributed cron's tick, which is late by a given time; OURS: only this process runs it.

        Problems are reported here. One that is EARLY is to be asked for again once the shared clock shows it.
        """
        ...

    def ended(self, cron: CronFacts, run: CronRun) -> None:
        """Record a run that has ended."""

    def missed(self, cron: CronFacts, ticks_ms: Sequence[int], reason: str) -> None:
        """Record ticks, at least one, that do not run in this process."""


class LogJournal:
    """A journal without Redis: misses are logged, and a distributed cron never runs."""

    async def claim(self, cron: CronFacts, tick_ms: int, late_ms: int) -> Verdict:
        del tick_ms, late_ms
        log.error("cron %s is distributed and there is no Redis: it does not run", cron.name)
        return Verdict.TAKEN

    def ended(self, cron: CronFacts, run: CronRun) -> None:
        """Discard a run: without Redis, runs are not stored."""

    def missed(self, cron: CronFacts, ticks_ms: Sequence[int], reason: str) -> None:
        warn_of_misses(cron, ticks_ms, reason)


def warn_of_misses(cron: CronFacts, ticks_ms: Sequence[int], reason: str) -> None:
    """Log one warning about missed ticks, however many there are."""
    log.warning(
        "cron %s missed %s: %s",
        cron.name,
        count_ticks(ticks_ms),
        reason,
        extra={"job_name": cron.name, "first_tick_ms": ticks_ms[0], "last_tick_ms": ticks_ms[-1]},
    )


def count_ticks(ticks_ms: Sequence[int]) -> str:
    """Format a count of ticks: `a tick`, `3 ticks`."""
    return "a tick" if len(ticks_ms) == 1 else f"{len(ticks_ms)} ticks"
