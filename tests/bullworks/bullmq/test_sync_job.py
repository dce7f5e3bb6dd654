"""SyncJob: what a handler in a thread gets is a Job in all but the waiting."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from bullworks.bullmq import Job, JobLockedError, JobSpec, Queue, SyncJob
from bullworks.bullmq.job.job import Progress
from tests.bullworks.bullmq.hand_worker import HandWorker

# How jobs are made, and what the worker reads and sets; a SyncJob is made from a Job. A handler returns or raises: only
# who takes jobs by hand stores what came of them.
NOT_FOR_HANDLERS = {
    "from_reply", "stub", "on_progress", "absorb", "stored", "timing", "offer_signal", "is_ordinary",
    "move_to_completed", "move_to_failed", "journal", "store_mark", "suspend",
}  # fmt: skip
# What they call is the handler's own: plain code in a plain handler.
CALL_THE_HANDLERS_CODE = {"step", "cursor"}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")} - NOT_FOR_HANDLERS


def test_it_has_every_method_and_attribute_of_a_job() -> None:
    assert public(SyncJob) == public(Job)


@pytest.mark.parametrize("name", sorted(name for name in public(Job) if inspect.isfunction(getattr(Job, name))))
def test_each_method_takes_the_same_and_blocks(name: str) -> None:
    asynchronous, blocking = getattr(Job, name), getattr(SyncJob, name)
    if name in CALL_THE_HANDLERS_CODE:
        assert list(inspect.signature(blocking).parameters) == list(inspect.signature(asynchronous).parameters)
    else:
        assert inspect.signature(blocking) == inspect.signature(asynchronous)
        assert inspect.iscoroutinefunction(asynchronous)
    assert not inspect.iscoroutinefunction(blocking)
    assert f"see Job.{name}." in (blocking.__doc__ or "")


def test_each_attribute_is_the_jobs_own() -> None:
    job = Job.stub({"a": 1}, name="mail", id="m-1", opts={"attempts": 3}, attempts_made=1)
    loop = asyncio.new_event_loop()
    try:
        sync_job: Any = SyncJob(job, loop)
        for name in public(Job):
            if not inspect.isfunction(getattr(Job, name)):
                assert getattr(sync_job, name) == getattr(job, name), name
        assert repr(sync_job) == "<SyncJob m-1 'mail' of queue 'stub'>"
    finally:
        loop.close()


async def test_a_handler_in_a_thread_works_with_its_job(queue: Queue, hand: HandWorker) -> None:
    added = await queue.add("mail", {"n": 1}, keep_logs=5)
    await hand.take()
    heard: list[Progress] = []

    def handler(job: SyncJob[dict[str, Any], str]) -> list[str]:
        job.update_progress(50)
        job.update_data({"n": job.data["n"] + 1})
        assert job.log("a line") == 1
        assert job.get_state() == "active"
        with pytest.raises(JobLockedError):
            job.remove()
        job.refresh()
        assert (job.progress, job.data) == (50, {"n": 2})
        return job.logs()

    added.on_progress = lambda _, progress: heard.append(progress)
    assert await asyncio.to_thread(handler, SyncJob(added, asyncio.get_running_loop())) == ["a line"]
    assert heard == [50]


async def test_it_can_be_retried_and_promoted(queue: Queue, hand: HandWorker) -> None:
    await queue.add("a")
    await hand.take()
    await hand.fail()
    failed, delayed = await queue.get_job("1"), await queue.add("d", None, delay=60_000)
    assert failed is not None
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(SyncJob(failed, loop).retry, "failed", reset_attempts_made=True)
    await asyncio.to_thread(SyncJob(delayed, loop).promote)
    assert [job.id for job in await queue.get_waiting()] == ["1", "2"]
    await asyncio.to_thread(SyncJob(delayed, loop).remove)
    assert await queue.get_job_counts("waiting") == {"waiting": 1}


async def test_it_changes_its_job_and_knows_where_it_is(queue: Queue) -> None:
    added, delayed = await queue.add("a"), await queue.add("d", None, delay=60_000)
    await added.log("row")
    loop = asyncio.get_running_loop()

    def change() -> list[bool]:
        job, later = SyncJob(added, loop), SyncJob(delayed, loop)
        job.clear_logs()
        job.change_priority(priority=3)
        later.change_delay(30_000)
        assert not job.extend_lock("token", 1_000)
        asked = (job.is_completed, job.is_failed, job.is_active, job.is_waiting, job.is_waiting_children)
        return [*(ask() for ask in asked), later.is_delayed()]

    assert await asyncio.to_thread(change) == [False, False, False, False, False, True]
    assert (await added.logs(), added.priority, delayed.delay) == ([], 3, 30_000)


async def test_it_moves_the_job_that_it_holds(queue: Queue, hand: HandWorker) -> None:
    await queue.add_bulk([JobSpec("a"), JobSpec("b")])

    def take_and_move(job: SyncJob) -> None:
        assert not job.move_to_waiting_children(hand.token)
        if job.id == "1":
            job.move_to_delayed(2**40, hand.token)
        else:
            job.move_to_wait(hand.token)

    for expected in ("delayed", "waiting"):
        job = await queue.get_job(await hand.take() or "")
        assert job is not None
        await asyncio.to_thread(take_and_move, SyncJob(job, asyncio.get_running_loop()))
        assert await job.get_state() == expected
