"""Processing by hand: a worker without a processor takes jobs, and whoever asked ends them."""

import asyncio
import time
from typing import Any

import pytest

from bullworks.bullmq import (
    InvalidOptionError,
    InvalidPayloadError,
    Job,
    JobChildrenError,
    JobNotFoundError,
    JobSpec,
    JobStateError,
    LockLostError,
    UnrecoverableError,
    Worker,
)
from bullworks.redis.errors import ConnectionLostError
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import BUSY_S, eventually


def by_hand(bench: Bench, **options: Any) -> Worker:
    return bench.worker(None, **options)  # type: ignore[arg-type]


async def take(worker: Worker, token: str = "token") -> Job:
    job = await worker.get_next_job(token, block=False)
    assert job is not None
    return job


async def test_a_job_is_taken_completed_and_the_next_comes_with_it(bench: Bench):
    first, second = await bench.queue.add_bulk([JobSpec("a", 1), JobSpec("b", 2)])
    async with by_hand(bench, name="hand") as worker:
        job = await take(worker)
        assert (job.id, job.token, job.processed_by, job.attempts_started) == (first.id, "token", "hand", 1)
        following = await job.move_to_completed({"ok": 1}, fetch_next=True)
        assert following is not None
        assert (following.id, following.token, following.data) == (second.id, "token", 2)
        assert await following.move_to_completed(None, fetch_next=True) is None
    assert (job.returnvalue, job.attempts_made, job.moved_to) == ({"ok": 1}, 1, "completed")
    assert job.finished_on is not None
    assert await bench.ids("completed") == [first.id, second.id]


async def test_workers_have_ids_of_their_own(bench: Bench):
    first, second = by_hand(bench), by_hand(bench)
    assert first.id != second.id
    assert first.id == first.id.strip() != ""


async def test_an_empty_queue_answers_at_once_or_waits_for_a_job(bench: Bench):
    worker = by_hand(bench, drain_delay=10_000)
    assert await worker.get_next_job("t", block=False) is None
    waiting = asyncio.create_task(worker.get_next_job("t"))
    await bench.blocked_in_redis()
    job = await bench.queue.add("a")
    taken = await asyncio.wait_for(waiting, BUSY_S)
    assert taken is not None
    assert taken.id == job.id


async def test_a_wait_ends_with_the_drain_delay_or_when_a_delayed_job_is_due(bench: Bench):
    worker = by_hand(bench, drain_delay=200)
    assert await worker.get_next_job("t") is None
    await bench.queue.add("soon", delay=100)
    job = await eventually(lambda: worker.get_next_job("t"))
    assert job.name == "soon"


async def test_waits_of_several_callers_each_get_a_job(bench: Bench):
    worker = by_hand(bench, drain_delay=10_000)
    waiting = [asyncio.create_task(worker.get_next_job(f"t{i}")) for i in range(3)]
    await bench.blocked_in_redis()
    added = await bench.queue.add_bulk([JobSpec("n", i) for i in range(3)])
    taken = await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert sorted(job.id for job in taken if job) == [job.id for job in added]


async def test_closing_ends_a_wait_and_leaves_no_job_behind(bench: Bench):
    worker = by_hand(bench, drain_delay=10_000)
    waiting = asyncio.create_task(worker.get_next_job("t"))
    await bench.blocked_in_redis()
    await asyncio.wait_for(worker.close(), BUSY_S)
    assert await waiting is None
    assert await worker.get_next_job("t") is None
    await bench.queue.add("later")
    assert await bench.ids("active") == []


async def test_a_paused_worker_and_a_limited_rate_answer_at_once(bench: Bench):
    await bench.queue.add("a")
    worker = by_hand(bench, drain_delay=10_000)
    await worker.pause()
    assert await worker.get_next_job("t") is None
    worker.resume()
    await worker.rate_limit(60_000)
    begun = time.monotonic()
    assert await worker.get_next_job("t") is None
    assert time.monotonic() - begun < BUSY_S
    assert await bench.command("EXISTS", bench.key("marker")) == 1
    await bench.queue.remove_rate_limit_key()
    await take(worker)


async def test_running_it_is_an_error_that_says_what_to_do_instead(bench: Bench):
    worker = by_hand(bench)
    with pytest.raises(InvalidOptionError, match="get_next_job"):
        await worker.run()
    with pytest.raises(InvalidOptionError, match="token"):
        await worker.get_next_job("")


