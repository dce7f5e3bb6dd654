"""Crons, intervals and timeouts of a testing module: run by hand, by the clock only where the test wants that."""

import asyncio
from typing import Any

import pytest
import redis.asyncio

from bullworks.schedule import ScheduleModule, SchedulerRegistry, cron, interval, timeout
from bullworks.testing import Test, TestingModuleBuilder
from bullworks.workers import BullModule

SETTINGS_URL = "redis://redis.example:6380/2"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer's `.env` might say."""
    monkeypatch.setenv("APP_ENV", "test")
    monkeypatch.setenv("QUEUE_REDIS_URL", SETTINGS_URL)


class Nightly:
    def __init__(self) -> None:
        self.runs: list[str] = []
        self.ran = asyncio.Event()

    @cron("* * * * * *", name="local")
    async def local(self) -> None:
        self._ran("cron")

    @cron("* * * * * *", name="shared", distributed=True)
    async def shared(self) -> None:
        self._ran("distributed")

    @interval(1)
    async def often(self) -> None:
        self._ran("interval")

    @timeout(1)
    async def once(self) -> None:
        self._ran("timeout")

    def _ran(self, kind: str) -> None:
        self.runs.append(kind)
        if {"cron", "distributed", "interval", "timeout"} <= set(self.runs):
            self.ran.set()


async def test_nothing_runs_by_the_clock_and_crons_run_by_hand() -> None:
    async with await _nightly(BullModule.for_root()).compile() as ref:
        nightly, registry = ref.get(Nightly), ref.get(SchedulerRegistry)
        assert set(registry.get_cron_jobs()) == {"local", "shared"}
        for name in ("local", "shared"):
            run = await registry.get_cron_job(name).fire_on_tick()
            assert run.error is None
        assert not _is_ticking()
        assert nightly.runs == ["cron", "distributed"]


async def test_without_bull_module_it_is_the_same() -> None:
    class Ticking:
        runs = 0

        @interval(1)
        async def tick(self) -> None:
            Ticking.runs += 1

    builder = Test.create_testing_module(imports=[ScheduleModule.for_root()], providers=[Ticking])
    async with await builder.compile():
        assert not _is_ticking()
    async with await builder.use_schedule().compile():
        assert _is_ticking()


async def test_all_run_by_the_clock_where_the_test_wants_it() -> None:
    async with await _nightly(BullModule.for_root()).use_schedule().compile() as ref:
        await asyncio.wait_for(ref.get(Nightly).ran.wait(), 10)


async def test_on_a_named_server_distributed_crons_are_claimed_there(redis_url: str) -> None:
    builder = _nightly(BullModule.for_root()).use_redis(redis_url).use_schedule()
    async with await builder.compile() as ref:
        await asyncio.wait_for(ref.get(Nightly).ran.wait(), 10)
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert [key async for key in client.scan_iter(match="bullworks:cron:*shared*")]


def _nightly(root: Any) -> TestingModuleBuilder:
    return Test.create_testing_module(imports=[root], providers=[Nightly])


def _is_ticking() -> bool:
    return any(task.get_name() == "schedule" for task in asyncio.all_tasks())
