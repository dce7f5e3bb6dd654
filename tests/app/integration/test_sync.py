"""SyncWorker in one process: the cron, the jobs, and copies that come too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest

from app.modules.sync import LateSyncError, SyncModule, SyncService, SyncSourceError
from app.modules.sync.keys import snapshot_key
from app.modules.sync.settings import SyncSettings
from app.modules.sync.source import fetch
from app.modules.sync.store import SnapshotStore
from app.workers.sync_worker import SyncWorker
from bullworks.bullmq import Job, Queue
from bullworks.core import Application, create_application
from bullworks.locks.distributed_lock import DistributedLockService
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.schedule import CronExpression, SchedulerRegistry
from bullworks.workers import BullModule, get_queue_token
from tests.app.http_server import HttpServer
from tests.bullworks.waiting import eventually


@pytest.fixture
async def application(
    http_server: HttpServer, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Application]:
    """The feature, syncing from a real HTTP server."""
    monkeypatch.setenv("SYNC_SOURCE_URL", http_server.url)
    root = BullModule.for_root(
        connection=redis_url, prefix=key_prefix, queues=("sync",), imports=[SyncModule], providers=[SyncWorker]
    )
    async with await create_application(root) as application:
        yield application


@pytest.fixture
def worker(application: Application) -> SyncWorker:
    return application.get(SyncWorker)


@pytest.fixture
def queue(application: Application) -> Queue[Any]:
    return application.get(get_queue_token("sync"))


async def ended(job: Job[Any, Any]) -> Job[Any, Any]:
    async def has_ended() -> bool:
        await job.refresh()
        return job.finished_on is not None

    await eventually(has_ended, what=f"{job} to end")
    return job


async def test_the_cron_syncs_every_minute_and_lets_the_lock_go(
    application: Application, worker: SyncWorker, http_server: HttpServer
) -> None:
    cron = application.get(SchedulerRegistry).get_cron_job("SyncWorker.sync_data")
    assert cron.expression == CronExpression.EVERY_MINUTE
    http_server.body = b'{"users": 17}'
    await cron.fire_on_tick()
    snapshot = await worker.sync.get_last()
    assert snapshot is not None
    assert snapshot.body == b'{"users": 17}'
    assert not await worker.lock_service.is_locked("sync-data")


async def test_the_cron_skips_while_another_process_syncs(
    worker: SyncWorker, http_server: HttpServer, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with (
        DistributedLockService(connection=redis_url) as other,
        other.hold("sync-data", 60_000, wait=5_000),
    ):
        await worker.sync_data()
    assert "Another instance is already syncing" in caplog.messages
    assert http_server.asked == []


async def test_a_sync_that_fails_lets_the_lock_go(worker: SyncWorker, http_server: HttpServer) -> None:
    http_server.status = 500
    with pytest.raises(SyncSourceError, match=r"nothing to sync from 127\.0\.0\.1: it answered 500"):
        await worker.sync_data()
    assert not await worker.lock_service.is_locked("sync-data")


async def test_a_job_waits_for_a_sync_that_is_going_on_and_makes_its_own(
    worker: SyncWorker, queue: Queue[Any], http_server: HttpServer
) -> None:
    async with worker.lock_service.hold("sync-data", 60_000, wait=5_000):
        job = await queue.add("sync-data", {"source": "api"})

        async def waits() -> bool:
            view = await worker.lock_service.get_lock("sync-data")
            return view is not None and view.waiting == 1

        await eventually(waits)
        assert http_server.asked == []
    await ended(job)
    assert job.returnvalue is not None
    assert job.returnvalue["bytes"] == 2
    assert len(http_server.asked) == 1


async def test_a_repeated_job_syncs(queue: Queue[Any], http_server: HttpServer) -> None:
    """The guide's: every five minutes; its pending job is promoted here rather than waited for."""
    job = await queue.add("sync-data", {"source": "api"}, repeat={"pattern": "*/5 * * * *"})
    await job.promote()
    await eventually(lambda: http_server.asked)
    await ended(job)
    assert job.failed_reason is None


@pytest.mark.parametrize("data", [None, {}, {"source": "else"}, "api"])
async def test_a_job_for_an_unknown_source_fails_without_a_retry(queue: Queue[Any], data: Any) -> None:
    job = await ended(await queue.add("sync-data", data, attempts=3))
    assert (job.failed_reason, job.attempts_made) == ('the job\'s data needs {"source": "api"}', 1)


async def test_a_copy_from_an_earlier_holder_of_the_lock_is_refused(
    connection: PipelinedConnection, key_prefix: str
) -> None:
    """Its lock ran out while it fetched, and another process has synced since."""
    store = SnapshotStore(connection)
    assert await store.get(key_prefix) is None
    await store.save(key_prefix, 2**51, b"later")
    await store.save(key_prefix, 2**51, b"the same holder again")
    with pytest.raises(LateSyncError, match=f"the sync of {key_prefix} with the fence {2**51 - 1} is late"):
        await store.save(key_prefix, 2**51 - 1, b"earlier")
    stored = await store.get(key_prefix)
    assert stored is not None
    assert (stored.body, stored.fence) == (b"the same holder again", 2**51)
    await connection.execute("DEL", snapshot_key(key_prefix))


async def test_without_a_url_a_sync_notes_that_it_ran(connection: PipelinedConnection, redis_url: str) -> None:
    settings = SyncSettings(_env_file=None, sync_source_url=None)  # type: ignore[call-arg]
    store = AsyncMock(spec=SnapshotStore)
    async with (
        DistributedLockService(connection=redis_url) as locks,
        locks.hold("sync-data", 5_000, wait=5_000) as lock,
    ):
        await SyncService(settings, store).sync(lock)
    store.save.assert_awaited_once_with("api", lock.fence, b"")


async def test_an_answer_that_is_long_or_slow_is_told_without_the_url(http_server: HttpServer) -> None:
    http_server.body = b" " * (8 * 1024 * 1024 + 1)
    with pytest.raises(SyncSourceError, match="longer than") as long:
        await fetch(http_server.url, timeout_s=10)
    http_server.delay_s = 5.0
    with pytest.raises(SyncSourceError, match="ReadTimeout") as slow:
        await asyncio.wait_for(fetch(http_server.url, timeout_s=0.1), 5)
    assert "hunter2" not in str(long.value) + str(slow.value)