async def test_failing_follows_the_jobs_options(bench: Bench):
    await bench.queue.add("a", {}, attempts=3, backoff={"type": "mine"})
    worker = by_hand(bench, backoff_strategy=lambda attempts_made, *_: 0 if attempts_made == 1 else 60_000)
    job = await take(worker)
    again = await job.move_to_failed(RuntimeError("one"), fetch_next=True)
    assert (job.moved_to, job.attempts_made, job.failed_reason) == ("waiting", 1, "one")
    assert again is not None
    await again.move_to_failed(RuntimeError("two"))
    assert (again.moved_to, again.delay, again.finished_on) == ("delayed", 60_000, None)
    assert len(again.stacktrace) == 2
    await again.promote()
    last = await take(worker)
    await last.move_to_failed(UnrecoverableError("three"))
    assert await bench.ids("failed") == [job.id]
    assert last.finished_on is not None


async def test_retention_of_the_job_and_of_the_worker_hold(bench: Bench):
    await bench.queue.add_bulk([JobSpec("a"), JobSpec("b", remove_on_complete=True), JobSpec("c")])
    worker = by_hand(bench, remove_on_complete=1, remove_on_fail=True)
    for _ in range(2):
        await (await take(worker)).move_to_completed(1)
    assert await bench.ids("completed") == ["1"]
    await (await take(worker)).move_to_failed(RuntimeError("x"))
    assert await bench.ids("failed") == []


async def test_moves_of_a_job_that_is_not_ours_change_nothing(bench: Bench):
    await bench.queue.add("a")
    job = await take(by_hand(bench))
    before = (await bench.hash(job.id), await bench.ids("active"), len(await bench.events()))
    for move in (
        job.move_to_completed(1, "foreign"),
        job.move_to_failed(RuntimeError("x"), "foreign"),
        job.move_to_delayed(5, "foreign"),
        job.move_to_wait("foreign"),
        job.move_to_waiting_children("foreign"),
    ):
        with pytest.raises(LockLostError):
            await move
    assert before == (await bench.hash(job.id), await bench.ids("active"), len(await bench.events()))
    assert not await job.extend_lock("foreign", 1_000)
    await bench.command("DEL", bench.key(f"{job.id}:lock"))
    with pytest.raises(LockLostError):
        await job.move_to_completed(1)
    assert job.moved_to is None


async def test_a_job_that_is_gone_or_not_active_is_an_error_of_its_own(bench: Bench):
    await bench.queue.add_bulk([JobSpec("a"), JobSpec("b")])
    worker = by_hand(bench)
    gone, idle = await take(worker), await take(worker)
    await bench.command("DEL", bench.key(gone.id))
    with pytest.raises(JobNotFoundError):
        await gone.move_to_completed(1)
    await bench.command("DEL", bench.key("active"))
    with pytest.raises(JobStateError, match="active"):
        await idle.move_to_wait()


async def test_a_job_that_was_only_read_has_no_token(bench: Bench):
    job = await bench.queue.add("a")
    with pytest.raises(InvalidOptionError, match="token"):
        await job.move_to_wait()


async def test_what_is_no_json_or_no_time_is_refused_before_redis_hears_of_it(bench: Bench):
    await bench.queue.add("a")
    job = await take(by_hand(bench))
    with pytest.raises(InvalidPayloadError):
        await job.move_to_completed(object())
    for timestamp in (-1, 2**60, True, 1.5):
        with pytest.raises(InvalidOptionError, match="timestamp"):
            await job.move_to_delayed(timestamp)  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="duration"):
        await job.extend_lock("token", 0)
    assert await bench.ids("active") == [job.id]


async def test_delaying_spends_no_attempt_and_sets_the_time(bench: Bench):
    await bench.queue.add("a", {}, attempts=2)
    job = await take(by_hand(bench))
    at_ms = time.time_ns() // 1_000_000 + 60_000
    await job.move_to_delayed(at_ms)
    assert await bench.command("ZSCORE", bench.key("delayed"), job.id) == b"%d" % (at_ms * 4096)
    stored = await bench.hash(job.id)
    assert "atm" not in stored
    assert 59_000 < int(stored["delay"]) <= 60_000
    assert abs(job.delay - int(stored["delay"])) < 5
    assert (await bench.events())[-1] == {"event": "delayed", "jobId": job.id, "delay": str(at_ms)}


async def test_a_job_put_back_is_the_next_one(bench: Bench):
    await bench.queue.add_bulk([JobSpec("a"), JobSpec("b"), JobSpec("p", priority=3), JobSpec("q", priority=3)])
    worker = by_hand(bench)
    job = await take(worker)
    await job.move_to_wait()
    assert (await take(worker)).id == job.id
    await (await take(worker)).move_to_completed(1)
    prioritized = await take(worker)
    await prioritized.move_to_wait()
    assert (await take(worker)).id == prioritized.id == "3"


