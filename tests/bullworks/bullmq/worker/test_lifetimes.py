"""A job whose time is over before it starts is not run, and no retry is made past it; Redis's clock decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, InvalidOptionError, Job, JobExpiredError, JobSpec
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually

HOUR_MS = 3_600_000
PAST_MS = 1_700_000_000_000
EXPIRED = datetime.fromtimestamp(PAST_MS / 1000, UTC)


class Recorder:
    """A handler that notes the names of the jobs it ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def __call__(self, job: Job) -> None:
        self.ran.append(job.name)


async def test_only_jobs_whose_time_is_over_are_failed_unrun(bench: Bench):
    recorder = Recorder()
    told: list[Any] = []
    await bench.queue.add_bulk(
        [
            JobSpec("late", expires=1, timestamp=PAST_MS),
            JobSpec("late by date", expires=EXPIRED, attempts=5),
            JobSpec("in time", expires=timedelta(hours=1)),
            JobSpec("in time by date", expires=datetime.now(UTC) + timedelta(hours=1)),
            JobSpec("for ever", timestamp=PAST_MS),
        ]
    )
    worker = bench.worker(recorder)
    worker.on("failed", lambda job, error, prev: told.append(error))
    async with worker:
        failed = await bench.until_in("failed", 2)
        await bench.until_in("completed", 3)
    assert recorder.ran == ["in time", "in time by date", "for ever"]
    late, by_date = [await bench.hash(job_id) for job_id in sorted(failed)]
    assert "1: expired, it was to start before 2023-11-14 22:13:20.001000+00:00 and was taken" in late["failedReason"]
    assert "2: expired, it was to start before 2023-11-14 22:13:20+00:00 and was taken" in by_date["failedReason"]
    assert (by_date["atm"], by_date["ats"]) == ("1", "1"), "no attempt is left to a job that expired"
    assert {type(error) for error in told} == {JobExpiredError}
    assert {error.expired_at for error in told} == {EXPIRED, EXPIRED + timedelta(milliseconds=1)}


async def test_a_lifetime_counts_from_when_the_job_was_first_due(bench: Bench):
    recorder = Recorder()
    due_long_ago, due_now = await bench.queue.add_bulk(
        [
            JobSpec("late", timestamp=PAST_MS, delay=HOUR_MS, expires=HOUR_MS),
            JobSpec("in time", delay=1, expires=HOUR_MS),
        ]
    )
    assert due_long_ago.expires_on == PAST_MS + 2 * HOUR_MS
    assert due_now.expires_on == due_now.timestamp + 1 + HOUR_MS
    await due_long_ago.promote()
    async with bench.worker(recorder):
        assert await bench.until_in("failed", 1) == [due_long_ago.id]
        await bench.until_in("completed", 1)
    assert recorder.ran == ["in time"]


async def test_a_retry_that_would_start_too_late_is_not_made_and_the_last_error_is_the_reason(bench: Bench):
    async def process(job: Job) -> None:
        raise ConnectionError("out of reach")

    job = await bench.queue.add("n", attempts=5, backoff=HOUR_MS, expires=HOUR_MS)
    again = await bench.queue.add("n", attempts=5, backoff=HOUR_MS, expires=2 * HOUR_MS)
    async with bench.worker(process):
        assert await bench.until_in("failed", 1) == [job.id]
        assert await bench.until_in("delayed", 1) == [again.id]
    stored = await bench.hash(job.id)
    assert (stored["failedReason"], stored["atm"]) == ("out of reach", "1")
    assert "retries-exhausted" not in {event["event"] for event in await bench.events()}


async def test_a_retry_that_comes_too_late_all_the_same_is_failed_unrun(bench: Bench):
    """As after a worker that died: its job is brought back when the time is over."""
    recorder = Recorder()
    job = await bench.queue.add("n", attempts=5, expires=HOUR_MS)
    await bench.command("HSET", bench.key(job.id), "timestamp", PAST_MS, "ats", 1, "stc", 1)
    async with bench.worker(recorder):
        await bench.until_in("failed", 1)
    assert recorder.ran == []


async def test_expired_jobs_do_not_count_against_a_rate_limit(bench: Bench):
    recorder = Recorder()
    await bench.queue.add_bulk([JobSpec("late", expires=EXPIRED) for _ in range(20)] + [JobSpec("in time")])
    async with bench.worker(recorder, limiter={"max": 1, "duration": HOUR_MS}):
        await bench.until_in("completed", 1)
    assert len(await bench.ids("failed")) == 20
    assert recorder.ran == ["in time"]


async def test_an_expired_job_is_removed_where_failed_ones_are_and_its_parent_is_told(bench: Bench):
    recorder = Recorder()
    async with FlowProducer(connection=bench.queue.connection, prefix=bench.prefix) as flows:
        child: Any = {"name": "late", "queue_name": "work", "opts": {"expires": EXPIRED, "remove_on_fail": True}}
        child["opts"]["ignore_dependency_on_failure"] = True
        flow = await flows.add({"name": "parent", "queue_name": "work", "children": [child]})
    async with bench.worker(recorder):
        assert await bench.until_in("completed", 1) == [flow.job.id]
    assert recorder.ran == ["parent"]
    assert await bench.ids("failed") == []


async def test_an_expired_job_goes_to_the_dead_letters_and_one_that_is_replayed_has_all_its_time(bench: Bench):
    recorder = Recorder()
    await bench.queue.add("late", expires=HOUR_MS, timestamp=PAST_MS)
    letters = bench.queue.dead_letters()
    async with bench.worker(recorder, dead_letter=True):
        await eventually(letters.replay)
        await bench.until_in("completed", 1)
    assert recorder.ran == ["late"]


@pytest.mark.parametrize("expires", ["7", '"soon"', "-5", "null", "{}", '{"at":"x"}', "[1]", "1e999"])
async def test_what_somebody_else_wrote_as_a_lifetime_harms_no_job(bench: Bench, expires: str):
    recorder = Recorder()
    job = await bench.queue.add("n", timestamp=PAST_MS)
    await bench.command("HSET", bench.key(job.id), "opts", f'{{"attempts":0,"expires":{expires}}}')
    async with bench.worker(recorder, limiter={"max": 1, "duration": 1_000}):
        await bench.until_in("failed" if expires == "7" else "completed", 1)
    assert recorder.ran == ([] if expires == "7" else ["n"])


async def test_a_job_without_a_lifetime_lies_in_redis_as_ever(bench: Bench):
    job = await bench.queue.add("n", {"a": 1})
    assert await bench.hash(job.id) == {
        "name": "n",
        "data": '{"a":1}',
        "opts": '{"attempts":0}',
        "timestamp": str(job.timestamp),
        "delay": "0",
        "priority": "0",
    }


async def test_each_job_of_a_scheduler_lives_from_when_it_is_due(bench: Bench):
    ran: list[tuple[int, int]] = []

    async def process(job: Job) -> None:
        assert job.expires_on is not None
        ran.append((int(job.id.rpartition(":")[2]), job.expires_on))

    await bench.queue.upsert_job_scheduler("tick", {"every": 50}, {"opts": {"expires": HOUR_MS}})
    async with bench.worker(process):
        await bench.until_in("completed", 3)
    assert {expires_on - due_ms for due_ms, expires_on in ran[1:]} == {HOUR_MS}


async def test_a_schedulers_jobs_take_no_date_as_their_end(bench: Bench):
    with pytest.raises(InvalidOptionError, match="expires: of a scheduler's jobs is a duration"):
        await bench.queue.upsert_job_scheduler("tick", {"every": 50}, {"opts": {"expires": EXPIRED}})
