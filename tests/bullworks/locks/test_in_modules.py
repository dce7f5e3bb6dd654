"""BullModule.for_root() provides the lock service everywhere, and closes it in order."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock

import pytest

from bullworks.core import create_application, injectable, module
from bullworks.locks import LocksClosedError
from bullworks.locks.distributed_lock import DistributedLockService
from bullworks.workers import BullModule
from bullworks.workers.tokens import CONNECTION


@injectable()
class SyncWorker:
    def __init__(self, lock_service: DistributedLockService) -> None:
        self.lock_service = lock_service
        self.at_the_end: Any = None

    async def on_application_shutdown(self) -> None:
        lock = await self.lock_service.acquire("at-the-end", 1_000)
        assert lock is not None
        self.at_the_end = await lock.release()


async def test_it_is_injected_by_its_class_in_every_module_and_works_until_the_last_hook(
    redis_url: str, name: str
) -> None:
    @module(providers=[SyncWorker])
    class SyncModule: ...

    @module(imports=[BullModule.for_root(connection=redis_url), SyncModule])
    class AppModule: ...

    async with await create_application(AppModule) as app:
        worker = app.select(SyncModule).get(SyncWorker)
        async with worker.lock_service.hold(name, 60_000):
            assert await worker.lock_service.is_locked(name)
        connection = await app.resolve(CONNECTION)
        assert connection.is_connected, "the application's one connection"
        assert await app.resolve(DistributedLockService) is worker.lock_service
    assert worker.at_the_end is True
    with pytest.raises(LocksClosedError):
        await worker.lock_service.acquire(name, 60_000)


async def test_a_replaced_service_needs_no_redis(no_network: None, name: str) -> None:
    service = AsyncMock(spec=DistributedLockService)
    service.acquire.return_value = None

    class Quiet(SyncWorker):
        async def on_application_shutdown(self) -> None: ...

    app = create_application(BullModule.for_root(connection="redis://127.0.0.1:1", providers=[Quiet]))
    app.container.distributed_lock_service.override(service)
    async with app:
        assert await app.get(Quiet).lock_service.acquire(name, 1) is None


async def test_an_application_that_needs_no_lock_makes_no_service(no_network: None) -> None:
    async with create_application(BullModule.for_root(connection="redis://127.0.0.1:1")) as app:
        assert app is not None
