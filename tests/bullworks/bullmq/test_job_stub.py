"""Job.stub: a job for unit tests of handlers, with no Redis anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import (
    Backoff,
    InvalidOptionError,
    InvalidPayloadError,
    Job,
    JobLockedError,
    JobStateError,
)


async def handler(job: Job[dict[str, Any], str]) -> str:
    """What a user would test."""
    await job.log(f"sending to {job.data['to']}")
    await job.update_progress(100)
    await job.update_data({**job.data, "sent": True})
    return "ok"


async def test_a_handler_can_be_run_with_it_and_what_it_wrote_looked_at() -> None:
    job: Job[dict[str, Any], str] = Job.stub(data={"to": "a@b"})
    assert await handler(job) == "ok"
    assert job.progress == 100
    assert job.data == {"to": "a@b", "sent": True}
    assert await job.logs() == ["sending to a@b"]


def test_it_is_what_it_was_told_to_be() -> None:
    job = Job.stub(
        {"a": 1}, name="mail", id="m-1", opts={"attempts": 3, "backoff": 500, "priority": 2}, attempts_made=1
    )
    assert (job.id, job.name, job.data, job.priority) == ("m-1", "mail", {"a": 1}, 2)
    assert (job.opts.attempts, job.opts.backoff) == (3, Backoff.fixed(500))
    assert (job.attempts_made, job.attempts_started) == (1, 2)


def test_it_looks_like_a_job_that_has_just_been_taken() -> None:
    job = Job.stub()
    assert (job.id, job.name, job.data, job.progress) == ("stub", "stub", None, 0)
    assert job.processed_on is not None
    assert (job.finished_on, job.returnvalue, job.failed_reason, job.stacktrace) == (None, None, None, [])
    assert repr(job) == "<Job stub 'stub' of queue 'stub'>"


async def test_progress_is_heard_by_whoever_listens() -> None:
    job = Job.stub()
    heard: list[Any] = []
    job.on_progress = lambda _, progress: heard.append(progress)
    await job.update_progress({"step": 1})
    assert heard == [{"step": 1}]


async def test_its_log_keeps_and_pages_as_a_real_one() -> None:
    job = Job.stub(opts={"keep_logs": 3})
    assert [await job.log(f"row {i}") for i in range(5)] == [1, 2, 3, 3, 3]
    assert await job.logs() == ["row 2", "row 3", "row 4"]
    assert await job.logs(0, 0) == ["row 2"]
    assert await job.logs(1) == ["row 3", "row 4"]
    assert await job.logs(-2, -1) == ["row 3", "row 4"]


async def test_refresh_keeps_what_was_written() -> None:
    job = Job.stub({"a": 1})
    await job.update_data({"a": 2})
    await job.update_progress(5)
    await job.refresh()
    assert (job.data, job.progress) == ({"a": 2}, 5)


async def test_it_answers_as_redis_would_for_a_job_that_a_worker_holds() -> None:
    job = Job.stub()
    assert await job.get_state() == "active"
    with pytest.raises(JobLockedError):
        await job.remove()
    with pytest.raises(JobStateError):
        await job.retry()
    with pytest.raises(JobStateError):
        await job.promote()


async def test_what_a_queue_would_refuse_it_refuses() -> None:
    with pytest.raises(InvalidPayloadError):
        Job.stub({"x": object()})
    with pytest.raises(InvalidOptionError, match="did you mean attempts"):
        Job.stub(opts={"atempts": 1})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(InvalidPayloadError):
        await Job.stub().update_progress(float("inf"))
    with pytest.raises(InvalidPayloadError):
        await Job.stub(opts={"size_limit": 10}).update_data("x" * 20)
