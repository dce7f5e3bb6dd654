"""What a handler writes to its job: progress, data and log."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import InvalidPayloadError, Job, JobNotFoundError, Queue
from bullworks.bullmq.scripts.job import ADD_LOG, UPDATE_DATA, UPDATE_PROGRESS
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.keyspace import Keyspace


@pytest.fixture
async def job(queue: Queue) -> Job:
    return await queue.add("a", {"n": 1}, keep_logs=2, size_limit=50)


@pytest.mark.parametrize("progress", [0, 42, 33.3, "half way", True, {"done": 1, "of": 3}, [1, 2]])
async def test_progress_is_stored_and_told(queue: Queue, job: Job, keyspace: Keyspace, progress: Any) -> None:
    await job.update_progress(progress)
    assert job.progress == progress
    stored = await queue.get_job(job.id)
    assert stored is not None
    assert stored.progress == progress
    (event,) = await keyspace.events("progress")
    assert event["jobId"] == job.id
    assert event["data"] == (await keyspace.hash(job.id))["progress"]


async def test_whoever_listens_on_the_job_hears_of_progress_once_it_is_stored(job: Job) -> None:
    heard: list[tuple[str, Any]] = []
    job.on_progress = lambda about, progress: heard.append((about.id, progress))
    await job.update_progress(50)
    assert heard == [(job.id, 50)]
    with pytest.raises(InvalidPayloadError):
        await job.update_progress(float("nan"))
    assert heard == [(job.id, 50)]


async def test_progress_is_0_before_the_first_report(job: Job) -> None:
    assert job.progress == 0


async def test_data_is_replaced_for_everybody(queue: Queue, job: Job) -> None:
    await job.update_data({"n": 2})
    stored = await queue.get_job(job.id)
    assert stored is not None
    assert job.data == stored.data == {"n": 2}


@pytest.mark.parametrize("data", [{"n": float("nan")}, {"text": "x" * 100}, object()])
async def test_data_that_cannot_be_stored_leaves_the_old(queue: Queue, job: Job, data: Any) -> None:
    with pytest.raises(InvalidPayloadError):
        await job.update_data(data)
    stored = await queue.get_job(job.id)
    assert stored is not None
    assert job.data == stored.data == {"n": 1}


async def test_a_log_keeps_the_newest_lines(job: Job) -> None:
    assert [await job.log(f"row {i}") for i in range(4)] == [1, 2, 2, 2]
    assert await job.logs() == ["row 2", "row 3"]
    assert await job.logs(0, 0) == ["row 2"]


async def test_a_log_that_keeps_nothing_stays_empty(queue: Queue) -> None:
    job = await queue.add("a", None, keep_logs=0)
    assert await job.log("gone at once") == 0
    assert await job.logs() == []


async def test_half_a_character_in_a_log_line_is_replaced(job: Job) -> None:
    await job.log("odd: \ud83d")
    assert await job.logs() == ["odd: ?"]


async def test_a_job_that_was_removed_says_so_and_nothing_comes_back(
    queue: Queue, job: Job, keyspace: Keyspace
) -> None:
    await queue.remove(job.id)
    for call in (job.update_progress(1), job.update_data({"n": 2}), job.log("row"), job.refresh()):
        with pytest.raises(JobNotFoundError, match="job 1: not found"):
            await call
    assert await job.get_state() == "unknown"
    assert not any(key.startswith("1") for key in await keyspace.keys())


async def test_refresh_reads_what_others_wrote(queue: Queue, job: Job) -> None:
    other = await queue.get_job(job.id)
    assert other is not None
    assert job.data == {"n": 1}
    await other.update_data({"n": 2})
    await other.update_progress(70)
    assert (job.data, job.progress) == ({"n": 1}, 0)
    await job.refresh()
    assert (job.data, job.progress) == ({"n": 2}, 70)


async def test_each_script_answers_minus_one_for_a_job_that_is_not_there(queue: Queue) -> None:
    base = (queue.keys.base,)
    assert await queue.connection.run(UPDATE_PROGRESS, base, ["nope", "1"]) == -1
    assert await queue.connection.run(UPDATE_DATA, base, ["nope", "1"]) == -1
    assert await queue.connection.run(ADD_LOG, base, ["nope", "row", ""]) == -1


async def test_each_script_says_what_it_stored(queue: Queue, job: Job) -> None:
    base = (queue.keys.base,)
    assert await queue.connection.run(UPDATE_PROGRESS, base, [job.id, "1"]) == 0
    assert await queue.connection.run(UPDATE_DATA, base, [job.id, "1"]) == 0
    assert [await queue.connection.run(ADD_LOG, base, [job.id, "row", ""]) for _ in range(3)] == [1, 2, 3]
    assert await queue.connection.run(ADD_LOG, base, [job.id, "row", 2]) == 2


async def test_a_key_that_is_no_job_is_named(queue: Queue, keyspace: Keyspace) -> None:
    await keyspace.spoil("odd")
    job: Job = Job(queue.scripts, "odd", {})
    for call in (job.update_progress(1), job.update_data(2), job.log("row"), job.promote(), job.retry()):
        with pytest.raises(ServerError, match=r"WRONGTYPE .*:odd is a string, not a hash"):
            await call


async def test_a_job_shows_its_name_and_never_its_data(job: Job) -> None:
    await job.update_data({"n": "secret"})
    assert repr(job) == "<Job 1 'a' of queue 'q'>"
