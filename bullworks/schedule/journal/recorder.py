"""Recorder: writes runs and misses to Redis in the background. Redis being away delays records, and nothing else."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bullworks.redis import Argument, PipelinedConnection, RedisError, ServerError
from bullworks.schedule.journal.journal import CronFacts, count_ticks
from bullworks.schedule.journal.keys import NAMES
from bullworks.schedule.journal.scripts import LEASE_MS, CronScripts, Instance, Listing
from bullworks.tasks import wait_or_cancel

log = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[PipelinedConnection]]

# A process whose clock is behind may still be about to claim a tick that another one knows to be over.
LISTED_AFTER_S = 5.0
# Records of so many runs, and as many misses, wait for Redis to come back; then the oldest are dropped.
_MOST_WAITING = 10_000
# Several runs that end within so long leave in one write.
_GATHER_S = 0.05
# Records under way in one write.
_AT_ONCE = 500
_WILL_NOT_HEAL = frozenset({"ERR", "WRONGTYPE", "NOPERM"})
_RETRY_S = 1.0
_CLOSE_S = 2.0


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run that has ended, to be written.

    Args:
        claimed_tick_ms: its tick, if it was claimed.
        fields: what the cron's state says from now on.
    """

    cron: CronFacts
    claimed_tick_ms: int | None
    gap_ms: int | None
    fields: Mapping[str, Argument]


@dataclass(frozen=True, slots=True)
class MissRecord:
    """Missed ticks to be written at a given time of the event loop.

    Args:
        level: of the log line that says a distributed cron's ticks ran nowhere.
    """

    cron: CronFacts
    ticks_ms: Sequence[int]
    reason: str
    at_s: float
    level: int


