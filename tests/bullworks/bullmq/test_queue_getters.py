"""Looking at a queue: jobs, counts, logs and workers."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, JobLogs, JobSpec, Queue
from bullworks.bullmq.scripts.job import GET_STATE
from bullworks.bullmq.scripts.queue import COUNT_JOBS, REGISTER_QUEUE
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.bullmq.keyspace import Keyspace


@pytest.fixture
async def full(queue: Queue, hand: HandWorker) -> Queue:
    """A queue with jobs in every state that needs no children: 1, 2 completed, 3, 4 failed, 5 active, 6-8 wait."""
    await queue.add_bulk(JobSpec("a", {"i": i}) for i in range(8))
    for finishing in (hand.complete, hand.complete, hand.fail, hand.fail):
        await hand.take()
        await finishing()
    await hand.take()
    for priority in (9, 1):
        await queue.add("p", None, priority=priority, job_id=f"p{priority}")
    for delay in (90_000, 60_000):
        await queue.add("d", None, delay=delay, job_id=f"d{delay}")
    return queue


async def test_counts_are_bullmqs_by_name(full: Queue) -> None:
    assert await full.get_job_counts() == {
        "active": 1,
        "completed": 2,
        "delayed": 2,
        "failed": 2,
        "prioritized": 2,
        "waiting": 3,
        "waiting-children": 0,
    }
    assert await full.get_job_counts("wait", "paused") == {"wait": 3, "paused": 0}
    assert await full.count() == 7


async def test_a_state_that_does_not_exist_is_refused_with_the_near_one(queue: Queue) -> None:
    state: Any = "complete"
    for asked in (queue.get_job_counts(state), queue.get_jobs(state), queue.get_jobs([state])):
        with pytest.raises(InvalidOptionError, match="did you mean state completed"):
            await asked


async def test_each_state_is_listed_in_the_order_that_matters_there(full: Queue) -> None:
    async def ids(jobs: Any) -> list[str]:
        return [job.id for job in await jobs]

    assert await ids(full.get_waiting()) == ["6", "7", "8"]
    assert await ids(full.get_active()) == ["5"]
    assert await ids(full.get_prioritized()) == ["p1", "p9"]
    assert await ids(full.get_delayed()) == ["d60000", "d90000"]
    assert await ids(full.get_completed()) == ["2", "1"]
    assert await ids(full.get_failed()) == ["4", "3"]
    assert await ids(full.get_jobs(["failed", "completed"], 0, 0, True)) == ["3", "1"]
    assert len(await full.get_jobs()) == 12


@pytest.mark.parametrize("state", ["waiting", "delayed"])
async def test_pages_put_together_are_the_whole(queue: Queue, state: Any) -> None:
    delay = 60_000 if state == "delayed" else 0
    await queue.add_bulk(JobSpec("a", None, delay=delay) for _ in range(23))
    for asc in (False, True):
        whole = [job.id for job in await queue.get_jobs(state, asc=asc)]
        pages = [await queue.get_jobs(state, at, at + 4, asc) for at in range(0, 30, 5)]
        assert [job.id for page in pages for job in page] == whole
        assert len(whole) == 23


async def test_thousands_of_jobs_are_read_in_a_few_writes(queue: Queue) -> None:
    await queue.add_bulk(JobSpec("a", i) for i in range(2_100))
    assert [job.data for job in await queue.get_waiting()] == list(range(2_100))


async def test_a_job_that_cannot_be_read_is_missing_from_the_list_alone(
    queue: Queue, keyspace: Keyspace, caplog: pytest.LogCaptureFixture
) -> None:
    await queue.add_bulk(JobSpec("a", i) for i in range(3))
    await keyspace.command("DEL", keyspace.key("1"))
    await keyspace.spoil("2")
    with caplog.at_level(logging.WARNING, "bullworks.bullmq.queue.getters"):
        assert [job.id for job in await queue.get_waiting()] == ["3"]
    assert ["job 2 of queue q cannot be read" in record.getMessage() for record in caplog.records] == [True]


async def test_a_job_whose_data_is_not_json_is_listed_and_says_so_when_looked_at(
    queue: Queue, keyspace: Keyspace
) -> None:
    await queue.add("a", {"fine": True})
    await keyspace.command("HSET", keyspace.key("1"), "data", "{not json")
    (job,) = await queue.get_waiting()
    assert job.name == "a"
    with pytest.raises(ValueError, match="Expecting"):
        _ = job.data


async def test_a_job_that_does_not_exist_is_none(queue: Queue) -> None:
    assert await queue.get_job("nope") is None


@pytest.mark.parametrize("job_id", ["", None, 5])
async def test_an_id_that_no_job_can_have_is_refused(queue: Queue, job_id: Any) -> None:
    with pytest.raises(InvalidOptionError, match="job_id: "):
        await queue.get_job(job_id)


async def test_a_key_that_is_no_job_is_an_error_of_its_own(queue: Queue, keyspace: Keyspace) -> None:
    await keyspace.spoil("odd")
    with pytest.raises(ServerError, match="WRONGTYPE"):
        await queue.get_job("odd")


async def test_the_state_of_each_job_is_known(full: Queue, keyspace: Keyspace) -> None:
    await keyspace.command("ZADD", keyspace.key("waiting-children"), 1, "parent")
    await keyspace.command("LPUSH", keyspace.key("paused"), "legacy")
    states = {
        job_id: await full.get_job_state(job_id)
        for job_id in ("1", "3", "5", "6", "p1", "d60000", "parent", "legacy", "nope")
    }
    assert states == {
        "1": "completed",
        "3": "failed",
        "5": "active",
        "6": "waiting",
        "p1": "prioritized",
        "d60000": "delayed",
        "parent": "waiting-children",
        "legacy": "waiting",
        "nope": "unknown",
    }


async def test_the_state_script_names_the_place(full: Queue) -> None:
    base = (full.keys.base,)
    places = [await full.connection.run(GET_STATE, base, [job_id]) for job_id in ("1", "6", "nope")]
    assert places == [b"completed", b"wait", None]


async def test_the_count_script_answers_in_the_order_asked(full: Queue) -> None:
    base = (full.keys.base,)
    assert await full.connection.run(COUNT_JOBS, base, ["wait", "active", "failed", "paused"]) == [3, 1, 2, 0]


async def test_logs_come_in_pages_from_either_end(queue: Queue) -> None:
    job = await queue.add("a")
    for i in range(5):
        await job.log(f"row {i}")
    assert await queue.get_job_logs("1") == JobLogs([f"row {i}" for i in range(5)], 5)
    assert await queue.get_job_logs("1", 1, 2) == JobLogs(["row 1", "row 2"], 5)
    assert await queue.get_job_logs("1", 0, 1, False) == JobLogs(["row 4", "row 3"], 5)
    assert await queue.get_job_logs("nope") == JobLogs([], 0)


async def test_a_queue_is_made_known_once_and_other_settings_are_kept(queue: Queue, keyspace: Keyspace) -> None:
    base = (queue.keys.base,)
    assert await queue.connection.run(REGISTER_QUEUE, base, ["mine:1"]) == 1
    await keyspace.command("HSET", keyspace.key("meta"), "opts.maxLenEvents", "50", "concurrency", "3")
    assert await queue.connection.run(REGISTER_QUEUE, base, ["mine:2"]) == 0
    assert await keyspace.hash("meta") == {"opts.maxLenEvents": "50", "version": "mine:1", "concurrency": "3"}


async def test_ready_means_connected_and_known(queue: Queue, keyspace: Keyspace) -> None:
    await queue.wait_until_ready()
    assert queue.connection.is_connected
    meta = await keyspace.hash("meta")
    assert meta["opts.maxLenEvents"] == "10000"
    assert meta["version"].startswith("bullworks:")


async def test_a_queue_with_no_workers_has_none(queue: Queue) -> None:
    assert await queue.get_workers() == []


async def test_a_closed_queue_can_be_closed_again(queue: Queue) -> None:
    await queue.add("a")
    await queue.close()
    await queue.close()
    assert not queue.connection.is_connected


async def test_a_shared_connection_stays_open(queue: Queue, key_prefix: str) -> None:
    async with Queue("other", connection=queue.connection, prefix=key_prefix) as other:
        await other.add("a")
    assert await queue.get_job_counts("waiting") == {"waiting": 0}


def test_a_queue_says_where_it_is_and_never_the_password() -> None:
    queue = Queue("q", connection="redis://:secret@127.0.0.1:1/0")
    assert repr(queue) == "<Queue 'q' at redis://:***@127.0.0.1:1/0>"
