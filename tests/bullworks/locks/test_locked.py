"""`@locked`: a method that runs in one process at a time; and what is no such method."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from unittest.mock import AsyncMock

import pytest

from bullworks.locks import DistributedLockService, locked

pytestmark = pytest.mark.usefixtures("redis_server")


class SyncWorker:
    def __init__(self, service: DistributedLockService, name: str) -> None:
        self.service = service
        self.name = name
        self.started = asyncio.Event()
        self.may_end = asyncio.Event()

    @locked(lambda self, *_: self.name, 60_000)
    async def sync(self, what: str) -> str:
        """Sync it."""
        self.started.set()
        await self.may_end.wait()
        return f"synced {what}"


async def test_one_runs_and_the_other_says_so(
    locks: DistributedLockService, others: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    one, other = SyncWorker(locks, name), SyncWorker(others, name)
    running = asyncio.create_task(one.sync("users"))
    await asyncio.wait_for(one.started.wait(), 5)
    assert await other.sync("users") is None
    assert f"SyncWorker.sync does not run: lock {name} is held elsewhere" in caplog.messages
    one.may_end.set()
    assert await asyncio.wait_for(running, 5) == "synced users"
    other.may_end.set()
    assert await other.sync("users") == "synced users"


async def test_the_method_keeps_its_name_and_docstring() -> None:
    assert (SyncWorker.sync.__name__, SyncWorker.sync.__doc__) == ("sync", "Sync it.")


async def test_a_method_that_raises_gives_the_lock_back(locks: DistributedLockService, name: str) -> None:
    class Failing:
        __slots__ = ("locks",)

        def __init__(self, locks: DistributedLockService) -> None:
            self.locks = locks

        @locked(name, 60_000, wait=1_000, auto_extend=True, max_hold=5_000)
        async def run(self) -> None:
            assert await self.locks.is_locked(name)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Failing(locks).run()
    assert not await locks.is_locked(name)


async def test_a_plain_function_is_decorated_with_the_service_s_own(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    @locks.locked(name, 60_000)
    async def report(day: int) -> int:
        assert await others.acquire(name, 60_000) is None
        return day + 1

    assert await report(1) == 2
    async with others.hold(name, 60_000):
        assert await report(1) is None


async def test_a_mock_of_the_service_is_found_too() -> None:
    service = AsyncMock(spec=DistributedLockService)
    service.acquire.return_value = None
    worker = SyncWorker(service, "sync-data")
    assert await worker.sync("users") is None
    service.acquire.assert_awaited_once_with("sync-data", 60_000, wait=None, auto_extend=False, max_hold=None)


async def test_an_object_that_keeps_no_service_is_told_what_to_do() -> None:
    class Careless:
        @locked("x", 1_000)
        async def run(self) -> None: ...

    with pytest.raises(TypeError, match="Careless, which has no DistributedLockService: take one in __init__"):
        await Careless().run()


def test_a_plain_method_is_refused_at_decoration() -> None:
    def decorate() -> Any:
        class Wrong:
            @locked("x", 1_000)
            def run(self) -> None: ...

        return Wrong

    with pytest.raises(TypeError, match=r"Wrong\.run, which is not an `async def`"):
        decorate()