async def test_waiting_for_children_ends_when_they_do(bench: Bench):
    await bench.queue.add("parent")
    worker = by_hand(bench)
    parent = await take(worker)
    assert not await parent.move_to_waiting_children()
    for job_id in ("one", "two"):
        await bench.queue.add("child", {}, job_id=job_id, parent={"id": parent.id, "queue": f"{bench.prefix}:work"})
    with pytest.raises(JobChildrenError, match="open"):
        await parent.move_to_completed(1)
    queue = f"{bench.prefix}:work"
    assert not await parent.move_to_waiting_children(child={"id": "three", "queue": queue})
    assert await parent.move_to_waiting_children(child={"id": "one", "queue": queue})
    assert await parent.is_waiting_children()
    for _ in range(2):
        await (await take(worker)).move_to_completed("done")
    parent = await take(worker)
    assert sorted((await parent.get_children_values()).values()) == ["done", "done"]
    await bench.command("ZADD", bench.key(f"{parent.id}:unsuccessful"), 1, "x")
    for refused in (parent.move_to_waiting_children(), parent.move_to_completed(1)):
        with pytest.raises(JobChildrenError, match="failed"):
            await refused
    await parent.move_to_failed(RuntimeError("then"))


async def test_a_lock_is_extended_by_hand(bench: Bench):
    await bench.queue.add("a")
    job = await take(by_hand(bench, lock_duration=1_000))
    assert await job.extend_lock("token", 60_000)
    assert await bench.command("PTTL", bench.key(f"{job.id}:lock")) > 50_000


async def test_a_stalled_check_by_hand_brings_jobs_back(bench: Bench):
    await bench.queue.add("a")
    worker = by_hand(bench, stalled_interval=100)
    job = await take(worker)
    assert await worker.run_stalled_check() == []
    await bench.command("DEL", bench.key(f"{job.id}:lock"))
    assert await eventually(worker.run_stalled_check) == [job.id]
    assert (await take(worker)).stalled_counter == 1


async def test_the_stalled_check_timer_runs_until_the_worker_is_closed(bench: Bench):
    told: list[str] = []
    await bench.queue.add("a")
    worker = by_hand(bench, stalled_interval=100)
    worker.on("stalled", told.append)
    job = await take(worker)
    await worker.start_stalled_check_timer()
    await worker.start_stalled_check_timer()
    await bench.command("DEL", bench.key(f"{job.id}:lock"))
    await eventually(lambda: told == [job.id])
    await worker.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "stalled-checker:work"]


async def test_a_worker_may_leave_stalled_checks_to_others(bench: Bench):
    async def process(job: Any) -> None: ...

    async with bench.worker(process, skip_stalled_check=True, stalled_interval=100) as running:
        await running.start_stalled_check_timer()
        await bench.blocked_in_redis()
    assert await bench.command("EXISTS", bench.key("stalled-check")) == 0


async def test_progress_of_a_job_taken_by_hand_is_told_by_its_worker(bench: Bench):
    told: list[Any] = []
    await bench.queue.add("a")
    worker = by_hand(bench)
    worker.on("progress", lambda job, progress: told.append((job.id, progress)))
    await (await take(worker)).update_progress(50)
    assert told == [("1", 50)]


async def test_a_schedulers_job_taken_by_hand_has_its_next_one_stored(bench: Bench):
    first = await bench.queue.upsert_job_scheduler("s", {"every": 60_000})
    job = await take(by_hand(bench))
    assert job.id == first.id
    assert len(await bench.ids("delayed")) == 1


async def test_a_stored_outcome_is_not_lost_to_an_error_in_fetching(bench: Bench):
    await bench.queue.add_bulk([JobSpec("a"), JobSpec("b")])
    job = await take(by_hand(bench))
    await bench.command("SET", bench.key("delayed"), "not a sorted set")
    with pytest.raises(Exception, match="delayed is a string"):
        await job.move_to_completed(1, fetch_next=True)
    assert await bench.ids("completed") == [job.id]


async def test_no_next_job_comes_where_the_outcome_is_refused(bench: Bench):
    """It would be active under a token whose holder was told of an error only."""
    await bench.queue.add_bulk([JobSpec("a"), JobSpec("b")])
    job = await take(by_hand(bench))
    with pytest.raises(LockLostError):
        await job.move_to_completed(1, "foreign", fetch_next=True)
    assert await bench.ids("active") == [job.id]
    assert len(await bench.ids("wait")) == 1


async def test_a_wait_that_breaks_off_is_an_error_and_the_next_one_works(bench: Bench):
    worker = by_hand(bench)
    for _ in range(2):
        waiting = asyncio.create_task(worker.get_next_job("t"))
        await bench.blocked_in_redis()
        await bench.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with pytest.raises(ConnectionLostError):
            await asyncio.wait_for(waiting, 5)
    waiting = asyncio.create_task(worker.get_next_job("t"))
    await bench.blocked_in_redis()
    await worker.close()
    assert await asyncio.wait_for(waiting, 5) is None
