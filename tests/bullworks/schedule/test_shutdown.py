"""What runs when the application stops: it ends within the grace time, or is cut off."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from bullworks.core import Application
from bullworks.schedule import CronJob, SchedulerRegistry, cron, interval, timeout
from tests.bullworks.waiting import eventually

Create = Callable[..., Application]
RARELY = "0 0 1 1 *"


class Slow:
    """Runs until it is told to end."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.end = asyncio.Event()
        self.said: list[str] = []

    async def run(self) -> None:
        self.began.set()
        try:
            await self.end.wait()
            self.said.append("ended")
        except asyncio.CancelledError:
            self.said.append("cancelled")
            raise


async def running(app: Application, slow: Slow, *, name: str = "slow") -> None:
    """Have a timeout run it."""
    app.get(SchedulerRegistry).add_timeout(name, slow.run, 0)
    await asyncio.wait_for(slow.began.wait(), 5)


async def test_a_running_callback_is_awaited(application: Create) -> None:
    slow = Slow()
    app = await application()
    await running(app, slow)
    closing = asyncio.create_task(app.close())
    await asyncio.sleep(0)
    assert not closing.done()
    slow.end.set()
    await asyncio.wait_for(closing, 5)
    assert slow.said == ["ended"]


async def test_past_the_grace_time_it_is_cancelled_and_named(
    application: Create, caplog: pytest.LogCaptureFixture
) -> None:
    slow = Slow()
    app = await application(shutdown_grace=20)
    await running(app, slow)
    await asyncio.wait_for(app.close(), 5)
    assert slow.said == ["cancelled"]
    assert "timeout slow did not end in time, cancelled" in caplog.messages


async def test_a_forced_shutdown_waits_no_longer(application: Create) -> None:
    slow = Slow()
    app = await application(shutdown_grace=60_000)
    await running(app, slow)
    closing = asyncio.create_task(app.close())
    await asyncio.sleep(0)
    app._shutdown.forced.set()
    await asyncio.wait_for(closing, 5)
    assert slow.said == ["cancelled"]


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Ends threads that a test leaves behind."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_thread_cannot_be_cancelled_and_is_left(
    application: Create, caplog: pytest.LogCaptureFixture, let_go: threading.Event
) -> None:
    began = threading.Event()

    def block() -> None:
        began.set()
        let_go.wait(20)

    app = await application(shutdown_grace=20)
    app.get(SchedulerRegistry).add_timeout("block", block, 0)
    await eventually(began.is_set)
    await asyncio.wait_for(app.close(), 5)
    assert "timeout block did not end in time; its thread is still running" in caplog.messages


async def test_nothing_starts_any_more(application: Create) -> None:
    slow, late = Slow(), []
    app = await application()
    registry = app.get(SchedulerRegistry)
    registry.add_interval("often", lambda: late.append(time.monotonic()), 5)
    await running(app, slow)
    closing = asyncio.create_task(app.close())
    await asyncio.sleep(0.05)
    seen = len(late)
    await asyncio.sleep(0.05)
    assert len(late) == seen
    slow.end.set()
    await closing


async def test_one_that_ignores_its_cancellation_does_not_hold_the_end_up_for_long(
    application: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bullworks.schedule.clockwork.runner._CANCELLED_S", 0.05)
    began, end = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        began.set()
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue

    app = await application(shutdown_grace=10)
    app.get(SchedulerRegistry).add_timeout("stubborn", stubborn, 0)
    await asyncio.wait_for(began.wait(), 5)
    await asyncio.wait_for(app.close(), 5)
    end.set()


async def test_an_error_hook_that_fails_harms_nothing(application: Create, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    async def hook(error: Exception) -> None:
        raise RuntimeError("the hook, too") from error

    def fail() -> None:
        raise ValueError("no")

    async with await application(on_error=hook) as app:
        registry = app.get(SchedulerRegistry)
        registry.add_cron_job("fail", CronJob(RARELY, fail))
        for _ in range(2):
            assert isinstance((await registry.get_cron_job("fail").fire_on_tick()).error, ValueError)
    assert caplog.messages.count("the error hook failed on what cron fail raised") == 2


async def test_a_function_that_gives_a_coroutine_is_awaited(application: Create) -> None:
    ran: list[str] = []

    async def work(name: str) -> None:
        ran.append(name)

    async with await application() as app:
        job = CronJob(RARELY, lambda: work("by lambda"))
        app.get(SchedulerRegistry).add_cron_job("work", job)
        await job.fire_on_tick()
    assert ran == ["by lambda"]


async def test_a_closed_application_leaves_an_empty_registry(application: Create) -> None:
    class Host:
        @cron(RARELY, name="yearly")
        async def yearly(self) -> None: ...

        @interval("poll", 60_000)
        async def poll(self) -> None: ...

        @timeout("late", 60_000)
        async def late(self) -> None: ...

    async with application(Host) as app:
        registry, host = app.get(SchedulerRegistry), weakref.ref(app.get(Host))
        registry.add_cron_job("mine", CronJob(RARELY, app.get(Host).yearly))
        assert (len(registry.get_cron_jobs()), registry.get_intervals(), registry.get_timeouts()) == (
            2,
            ["poll"],
            ["late"],
        )
    assert (registry.get_cron_jobs(), registry.get_intervals(), registry.get_timeouts()) == ({}, [], [])
    await asyncio.sleep(0)
    gc.collect()
    assert host() is None
