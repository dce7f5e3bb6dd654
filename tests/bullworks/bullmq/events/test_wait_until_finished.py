"""Job.wait_until_finished on a real server: what it returned, why it failed, or that it is gone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bullworks.bullmq import (
    EventsClosedError,
    InvalidOptionError,
    Job,
    JobFailedError,
    JobNotFoundError,
    JobSpec,
    JobWaitTimeoutError,
    Queue,
    QueueEvents,
    SyncJob,
    SyncQueue,
    Worker,
)
from bullworks.bullmq.events import waiting as job_waits
from tests.bullworks.bullmq.events.ear import Ear
from tests.bullworks.bullmq.events.test_queue_events_faults import kill_readers, reads
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


def waiting(job: Job[Any, Any], *args: Any, **options: Any) -> asyncio.Task[Any]:
    return asyncio.create_task(job.wait_until_finished(*args, **options))


def number_of_waits(queue: Queue) -> int:
    return len(queue._readers.reader(queue.keys).waits)


async def all_wait(queue: Queue, count: int = 1) -> None:
    await eventually(lambda: number_of_waits(queue) == count, what="the waits to begin")


@pytest.mark.parametrize("value", [None, 5, "text", {"sent": True}, [1, {"a": None}]])
async def test_it_returns_what_the_handler_returned(value: Any, queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("mail")
    wait = waiting(job)
    await all_wait(queue)
    await hand.take()
    await hand.complete(value)
    assert await asyncio.wait_for(wait, 5) == value
    assert number_of_waits(queue) == 0


async def test_a_job_that_failed_for_good_raises_its_reason(queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("mail")
    wait = waiting(job)
    await hand.take()
    await hand.fail("no such address")
    with pytest.raises(JobFailedError, match="job 1 failed: no such address") as caught:
        await asyncio.wait_for(wait, 5)
    assert (caught.value.job_id, caught.value.failed_reason) == ("1", "no such address")


async def test_one_that_had_finished_before_is_answered_at_once(queue: Queue, hand: HandWorker) -> None:
    good, bad = await queue.add_bulk([JobSpec("a"), JobSpec("a")])
    await hand.take()
    await hand.complete({"n": 1})
    await hand.take()
    await hand.fail("boom")
    assert await good.wait_until_finished(ttl=5_000) == {"n": 1}
    with pytest.raises(JobFailedError, match="boom"):
        await bad.wait_until_finished(ttl=5_000)


async def test_one_that_was_removed_before_is_not_found(queue: Queue) -> None:
    job = await queue.add("a")
    await queue.remove(job.id)
    with pytest.raises(JobNotFoundError, match="job 1: not found"):
        await job.wait_until_finished(ttl=5_000)


async def test_one_that_is_removed_meanwhile_is_not_found(queue: Queue) -> None:
    job = await queue.add("a")
    wait = waiting(job)
    await all_wait(queue)
    await queue.remove(job.id)
    with pytest.raises(JobNotFoundError):
        await asyncio.wait_for(wait, 5)


async def test_one_that_is_removed_because_it_completed_still_tells_its_result(queue: Queue) -> None:
    job = await queue.add("a", 5, remove_on_complete=True)
    wait = waiting(job)
    await all_wait(queue)
    connection: dict[str, Any] = {"connection": queue.connection, "prefix": queue.keys.prefix}

    async def process(job: Any) -> Any:
        return job.data * 2

    async with Worker("q", process, **connection):
        assert await asyncio.wait_for(wait, 5) == 10
    assert await queue.get_job(job.id) is None


async def test_one_that_is_cleaned_away_is_not_found(queue: Queue) -> None:
    job = await queue.add("a")
    wait = waiting(job)
    await all_wait(queue)
    assert await queue.clean(0, "waiting") == [job.id]
    with pytest.raises(JobNotFoundError):
        await asyncio.wait_for(wait, 5)


async def test_one_that_vanishes_without_an_event_is_found_out_in_time(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draining tells of no job: only a look does."""
    monkeypatch.setattr(job_waits, "LOOK_EVERY_S", 0.0)
    job = await queue.add("a")
    wait = waiting(job)
    await all_wait(queue)
    await queue.drain()
    await queue.pause()  # whatever event ends the read
    with pytest.raises(JobNotFoundError):
        await asyncio.wait_for(wait, 5)


