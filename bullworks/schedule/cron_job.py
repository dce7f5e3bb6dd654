"""CronJob: one cron, to be started, stopped and asked."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bullworks.bullmq import Duration, to_ms
from bullworks.schedule.clockwork.clock import SystemClock
from bullworks.schedule.clockwork.cron_timer import CronTimer
from bullworks.schedule.clockwork.runner import Callback, Runner
from bullworks.schedule.clockwork.ticks import Ticks, ticks_of
from bullworks.schedule.clockwork.timers import Timer
from bullworks.schedule.clockwork.timetable import Timetable
from bullworks.schedule.errors import BadExpressionError, JobOptionError
from bullworks.schedule.journal.journal import CronFacts, CronRun, Journal, Verdict

log = logging.getLogger(__name__)

# Of the ticks passed over at once, by a clock set forward or a loop that stood still: each of a distributed cron's is
# listed, up to here; of a local one's the first says it.
_MOST_NAMED = 100


@dataclass(slots=True)
class JobRuntime:
    """The shared runtime of a registry's jobs."""

    timetable: Timetable
    runner: Runner
    journal: Journal


class CronJob:
    """A callback with its schedule. It runs once started, in a registry of a running application.

    Args:
        expression: as for `@cron`; a datetime is one run.
        on_tick: takes no arguments; async, or sync, which runs in a thread.
        name: given by the registry unless here.
        time_zone, utc_offset, wait_for_completion, threshold, initial_delay, distributed: as for `@cron`.

    Raises:
        BadExpressionError: it can never run, or the zone is unknown.
        JobOptionError: an option can't be used.
    """

    def __init__(
        self,
        expression: str | datetime,
        on_tick: Callback,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        utc_offset: int | None = None,
        wait_for_completion: bool = False,
        threshold: Duration = 250,
        initial_delay: Duration = 0,
        distributed: bool = False,
    ) -> None:
        where = name if name is not None else str(getattr(on_tick, "__qualname__", "a CronJob"))
        self.name = name
        self.on_tick = on_tick
        self.wait_for_completion = wait_for_completion
        self.distributed = distributed
        self.has_own_name = name is not None
        self._threshold_ms = _ms(where, "threshold", threshold)
        self._initial_delay_ms = _ms(where, "initial_delay", initial_delay)
        self._ticks = _ticks(where, expression, time_zone, utc_offset, name)
        self._runtime: JobRuntime | None = None
        self._beat: CronTimer | None = None
        self._again: list[Timer] = []
        self._stops = 0
        self._is_active = False
        self._has_begun = False
        self._has_come_up = False
        self._running = 0
        self._last_ms: int | None = None

    def __repr__(self) -> str:
        return f"<CronJob {self.name}, {self._ticks.pattern!r}, {'active' if self._is_active else 'stopped'}>"

    @property
    def expression(self) -> str:
        """The cron expression, or the date in ISO form."""
        return self._ticks.expression

    @property
    def time_zone(self) -> str | None:
        """The zone's name, `UTC+05:30` for an offset; None means the process's own."""
        return self._ticks.zone

    @property
    def is_active(self) -> bool:
        """Whether the job was started and has a tick to come."""
        return self._is_active

    @property
    def is_callback_running(self) -> bool:
        """Whether a run is in progress in this process."""
        return self._running > 0

    @property
    def facts(self) -> CronFacts:
        """The facts that the journal stores about the cron."""
        return CronFacts(self.name or "", self._ticks, self.distributed, self.has_own_name, self._threshold_ms)

    def start(self) -> None:
        """Start the job: it runs at each tick from now on. Starting twice is fine."""
        if self._is_active:
            return
        self._is_active = True
        if self._runtime is not None and self._runtime.timetable.is_open:
            self.begin()

    def stop(self) -> None:
        """Stop the job: no more runs start; one in progress finishes."""
        self._is_active = False
        self._stop_waiting()

    def set_time(
        self, expression: str | datetime, *, time_zone: str | None = None, utc_offset: int | None = None
    ) -> None:
        """Change the job's schedule.

        Raises:
            BadExpressionError: it can never run, or the zone is unknown; nothing has changed then.
        """
        self._ticks = _ticks(self.name or "a CronJob", expression, time_zone, utc_offset, self.name)
        self._stop_waiting()
        if self._beat is not None:
            self._beat.ticks = self._ticks
            if self._is_active:
                self._beat.start()

    def last_date(self) -> datetime | None:
        """The start of the last run in this process, in the job's zone."""
        return None if self._last_ms is None else self._ticks.date(self._last_ms)

    def next_date(self) -> datetime | None:
        """The next tick, whether or not the job is started; None if there is none."""
        return next(iter(self.next_dates(1)), None)

    def next_dates(self, count: int = 1) -> list[datetime]:
        """Compute the next ticks, up to `count`."""
        dates: list[datetime] = []
        tick_ms = self._ticks.next_ms(self._now_ms())
        while tick_ms is not None and len(dates) < count:
            dates.append(self._ticks.date(tick_ms))
            tick_ms = self._ticks.next_ms(tick_ms)
        return dates

    async def fire_on_tick(self) -> CronRun:
        """Run the job once now, outside its schedule and without a claim; returns once it has ended.

        An error is logged and reported as any run's, and is in what this returns.
        """
        return await self._run(None)

    def fire_soon(self) -> asyncio.Task[CronRun] | None:
        """Run the job once in a task, for which the schedule waits at its end.

        None means it does not run now: its schedule is not open, or its run before is going on and it waits for that.
        """
        runtime = self._runtime
        if runtime is None or not runtime.timetable.is_open or (self.wait_for_completion and self.is_callback_running):
            return None
        self._running += 1
        return runtime.runner.start(f"cron {self.name}", self._run_counted(None))

    # What the registry calls.

    def attach(self, runtime: JobRuntime | None) -> None:
        """Join a registry, or leave it."""
        self._stop_waiting()
        self._runtime, self._beat = runtime, None
        if runtime is not None:
            self._beat = CronTimer(
                self._ticks,
                threshold_ms=self._threshold_ms,
                most_named=_MOST_NAMED if self.distributed else 1,
                timetable=runtime.timetable,
                listener=self,
                is_shared=self.distributed,
            )
            if self._is_active and runtime.timetable.is_open:
                self.begin()

    def begin(self) -> None:
        """Wait for the first tick, if the job was started."""
        if self._beat is not None and self._is_active:
            delay_ms, self._has_begun = 0 if self._has_begun else self._initial_delay_ms, True
            self._beat.start(delay_ms)

    # What the beat calls.

    def tick(self, tick_ms: int, late_ms: int) -> None:
        if self._runtime is None:
            return
        self._has_come_up = True
        # Of a distributed cron's tick Redis says whether it is late, by its own clock.
        if not self.distributed and late_ms > self._threshold_ms:
            self._runtime.journal.missed(self.facts, [tick_ms], _late(late_ms))
        elif self.wait_for_completion and self.is_callback_running:
            log.info("cron %s skips a tick: the previous run is still in progress", self.name)
        elif self.distributed:
            self._runtime.runner.start(f"cron {self.name}", self._claim_and_run(tick_ms, late_ms))
        else:
            self._running += 1
            self._runtime.runner.start(f"cron {self.name}", self._run_counted(tick_ms))

    def passed(self, ticks_ms: list[int], late_ms: int) -> None:
        if self._runtime is not None:
            self._runtime.journal.missed(self.facts, ticks_ms, _late(late_ms))

    def ran_out(self) -> None:
        self._is_active = False
        if not self._has_come_up:
            log.warning("cron %s never runs: %s is past", self.name, self._ticks.expression)

    # Inside.

    def _stop_waiting(self) -> None:
        if self._beat is not None:
            self._beat.stop()
        self._stops += 1
        for timer in self._again:
            timer.cancel()
        self._again = []

    async def _claim_and_run(self, tick_ms: int, late_ms: int) -> None:
        runtime = self._runtime
        if runtime is None:
            return
        stops = self._stops
        verdict = await runtime.journal.claim(self.facts, tick_ms, late_ms)
        if verdict is Verdict.OURS:
            await self._run(tick_ms)
        elif verdict is Verdict.EARLY and self._stops == stops:
            waiting = [timer for timer in self._again if not timer.is_over]
            self._again = [*waiting, runtime.timetable.at_shared(tick_ms, _Again(self, tick_ms))]

    async def _run(self, tick_ms: int | None) -> CronRun:
        self._running += 1
        return await self._run_counted(tick_ms)

    async def _run_counted(self, tick_ms: int | None) -> CronRun:
        """One run, counted from the moment it was sure to come."""
        clock = SystemClock() if self._runtime is None else self._runtime.timetable.clock
        runner = Runner() if self._runtime is None else self._runtime.runner
        started_at_ms, started_ms = clock.wall_ms(), clock.steady_ms()
        self._last_ms = started_at_ms
        error: BaseException | None = None
        try:
            error = await runner.call(f"cron {self.name}", self.on_tick)
        except asyncio.CancelledError as cancelled:
            error = cancelled
            raise
        finally:
            self._running -= 1
            run = CronRun(
                tick_ms=tick_ms,
                started_at_ms=started_at_ms,
                duration_ms=clock.steady_ms() - started_ms,
                error=error,
            )
            if self._runtime is not None:
                self._runtime.journal.ended(self.facts, run)
        return run

    def _now_ms(self) -> int:
        return (SystemClock() if self._runtime is None else self._runtime.timetable.clock).wall_ms()


class _Again:
    """A tick that was asked for too early, by a clock that is ahead of Redis's, and is asked for once more."""

    __slots__ = ("_job", "_tick_ms")

    def __init__(self, job: CronJob, tick_ms: int) -> None:
        self._job = job
        self._tick_ms = tick_ms

    def fire(self, due_ms: int) -> None:
        del due_ms
        self._job.tick(self._tick_ms, late_ms=0)

    def rearm(self) -> None:
        """Once is all."""

    def clock_set_back(self) -> None:
        """It waits for its tick."""


def _late(late_ms: int) -> str:
    return f"came up {late_ms} ms late"


def _ms(where: str, option: str, value: object) -> int:
    try:
        return to_ms(value, option)
    except ValueError as error:
        raise JobOptionError(where, f"{option}={value!r}", str(error)) from None


def _ticks(where: str, expression: Any, time_zone: str | None, utc_offset: int | None, seed: str | None) -> Ticks:
    try:
        return ticks_of(expression, time_zone=time_zone, utc_offset=utc_offset, seed=seed)
    except ValueError as error:
        raise BadExpressionError(where, f"cron {expression!r}", str(error)) from None
