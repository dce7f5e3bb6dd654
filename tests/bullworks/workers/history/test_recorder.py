"""What workers did is in Redis: with real workers, a real server, and without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from bullworks.workers.history import HistoryRecorder, RedisHistory, Tally
from bullworks.workers.history.recorder import MOST_MINUTES, QueueRecord
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


@pytest.fixture
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue[Any]]:
    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        await queue.wait_until_ready()
        yield queue


def watching(queue: Queue[Any], **options: Any) -> HistoryRecorder:
    recorder = HistoryRecorder(**options)
    recorder.watch(queue)
    return recorder


async def work_off(queue: Queue[Any], recorder: HistoryRecorder, process: Any, **options: Any) -> None:
    """Run a worker until the line is empty."""
    worker: Worker[Any, Any] = Worker(
        "email", process, connection=queue.connection.endpoint, prefix=queue.keys.prefix, **options
    )
    worker.measure(recorder.watch(queue))

    async def is_done() -> bool:
        counts = await queue.get_job_counts()
        return not (counts["waiting"] or counts["active"] or counts["delayed"])

    async with worker:
        await eventually(is_done)


async def ever(history: RedisHistory) -> Tally:
    return (await history.ever(["email"]))["email"]


async def test_each_way_to_end_is_counted_with_run_and_wait(queue: Queue[Any], history: RedisHistory) -> None:
    async def process(job: Job[Any, Any]) -> None:
        await asyncio.sleep(0.05)
        if job.name == "bad":
            raise ValueError("no")
        if job.name == "flaky" and job.attempts_made == 0:
            raise ValueError("not yet")

    hour_ago = int(time.time() * 1000) - 3_600_000
    await queue.add("good", timestamp=hour_ago)
    await queue.add("good", delay=50)
    await queue.add("bad")
    await queue.add("flaky", attempts=2)
    recorder = watching(queue)
    await work_off(queue, recorder, process, concurrency=4)
    await recorder.flush()
    tally = await ever(history)
    assert (tally.completed, tally.failed, tally.retried) == (3, 1, 1)
    assert (tally.run.count, tally.wait.count) == (5, 4)
    assert 5 * 45_000 <= tally.run.sum_us < 5 * 5_000_000
    assert 3_600_000_000 <= tally.wait.sum_us < 3_660_000_000


async def test_what_was_written_is_not_written_again(queue: Queue[Any], history: RedisHistory) -> None:
    async def process(job: Job[Any, Any]) -> None:
        pass

    recorder = watching(queue)
    for expected in (1, 2):
        await queue.add("x")
        await work_off(queue, recorder, process)
        await recorder.flush()
        await recorder.flush()
        assert (await ever(history)).completed == expected


async def test_a_job_that_is_handed_back_is_not_counted(queue: Queue[Any], history: RedisHistory) -> None:
    started = asyncio.Event()

    async def process(job: Job[Any, Any]) -> None:
        started.set()
        await asyncio.Event().wait()

    recorder = watching(queue)
    worker: Worker[Any, Any] = Worker("email", process, connection=queue.connection.endpoint, prefix=queue.keys.prefix)
    worker.measure(recorder.watch(queue))
    await queue.add("x")
    async with worker:
        await asyncio.wait_for(started.wait(), 10)
        await worker.close(0)
    await recorder.flush()
    assert (await ever(history)) == Tally()


async def test_it_writes_by_itself_every_few_seconds_and_at_its_end(queue: Queue[Any], history: RedisHistory) -> None:
    async def process(job: Job[Any, Any]) -> None:
        pass

    async def is_written() -> bool:
        return (await ever(history)).completed == 1

    recorder = watching(queue, flush_s=0.05)
    recorder.start()
    recorder.start()
    await queue.add("x")
    await work_off(queue, recorder, process)
    await eventually(is_written)
    slow = watching(queue, flush_s=60)
    slow.start()
    await queue.add("x")
    await work_off(queue, slow, process)
    await slow.close()
    await slow.close()
    await recorder.close()
    assert (await ever(history)).completed == 2


async def test_the_wait_of_the_oldest_job_is_noted(queue: Queue[Any], history: RedisHistory) -> None:
    await queue.add("x", timestamp=int(time.time() * 1000) - 3_600_000)
    recorder = watching(queue, flush_s=0.05)
    recorder.start()

    async def is_noted() -> bool:
        return (await ever(history)).oldest_ms >= 3_600_000

    await eventually(is_noted)
    await recorder.close()
    now_ms = int(time.time() * 1000)
    ((_, age_ms),) = await history.series(
        "queueage", queue=None, from_ms=now_ms - 3_600_000, to_ms=now_ms, granularity="day"
    )
    assert age_ms == pytest.approx(3_600_000, abs=30_000)


async def test_queues_without_a_recorder_leave_nothing_in_redis(queue: Queue[Any], history: RedisHistory) -> None:
    async def process(job: Job[Any, Any]) -> None:
        pass

    await queue.add("x")
    async with Worker("email", process, connection=queue.connection.endpoint, prefix=queue.keys.prefix):
        await eventually(queue.get_completed_count)
    assert await queue.connection.execute("KEYS", f"bullworks:board:history:{queue.keys.prefix}*") == []


@pytest.mark.process
async def test_while_redis_is_away_minutes_are_kept_and_written_later(tmp_path: Path, key_prefix: str) -> None:
    with RedisServer(tmp_path) as server:
        async with Queue("email", connection=server.url, prefix=key_prefix) as queue:
            await queue.wait_until_ready()
            recorder = watching(queue)
            record = recorder._records["email"]
            record.at(29_000_000).completed = 7
            server.stop()
            await eventually(lambda: not queue.connection.is_connected)
            await recorder.flush()
            assert record.minutes[29_000_000].completed == 7
            server.start()
            await eventually(lambda: queue.connection.is_connected)
            await recorder.flush()
            history = RedisHistory(queue.connection, key_prefix)
            assert (await ever(history)).completed == 7


@pytest.mark.process
async def test_what_redis_refuses_is_kept_and_said_once(
    tmp_path: Path, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisServer(tmp_path) as server:
        async with Queue("email", connection=server.url, prefix=key_prefix) as queue:
            await queue.wait_until_ready()
            recorder = watching(queue)
            recorder._records["email"].at(29_000_000).completed = 7
            await queue.connection.execute("CONFIG", "SET", "maxmemory", "1")
            for _ in range(3):
                await recorder.flush()
            assert (
                len(
                    [message for message in caplog.messages if "history is not written: Redis answered: OOM" in message]
                )
                == 1
            )
            await queue.connection.execute("CONFIG", "SET", "maxmemory", "0")
            await recorder.flush()
            assert (await ever(RedisHistory(queue.connection, key_prefix))).completed == 7


@pytest.mark.process
async def test_a_write_whose_reply_is_lost_is_not_sent_again(
    tmp_path: Path, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisServer(tmp_path) as server:
        async with Queue("email", connection=server.url, prefix=key_prefix) as queue:
            await queue.wait_until_ready()
            recorder = watching(queue)
            record = recorder._records["email"]
            record.at(29_000_000).completed = 7
            server.freeze()
            writing = asyncio.create_task(recorder.flush())
            await eventually(lambda: not record.minutes)
            queue.connection.drop("on purpose")
            await writing
            server.thaw()
            assert record.minutes == {}
            assert "history is not written" in caplog.text


async def test_minutes_that_cannot_be_written_are_bounded(queue: Queue[Any]) -> None:
    record = QueueRecord(queue)
    for minute in range(1_000):
        record.at(minute).completed += 1
    assert sorted(record.minutes) == list(range(1_000 - MOST_MINUTES, 1_000))


async def test_a_job_with_times_that_are_none_harms_nobody(queue: Queue[Any], history: RedisHistory) -> None:
    done = asyncio.Event()

    async def process(job: Job[Any, Any]) -> None:
        if job.name == "good":
            done.set()

    odd = await queue.add("odd")
    await queue.connection.execute("HSET", queue.keys.of(odd.id), "timestamp", "yesterday")
    await queue.add("good")
    recorder = watching(queue)
    await work_off(queue, recorder, process)
    assert done.is_set()
    await recorder.flush()
    assert (await ever(history)).completed == 1
