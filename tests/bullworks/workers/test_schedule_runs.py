"""SCHEDULE_RUNS: of several processes one runs what is not shared."""

from __future__ import annotations

import asyncio

import pytest

from bullworks.core import create_application, dynamic_module
from bullworks.schedule import SchedulerRegistry, cron, interval, timeout
from bullworks.workers import BullModule


class Clock:
    """Something of each kind."""

    def __init__(self) -> None:
        self.ran: set[str] = set()
        self.has_run = asyncio.Event()

    @cron("0 0 1 1 *", name="own")
    def own(self) -> None:
        self.ran.add("own")

    @cron("0 0 1 1 *", name="shared", distributed=True)
    def shared(self) -> None:
        self.ran.add("shared")

    @interval("often", 1_000_000)
    def often(self) -> None:
        self.ran.add("often")

    @timeout("once", 1)
    def once(self) -> None:
        self.ran.add("once")
        self.has_run.set()


@pytest.mark.parametrize(
    ("runs", "crons", "intervals"),
    [("all", {"own", "shared"}, ["often"]), ("distributed", {"shared"}, []), ("none", set(), [])],
)
async def test_a_process_runs_what_the_setting_says(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch, runs: str, crons: set[str], intervals: list[str]
) -> None:
    class Root:
        pass

    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    monkeypatch.setenv("SCHEDULE_RUNS", runs)
    workers = BullModule.for_root()
    async with create_application(dynamic_module(Root, imports=[workers], providers=[Clock])) as app:
        registry = app.get(SchedulerRegistry)
        assert {name for name, job in registry.get_cron_jobs().items() if job.is_active} == crons
        assert list(registry.get_intervals()) == intervals
        if runs == "all":
            await asyncio.wait_for(app.get(Clock).has_run.wait(), 5)
        else:
            assert registry.get_timeouts() == []