class Recorder:
    """Writes runs and misses to Redis, in a task that lives while there is something to write.

    Args:
        connect: gives the connection, making it if need be.
        instance: this process.
    """

    def __init__(self, connect: Connect, instance: Instance) -> None:
        self.connect = connect
        self.instance = instance
        self._runs: dict[tuple[str, int | None], RunRecord] = {}
        self._misses: list[MissRecord] = []
        self._held: dict[tuple[str, int], CronFacts] = {}
        self._named: set[str] = set()
        self._new = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_away = False
        self._is_closing = False

    def run(self, record: RunRecord) -> None:
        """Record a run. Of a cron's unclaimed runs only the latest is written."""
        self._held.pop((record.cron.name, record.claimed_tick_ms or 0), None)
        key = (record.cron.name, record.claimed_tick_ms)
        self._runs.pop(key, None)
        self._runs[key] = record
        if len(self._runs) > _MOST_WAITING:
            del self._runs[next(iter(self._runs))]
        self._wake()

    def miss(self, cron: CronFacts, ticks_ms: Sequence[int], reason: str, level: int = logging.WARNING) -> None:
        """Record missed ticks; those of a distributed cron once it is certain that no process runs them.

        Args:
            level: of the log line that says so: a warning where the service itself was paused.
        """
        delay_s = LISTED_AFTER_S if cron.is_distributed else 0
        self._misses.append(MissRecord(cron, ticks_ms, reason, _soon_s(delay_s), level))
        del self._misses[:-_MOST_WAITING]
        self._wake()

    def hold(self, cron: CronFacts, tick_ms: int) -> None:
        """Renew the lease of a claimed run until the run is written."""
        self._held[cron.name, tick_ms] = cron
        self._wake()

    def has(self, name: str, tick_ms: int) -> bool:
        """Whether the run of this tick is in progress here, or is not written yet."""
        return (name, tick_ms) in self._held or (name, tick_ms) in self._runs

    async def close(self) -> None:
        """Write what is left, if Redis is available, and stop."""
        self._is_closing = True
        self._held.clear()
        if self._task is None:
            return
        self._new.set()
        if not await wait_or_cancel((self._task,), _CLOSE_S):
            log.warning("records of %d runs and %d misses were not written", len(self._runs), len(self._misses))
        self._task = None

    def _wake(self) -> None:
        self._new.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write(), name="schedule-records")

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        renew_at_s = 0.0
        while self._runs or self._misses or self._held:
            if not self._is_closing:
                await asyncio.sleep(_GATHER_S)
            self._new.clear()
            try:
                connection = await self.connect()
                scripts = CronScripts(connection, self.instance)
                # What comes up meanwhile waits for the next round: nothing is written whose name is not.
                runs, misses = list(self._runs.items()), self._due_misses()
                await self._write_names(connection, [*(run for _, run in runs), *misses])
                await self._write_runs(scripts, runs)
                await self._write_misses(scripts, misses)
                if self._held and loop.time() >= renew_at_s:
                    await self._renew(scripts)
                    renew_at_s = loop.time() + LEASE_MS / 3000
            except RedisError as error:
                self._say_away(error)
                if self._is_closing:
                    return
                await asyncio.sleep(_RETRY_S)
            else:
                self._is_away = False
                await self._pause(renew_at_s)

    async def _pause(self, renew_at_s: float) -> None:
        """Until there is something new, or a miss or a lease is due."""
        due_s = [miss.at_s for miss in self._misses] + ([renew_at_s] if self._held else [])
        if due_s and not self._is_closing:
            try:
                async with asyncio.timeout_at(min(due_s)):
                    await self._new.wait()
            except TimeoutError:
                pass

    def _due_misses(self) -> list[MissRecord]:
        now_s = asyncio.get_running_loop().time()
        return [miss for miss in self._misses if self._is_closing or miss.at_s <= now_s]

    async def _write_names(self, connection: PipelinedConnection, records: Sequence[RunRecord | MissRecord]) -> None:
        """Once in the life of this process for each cron."""
        new = {record.cron.name for record in records} - self._named
        if new:
            now_ms = time.time_ns() // 1_000_000
            await connection.execute("ZADD", NAMES, *(part for name in new for part in (now_ms, name)))
            self._named |= new

    async def _write_runs(
        self, scripts: CronScripts, records: Sequence[tuple[tuple[str, int | None], RunRecord]]
    ) -> None:
        for start in range(0, len(records), _AT_ONCE):
            part = records[start : start + _AT_ONCE]
            writes = [
                scripts.record_run(run.cron.name, run.claimed_tick_ms, gap_ms=run.gap_ms, fields=run.fields)
                for _, run in part
            ]
            for (key, record), outcome in zip(part, await asyncio.gather(*writes, return_exceptions=True), strict=True):
                _check(outcome, record.cron)
                # a later run of the cron may have taken its place meanwhile
                if self._runs.get(key) is record:
                    del self._runs[key]

    async def _write_misses(self, scripts: CronScripts, misses: Sequence[MissRecord]) -> None:
        for miss in misses:
            cron, ticks_ms = miss.cron, miss.ticks_ms
            (outcome,) = await asyncio.gather(
                scripts.list_misses(
                    cron.name,
                    ticks_ms,
                    miss.reason,
                    is_distributed=cron.is_distributed,
                    gap_ms=cron.gap_ms(ticks_ms[-1]),
                    within_ms=cron.threshold_ms,
                ),
                return_exceptions=True,
            )
            _check(outcome, cron)
            if miss in self._misses:  # else it was too old to be kept
                self._misses.remove(miss)
            if not isinstance(outcome, Listing):
                continue
            if outcome.early and not self._is_closing:  # our clock was ahead: another process may still claim them
                self._misses.append(MissRecord(cron, outcome.early, miss.reason, _soon_s(), miss.level))
            if cron.is_distributed and outcome.listed:
                log.log(
                    miss.level,
                    "cron %s: %s ran in no process: %s",
                    cron.name,
                    count_ticks(outcome.listed),
                    miss.reason,
                    extra={"job_name": cron.name, "ticks_ms": outcome.listed},
                )

    async def _renew(self, scripts: CronScripts) -> None:
        for (name, tick_ms), cron in list(self._held.items()):
            gap_ms = cron.gap_ms(tick_ms)
            await scripts.claim_tick(name, tick_ms, pattern=cron.ticks.pattern, gap_ms=gap_ms)

    def _say_away(self, error: RedisError) -> None:
        if not self._is_away:
            log.warning("records of crons are waiting for Redis: %s", error)
        self._is_away = True


def _soon_s(delay_s: float | None = None) -> float:
    """So long from now, by the event loop's clock."""
    return asyncio.get_running_loop().time() + (LISTED_AFTER_S if delay_s is None else delay_s)


def _check(outcome: object, cron: CronFacts) -> None:
    """Raises what may heal by itself; what will not costs the one record."""
    if isinstance(outcome, ServerError) and outcome.code in _WILL_NOT_HEAL:
        log.error("cron %s: its record can't be written: %s", cron.name, outcome)
    elif isinstance(outcome, BaseException):
        raise outcome