async def test_a_retried_job_is_waited_for_and_not_its_earlier_failure(queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("a")
    await hand.take()
    await hand.fail("the first time")
    with pytest.raises(JobFailedError, match="the first time"):
        await job.wait_until_finished(ttl=5_000)
    await job.retry()
    wait = waiting(job)
    await all_wait(queue)
    await hand.take()
    await hand.complete("the second time")
    assert await asyncio.wait_for(wait, 5) == "the second time"


@pytest.mark.parametrize("ttl", [30, timedelta(milliseconds=30)])
async def test_past_its_ttl_it_gives_up_naming_the_job(ttl: Any, queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("a")
    with pytest.raises(JobWaitTimeoutError) as caught:
        await job.wait_until_finished(ttl=ttl)
    assert isinstance(caught.value, TimeoutError)
    assert str(caught.value).startswith("job 1 of queue q did not finish within 30 ms")
    assert number_of_waits(queue) == 0
    await hand.take()
    await hand.complete("later")
    assert await job.wait_until_finished(ttl=5_000) == "later"


@pytest.mark.parametrize("ttl", [0, -1, "5s", 1.5])
async def test_a_bad_ttl_is_refused(ttl: Any, queue: Queue) -> None:
    with pytest.raises(InvalidOptionError, match="ttl: must be"):
        await (await queue.add("a")).wait_until_finished(ttl=ttl)


async def test_closing_the_queue_ends_the_waits_for_its_jobs(queue: Queue) -> None:
    job = await queue.add("a")
    wait = waiting(job)
    await all_wait(queue)
    await queue.close()
    await queue.close()
    with pytest.raises(EventsClosedError, match="closed while job 1 was waited for"):
        await asyncio.wait_for(wait, 5)
    with pytest.raises(EventsClosedError):
        await job.wait_until_finished()


async def test_a_queue_that_nobody_waits_for_opens_no_connection_for_it(queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("a")
    assert await reader_connections(queue) == 0
    wait = waiting(job)
    await all_wait(queue)
    assert await reader_connections(queue) == 1
    await hand.take()
    await hand.complete()
    await wait


async def reader_connections(queue: Queue) -> int:
    clients = (await queue.connection.execute("CLIENT", "LIST")).decode()
    return clients.count(f" name={queue.keys.events_client_name()} ")


async def test_a_thousand_waits_for_a_thousand_jobs_share_one_reader(queue: Queue) -> None:
    jobs = await queue.add_bulk([JobSpec("a", n) for n in range(1_000)])
    waits = [waiting(job, ttl=15_000) for job in jobs]
    await all_wait(queue, 1_000)
    before = await reads(queue)

    async def process(job: Any) -> Any:
        return job.data * 2

    async with Worker("q", process, connection=queue.connection, prefix=queue.keys.prefix, concurrency=100):
        assert await asyncio.gather(*waits) == [n * 2 for n in range(1_000)]
    # Each job has an `active` and a `completed` event, and no event is read twice.
    assert await reads(queue) - before <= 2_000
    assert await reader_connections(queue) == 1


async def test_a_thousand_waits_for_one_job_cost_one_read(queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("a")
    waits = [waiting(job, ttl=15_000) for _ in range(1_000)]
    await all_wait(queue, 1_000)
    await hand.take()
    before = await reads(queue)
    await hand.complete("once")
    assert await asyncio.gather(*waits) == ["once"] * 1_000
    assert await reads(queue) - before <= 4
    assert await reader_connections(queue) == 1


async def test_waits_begun_together_share_one_start(queue: Queue, hand: HandWorker) -> None:
    jobs = await queue.add_bulk([JobSpec("a"), JobSpec("a")])
    waits = [waiting(job) for job in jobs]
    for n in range(2):
        await hand.take()
        await hand.complete(n)
    assert await asyncio.gather(*waits) == [0, 1]
    assert await reader_connections(queue) == 1


async def test_events_of_ones_own_may_be_given(queue: Queue, hand: HandWorker, events: QueueEvents, ear: Ear) -> None:
    job = await queue.add("a")
    wait = waiting(job, events)
    await eventually(lambda: len(events.waits) == 1)
    await hand.take()
    await hand.complete(7)
    assert await asyncio.wait_for(wait, 5) == 7
    assert number_of_waits(queue) == 0
    assert len(await ear.until("completed")) == 1


async def test_events_given_are_started_if_need_be(queue: Queue, hand: HandWorker) -> None:
    job = await queue.add("a")
    await hand.take()
    await hand.complete(7)
    events = QueueEvents("q", connection=queue.connection, prefix=queue.keys.prefix)
    assert await job.wait_until_finished(events, ttl=5_000) == 7
    await events.close()
    with pytest.raises(EventsClosedError):
        await job.wait_until_finished(events)


async def test_events_of_another_queue_would_never_tell_and_are_refused(queue: Queue) -> None:
    events = QueueEvents("other", connection=queue.connection, prefix=queue.keys.prefix)
    with pytest.raises(InvalidOptionError, match=r"queue_events: is of queue .*:other:"):
        await (await queue.add("a")).wait_until_finished(events)


async def test_a_job_of_no_queue_needs_events(queue: Queue) -> None:
    with pytest.raises(InvalidOptionError, match="queue_events: is needed"):
        await Job.stub().wait_until_finished()


async def test_jobs_that_were_read_can_be_waited_for_too(queue: Queue, hand: HandWorker) -> None:
    await queue.add("a", job_id="x")
    read = await queue.get_job("x")
    (listed,) = await queue.get_waiting()
    assert read is not None
    waits = [waiting(read), waiting(listed)]
    await hand.take()
    await hand.complete("v")
    assert await asyncio.gather(*waits) == ["v", "v"]


@pytest.mark.timeout(60)
async def test_waits_outlive_a_restart_of_redis(own_server: RedisServer) -> None:
    async with Queue("q", connection=own_server.url) as queue:
        jobs = await queue.add_bulk([JobSpec("a", n) for n in range(300)])
        waits = [waiting(job, ttl=40_000) for job in jobs]
        await all_wait(queue, 300)

        async def process(job: Any) -> Any:
            await asyncio.sleep(0.002)
            return job.data

        async with Worker("q", process, connection=own_server.url, concurrency=5):
            await eventually(lambda: sum(wait.done() for wait in waits) > 30)
            await asyncio.to_thread(own_server.restart)
            assert not all(wait.done() for wait in waits)
            assert await asyncio.gather(*waits) == list(range(300))


async def test_a_job_that_ended_in_a_gap_of_the_events_is_found_out(queue: Queue, hand: HandWorker) -> None:
    """Given a reader cut off, and a stream emptied before it was back: no event of the ending is left."""
    stream = queue.keys.of("events")
    await queue.add("a")
    job = await queue.add("a", job_id="waited")
    wait = waiting(job)
    await all_wait(queue)
    await hand.take()
    await hand.complete()
    await hand.take()
    killing = asyncio.create_task(kill_readers(queue))
    finishing = asyncio.create_task(hand.complete("in the gap"))
    await killing
    await finishing
    await queue.connection.execute("XTRIM", stream, "MAXLEN", 0)
    await queue.connection.execute("XADD", stream, "*", "event", "later")
    assert await asyncio.wait_for(wait, 5) == "in the gap"


async def test_code_in_threads_can_wait(queue: Queue, hand: HandWorker, redis_url: str) -> None:
    job = await queue.add("a")
    loop = asyncio.get_running_loop()
    wait = asyncio.create_task(asyncio.to_thread(SyncJob(job, loop).wait_until_finished))
    await all_wait(queue)
    await hand.take()
    await hand.complete(1)
    assert await asyncio.wait_for(wait, 5) == 1

    def produce() -> Any:
        with SyncQueue[Any]("q", connection=redis_url, prefix=queue.keys.prefix) as sync_queue:
            return sync_queue.add("b").wait_until_finished(ttl=10_000)

    producing = asyncio.create_task(asyncio.to_thread(produce))
    await eventually(hand.take)
    await hand.complete(2)
    assert await asyncio.wait_for(producing, 10) == 2


def test_waiting_in_a_thread_ends_with_its_ttl(redis_url: str, key_prefix: str) -> None:
    with SyncQueue[Any]("q", connection=redis_url, prefix=key_prefix) as queue:
        job = queue.add("a")
        with pytest.raises(JobWaitTimeoutError):
            job.wait_until_finished(ttl=20)
        with pytest.raises(InvalidOptionError):
            job.wait_until_finished(ttl=0)
