"""Distributed crons go by the clock of Redis, whatever the machine's shows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.schedule import CronJob, SchedulerRegistry
from bullworks.schedule.clockwork.clock import SystemClock
from bullworks.schedule.clockwork.shared_clock import SharedClock
from bullworks.schedule.journal.records import read_record
from bullworks.schedule.journal.redis_journal import RedisJournal
from bullworks.schedule.journal.scripts import Instance
from bullworks.schedule.journal.time_probe import TimeProbe
from tests.bullworks.schedule.fake_clock import NOON_MS, FakeClock
from tests.bullworks.waiting import eventually

Start = Callable[..., Awaitable["Process"]]


class SkewedClock(SystemClock):
    """The machine's, off by so much."""

    def __init__(self, off_ms: int) -> None:
        self.off_ms = off_ms

    def wall_ms(self) -> int:
        return super().wall_ms() + self.off_ms


class Process:
    """One cron of every second, with a clock of its own; when its runs began, by the clock of Redis."""

    def __init__(self, name: str, url: str, off_ms: int, threshold_ms: int) -> None:
        self.started_ms: list[int] = []
        self.clock = SkewedClock(off_ms)
        self.registry = SchedulerRegistry(self.clock)
        self._connection = connection_to(Endpoint.of(url))
        self.probe = TimeProbe(self._connect, self.registry.shared_clock)
        instance = Instance(f"{off_ms}-{id(self)}", f"{off_ms}:1")
        self.journal = RedisJournal(
            self._connect, records_all=True, instance=instance, clock=self.registry.shared_clock
        )
        self.registry.use(self.journal, None)
        job = CronJob("* * * * * *", self._run, name=name, distributed=True, threshold=threshold_ms)
        self.registry.adopt(name, job)
        job.start()

    async def close(self) -> None:
        await self.probe.close()
        await self.registry.close(1)
        await self.journal.close()
        await self._connection.close()

    async def _connect(self) -> PipelinedConnection:
        return self._connection

    async def _run(self) -> None:
        # the server is on this machine
        self.started_ms.append(time.time_ns() // 1_000_000)


@pytest.fixture
async def start(redis_url: str, key_prefix: str) -> AsyncIterator[Start]:
    """Start a process whose clock is off."""
    processes: list[Process] = []

    async def started(off_ms: int, *, asks_first: bool = True, threshold_ms: int = 900) -> Process:
        process = Process(key_prefix, redis_url, off_ms, threshold_ms)
        processes.append(process)
        if asks_first:
            await process.probe.ask()
        process.registry.open()
        return process

    yield started
    for process in processes:
        await process.close()


async def misses_of(redis_url: str, name: str) -> list[int]:
    connection = connection_to(Endpoint.of(redis_url))
    try:
        return [miss.tick_ms for miss in (await read_record(connection, name)).misses]
    finally:
        await connection.close()


@pytest.fixture(autouse=True)
def listed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bullworks.schedule.journal.recorder.LISTED_AFTER_S", 0.05)


@pytest.mark.parametrize("asks_first", [True, False])
@pytest.mark.parametrize("off_ms", [1_700, 3_600_000])
async def test_a_clock_that_is_ahead_takes_and_marks_nothing_before_it_is_due(
    start: Start, redis_url: str, key_prefix: str, off_ms: int, asks_first: bool
) -> None:
    begun_ms = time.time_ns() // 1_000_000
    process = await start(off_ms, asks_first=asks_first)
    await eventually(lambda: len(process.started_ms) >= 2, within_s=20)
    ended_ms = time.time_ns() // 1_000_000
    ticks = [started_ms // 1_000 for started_ms in process.started_ms]
    assert len(set(ticks)) == len(ticks)  # a run of a tick that is to come would share its second with the one before
    assert ticks == sorted(ticks)
    misses = await misses_of(redis_url, key_prefix)
    assert all(begun_ms - 1_000 < tick_ms < ended_ms - 900 for tick_ms in misses)
    assert not {tick_ms // 1_000 for tick_ms in misses} & set(ticks)


@pytest.mark.parametrize("off_ms", [-1_000, -3_600_000])
async def test_a_clock_that_is_behind_is_on_time_all_the_same(start: Start, off_ms: int) -> None:
    process = await start(off_ms)
    await eventually(lambda: len(process.started_ms) >= 2, within_s=20)


async def test_one_process_that_is_ahead_and_late_costs_the_others_nothing(
    start: Start, redis_url: str, key_prefix: str
) -> None:
    """Its ticks came up 1 s early; each time its loop stood still for longer than the threshold."""
    healthy, ahead = await start(0), await start(1_000, asks_first=False, threshold_ms=900)
    for _ in range(6):
        await asyncio.sleep(0.2)
        ahead.clock.off_ms += 1_000  # as if it had stood still: all it waits for is late by more than the threshold
    both = healthy.started_ms, ahead.started_ms
    await eventually(lambda: sum(map(len, both)) >= 3, within_s=20)
    ticks = sorted(started_ms // 1_000 for started_ms in (*both[0], *both[1]))
    assert len(set(ticks)) == len(ticks)
    now_ms = time.time_ns() // 1_000_000
    misses = await misses_of(redis_url, key_prefix)
    assert all(tick_ms < now_ms - 900 and tick_ms // 1_000 not in ticks for tick_ms in misses)


async def test_a_tick_asked_for_too_early_is_given_up_when_the_job_is_stopped(start: Start, key_prefix: str) -> None:
    process = await start(60_000, asks_first=False)
    job = process.registry.get_cron_job(key_prefix)
    await eventually(lambda: bool(job._again), within_s=20)
    job.stop()
    assert job._again == []


# The clock itself.


def test_until_redis_has_answered_it_is_the_machines(clock: FakeClock) -> None:
    shared = SharedClock(clock)
    clock.set_wall(5_000)
    assert shared.now_ms() == clock.wall_ms() == NOON_MS + 5_000


def test_then_it_is_that_of_redis_and_no_setting_of_the_machines_moves_it(clock: FakeClock) -> None:
    moves: list[int] = []
    shared = SharedClock(clock, lambda: moves.append(1))
    shared.heard(NOON_MS - 1_000, shared.asked_ms())
    assert shared.now_ms() == NOON_MS - 1_000
    clock.set_wall(3_600_000)
    clock.stall_now(10)
    assert shared.now_ms() == NOON_MS - 990
    assert len(moves) == 1


def test_a_slow_answer_moves_it_no_further_than_it_must(clock: FakeClock) -> None:
    shared = SharedClock(clock)
    shared.heard(NOON_MS, shared.asked_ms())
    asked_ms = shared.asked_ms()
    clock.stall_now(800)
    shared.heard(NOON_MS + 400, asked_ms)  # somewhere in these 800 ms
    assert shared.now_ms() == NOON_MS + 800
    asked_ms = shared.asked_ms()
    clock.stall_now(100)
    shared.heard(NOON_MS + 1_500, asked_ms)  # it is ahead of what was thought
    assert shared.now_ms() == NOON_MS + 1_500
    asked_ms = shared.asked_ms()
    clock.stall_now(100)
    shared.heard(NOON_MS + 1_000, asked_ms)  # another server now, with a clock of its own
    assert shared.now_ms() == NOON_MS + 1_101


@pytest.mark.parametrize(("off_ms", "said"), [(700, "0.7 s ahead of"), (-90_000, "90.0 s behind"), (400, None)])
def test_a_machine_whose_clock_is_off_is_told_so_once_an_hour(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, off_ms: int, said: str | None
) -> None:
    caplog.set_level(logging.WARNING)
    shared = SharedClock(clock)
    for minutes in range(61):
        shared.heard(NOON_MS - off_ms + minutes * 60_000, shared.asked_ms())
        clock.stall_now(60_000)
    text = (
        f"the clock of this machine is {said} that of Redis: distributed crons go by Redis, all others by this one; "
        "set both by NTP"
    )
    assert caplog.messages == ([] if said is None else [text, text])


async def test_a_machine_whose_clock_was_set_asks_at_once(start: Start) -> None:
    process = await start(0)
    process.probe.start()
    process.probe.start()
    assert not process.registry.shared_clock.doubted.is_set()
    asked: list[int] = []
    process.registry.shared_clock.heard = lambda *heard: asked.append(1)  # type: ignore[method-assign,misc]
    process.clock.off_ms += 5_000
    await eventually(lambda: bool(asked), within_s=10)
