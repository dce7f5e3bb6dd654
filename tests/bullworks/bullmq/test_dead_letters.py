"""Dead letters: jobs that failed for good lie in a queue of their own, once each, and can be run again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import (
    FlowJob,
    FlowProducer,
    InvalidOptionError,
    InvalidPayloadError,
    Job,
    JobNotFoundError,
    Queue,
    UnrecoverableError,
    Worker,
)
from tests.bullworks.waiting import eventually


@pytest.fixture
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue]:
    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        yield queue


@pytest.fixture
async def dead(redis_url: str, key_prefix: str) -> AsyncIterator[Queue]:
    async with Queue("email-dead", connection=redis_url, prefix=key_prefix) as dead:
        yield dead


async def fail(job: Job) -> None:
    raise ValueError(f"cannot send {job.data['n']}")


def worker_of(queue: Queue, process: Any = fail, **options: Any) -> Worker[Any, Any]:
    return Worker("email", process, connection=queue.connection.endpoint, prefix=queue.keys.prefix, **options)


async def count(queue: Queue, state: Any) -> int:
    return (await queue.get_job_counts(state))[state]


async def failed(queue: Queue, *jobs: Job) -> None:
    """Have them fail in a worker that moves nothing."""
    async with worker_of(queue, concurrency=10):
        for job in jobs:
            await eventually(job.is_failed)


async def test_a_job_is_moved_once_its_attempts_are_used_up(queue: Queue, dead: Queue) -> None:
    job = await queue.add("welcome", {"n": 1}, attempts=3, backoff={"type": "fixed", "delay": 1})
    async with worker_of(queue, dead_letter=True):
        await eventually(lambda: _has(dead, 1))
        await eventually(lambda: _is_gone(queue, job))
    (letter,) = await dead.get_jobs("waiting")
    assert letter.name == "welcome"
    assert letter.data == {
        "queue": "email",
        "id": job.id,
        "reason": "cannot send 1",
        "attempts": 3,
        "failedOn": letter.data["failedOn"],
        "opts": {"attempts": 3, "backoff": {"type": "fixed", "delay": 1}},
        "data": {"n": 1},
    }
    assert await count(queue, "failed") == 0


async def test_one_that_would_be_removed_when_it_fails_is_moved_all_the_same(queue: Queue, dead: Queue) -> None:
    await queue.add("welcome", {"n": 1}, remove_on_fail=True)
    async with worker_of(queue, dead_letter="email-dead", remove_on_fail=True):
        await eventually(lambda: _has(dead, 1))


async def test_an_unrecoverable_error_needs_no_more_attempts(queue: Queue, dead: Queue) -> None:
    async def give_up(_: Job) -> None:
        raise UnrecoverableError("no such address")

    await queue.add("welcome", {"n": 1}, attempts=9)
    async with worker_of(queue, give_up, dead_letter=True):
        await eventually(lambda: _has(dead, 1))
    (letter,) = await dead.get_jobs("waiting")
    assert letter.data["reason"] == "no such address"


async def test_what_others_let_fail_is_moved_when_a_worker_starts(queue: Queue, dead: Queue) -> None:
    """As npm workers do, and a worker that died before it moved its jobs."""
    await failed(queue, *[await queue.add("welcome", {"n": n}) for n in range(5)])
    assert await count(queue, "failed") == 5
    async with worker_of(queue, dead_letter=True):
        await eventually(lambda: _has(dead, 5))
        await eventually(lambda: _has_failed(queue, 0))


async def test_jobs_that_others_count_on_and_cancelled_ones_stay(queue: Queue, dead: Queue) -> None:
    cancelled = await queue.add("welcome", {"n": 1})
    await queue.cancel(cancelled.id)
    async with FlowProducer(connection=queue.connection.endpoint, prefix=queue.keys.prefix) as flows:
        child: FlowJob = {"name": "child", "queue_name": "email", "data": {"n": 2}}
        node = await flows.add({"name": "parent", "queue_name": "email", "data": {"n": 3}, "children": [child]})
        await failed(queue, node.children[0].job)
    assert await queue.dead_letters().collect() == 0
    assert await count(queue, "failed") == 2
    assert await count(dead, "waiting") == 0


async def test_a_job_retried_between_copy_and_removal_leaves_no_letter(
    queue: Queue, dead: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await queue.add("welcome", {"n": 1})
    await failed(queue, job)
    letters = queue.dead_letters()
    add = letters._dead.add_jobs

    async def add_and_retry(jobs: Any) -> Any:
        added = await add(jobs)
        await job.retry()
        return added

    monkeypatch.setattr(type(letters._dead), "add_jobs", lambda _, jobs: add_and_retry(jobs))
    assert await letters.take(job.id) is False
    assert (await count(dead, "waiting"), await count(queue, "waiting")) == (0, 1)


async def test_a_crash_between_copy_and_removal_makes_no_second_letter(queue: Queue, dead: Queue) -> None:
    job = await queue.add("welcome", {"n": 1})
    await failed(queue, job)
    letters = queue.dead_letters()
    found = await queue.get_job(job.id)
    assert found is not None
    await letters._dead.add_jobs((letters._letter(found),))
    assert await letters.collect() == 1
    assert (await count(dead, "waiting"), await count(queue, "failed")) == (1, 0)


async def test_replayed_jobs_run_with_their_data_options_and_all_attempts(queue: Queue, dead: Queue) -> None:
    await failed(queue, await queue.add("welcome", {"n": 1}, attempts=2, priority=3, job_id="mine", delay=1))
    letters = queue.dead_letters()
    await letters.collect()
    assert await letters.replay() == 1
    (again,) = await queue.get_jobs("prioritized")
    assert (again.name, again.data, again.opts.attempts, again.attempts_made) == ("welcome", {"n": 1}, 2, 0)
    assert again.id.startswith("email-mine-")
    assert (await count(dead, "waiting"), again.opts.delay_ms) == (0, 0)


async def test_a_replayed_job_is_in_its_group_again(queue: Queue, dead: Queue) -> None:
    await failed(queue, await queue.add("welcome", {"n": 1}, group={"id": "acme", "weight": 2}))
    letters = queue.dead_letters()
    await letters.collect()
    assert (await dead.get_jobs("waiting"))[0].data["group"] == {"id": "acme", "weight": 2.0}
    await letters.replay()
    assert [job.group for job in await queue.get_group_jobs("acme")] == ["acme"]


async def test_replay_takes_one_or_as_many_as_its_limit_the_oldest_first(queue: Queue, dead: Queue) -> None:
    await failed(queue, *[await queue.add("welcome", {"n": n}) for n in range(5)])
    letters = queue.dead_letters()
    assert (await letters.collect(limit=2), await letters.collect()) == (2, 3)
    oldest, *_, newest = await dead.get_jobs("waiting", asc=True)
    assert await letters.replay(newest.id) == 1
    assert await letters.replay(limit=3) == 3
    assert await queue.get_job(oldest.id) is not None
    assert (await count(dead, "waiting"), await count(queue, "waiting")) == (1, 4)


async def test_a_job_that_is_no_letter_is_left_alone(queue: Queue, dead: Queue) -> None:
    other = await dead.add("other", {"queue": "another", "data": 1})
    letters = queue.dead_letters()
    assert await letters.replay() == 0
    with pytest.raises(InvalidPayloadError, match="is not a dead letter of queue email"):
        await letters.replay(other.id)
    with pytest.raises(JobNotFoundError, match="replay"):
        await letters.replay("nobody")


@pytest.mark.parametrize("name", ["a:b", "email", ""])
def test_a_name_that_cannot_be_is_refused(queue: Queue, name: str) -> None:
    with pytest.raises(InvalidOptionError, match="dead_letter"):
        worker_of(queue, dead_letter=name)
    with pytest.raises(InvalidOptionError, match="dead_letter"):
        queue.dead_letters(name)


async def _has(dead: Queue, letters: int) -> bool:
    return await count(dead, "waiting") == letters


async def _has_failed(queue: Queue, jobs: int) -> bool:
    return await count(queue, "failed") == jobs


async def _is_gone(queue: Queue, job: Job) -> bool:
    return await queue.get_job(job.id) is None


async def test_a_job_that_cannot_be_moved_keeps_no_other(queue: Queue, dead: Queue) -> None:
    """One has a key that others spoiled; one is locked, as a job is that was retried, and runs, in that moment."""
    jobs = [await queue.add("welcome", {"n": n}) for n in range(4)]
    await failed(queue, *jobs)
    await queue.connection.execute("SET", f"{queue.keys.of(jobs[0].id)}:dependencies", "a text")
    await queue.connection.execute("SET", f"{queue.keys.of(jobs[1].id)}:lock", "a token")
    assert await queue.dead_letters().collect() == 2
    assert await count(queue, "failed") == 2
    assert [letter.data["id"] for letter in await dead.get_jobs("waiting", asc=True)] == [job.id for job in jobs[2:]]
