"""Which jobs a worker takes, when, and how many at once."""

import asyncio
from typing import Any

import pytest

from bullworks.bullmq.queue.bulk import JobSpec
from bullworks.bullmq.worker import intake
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import BUSY_S, eventually


async def test_jobs_run_in_order_then_by_priority(bench: Bench):
    seen: list[str] = []

    async def process(job: Any) -> None:
        seen.append(job.name)

    specs = [
        JobSpec("p3", {}, priority=3),
        JobSpec("first", {}),
        JobSpec("p1", {}, priority=1),
        JobSpec("second", {}),
        JobSpec("p3b", {}, priority=3),
        JobSpec("head", {}, lifo=True),
    ]
    await bench.queue.add_bulk(specs)
    async with bench.worker(process):
        await bench.until_in("completed", len(specs))
    assert seen == ["head", "first", "second", "p1", "p3", "p3b"]
    assert await bench.command("EXISTS", bench.key("pc")) == 0


async def test_never_more_handlers_run_than_the_concurrency_and_all_slots_are_used(bench: Bench):
    running = peak = 0

    async def process(job: Any) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        assert len(await bench.ids("active")) <= 7
        await asyncio.sleep(0.005)
        running -= 1

    await bench.queue.add_bulk([JobSpec("n", i) for i in range(200)])
    async with bench.worker(process, concurrency=7):
        await bench.until_in("completed", 200)
    assert await bench.ids("failed") == []
    assert peak == 7


async def test_a_delayed_job_runs_when_it_is_due_and_not_before(bench: Bench):
    ran: list[float] = []
    loop = asyncio.get_running_loop()

    async def process(job: Any) -> None:
        ran.append(loop.time())

    async with bench.worker(process):
        added = loop.time()
        await bench.queue.add("later", {}, delay=400)
        await bench.until_in("completed", 1)
    assert 0.38 <= ran[0] - added < 0.4 + BUSY_S


async def test_a_job_added_while_the_worker_waits_is_picked_up_at_once(bench: Bench):
    async def process(job: Any) -> None: ...

    async with bench.worker(process, drain_delay=10_000):
        await bench.blocked_in_redis()
        await bench.queue.add("now", {})
        await bench.until_in("completed", 1, within_s=BUSY_S)
    assert await bench.ids("wait") == []


async def test_a_paused_queue_keeps_its_jobs_and_a_resumed_one_runs_them(bench: Bench):
    async def process(job: Any) -> None: ...

    async with bench.worker(process):
        await bench.blocked_in_redis()
        await bench.queue.pause()
        job = await bench.queue.add("n", {})
        await bench.queue.connection.execute("PING")
        assert await bench.ids("wait") == [job.id]
        await bench.queue.resume()
        await bench.until_in("completed", 1)
    assert await bench.ids("wait") == []


async def test_a_paused_worker_takes_nothing_until_it_is_resumed(bench: Bench):
    async def process(job: Any) -> None: ...

    worker = bench.worker(process)
    async with worker:
        await bench.blocked_in_redis()
        await worker.pause()
        await bench.queue.add_bulk([JobSpec("n", i) for i in range(3)])
        assert worker.is_paused
        assert len(await bench.ids("wait")) == 3
        worker.resume()
        await bench.until_in("completed", 3)
    assert not worker.is_paused


async def test_the_fleets_concurrency_is_kept_over_two_workers(bench: Bench):
    running = peak = 0

    async def process(job: Any) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.01)
        running -= 1

    await bench.queue.add_bulk([JobSpec("n", i) for i in range(20)])
    await bench.command("HSET", bench.key("meta"), "concurrency", 2)
    async with bench.worker(process, concurrency=5), bench.worker(process, concurrency=5):
        await bench.until_in("completed", 20)
    assert peak == 2


@pytest.mark.parametrize("slots", [(6, 6), (5, 5), (3, 6)], ids=str)
async def test_equal_workers_share_what_the_fleet_may_run(bench: Bench, slots: tuple[int, int]):
    """The one that has all places would take the next job with each outcome, and keep them for ever."""
    shares = [0, 0]

    def process_of(number: int) -> Any:
        async def process(job: Any) -> None:
            shares[number] += 1
            await asyncio.sleep(0.005)

        return process

    await bench.command("HSET", bench.key("meta"), "concurrency", 5)
    first, second = (bench.worker(process_of(number), concurrency=count) for number, count in enumerate(slots))
    async with first, second:
        await bench.queue.add_bulk([JobSpec("n", i) for i in range(300)])
        await bench.until_in("completed", 300)
    assert min(shares) >= 90, shares


async def test_a_limiter_starts_so_many_jobs_per_duration(bench: Bench):
    started: list[float] = []
    loop = asyncio.get_running_loop()

    async def process(job: Any) -> None:
        started.append(loop.time())

    await bench.queue.add_bulk([JobSpec("n", i) for i in range(9)])
    async with bench.worker(process, concurrency=10, limiter={"max": 3, "duration": 300}):
        await bench.until_in("completed", 9)
    assert started[3] - started[0] >= 0.25
    assert started[6] - started[3] >= 0.25


async def test_a_job_that_stalled_runs_alone(bench: Bench):
    beside: dict[str, int] = {}
    running: set[str] = set()

    async def process(job: Any) -> None:
        running.add(job.name)
        await asyncio.sleep(0.02)
        beside[job.name] = len(running) - 1
        running.discard(job.name)

    jobs = await bench.queue.add_bulk([JobSpec(f"n{i}", {}) for i in range(12)])
    for suspect in (jobs[3], jobs[4], jobs[9]):
        await bench.command("HSET", bench.key(suspect.id), "stc", 2)
    async with bench.worker(process, concurrency=10), bench.worker(process, concurrency=10):
        await bench.until_in("completed", 12)
    assert await bench.ids("active") == []
    assert await bench.command("LLEN", bench.key("wait")) == 0


async def test_a_suspect_waits_until_its_worker_holds_nothing_and_others_pass_it(bench: Bench):
    running: set[str] = set()
    beside_suspect: list[set[str]] = []
    release = asyncio.Event()

    async def process(job: Any) -> None:
        if job.name == "suspect":
            beside_suspect.append(set(running))
            return
        running.add(job.name)
        await release.wait()
        running.discard(job.name)

    jobs = await bench.queue.add_bulk([JobSpec("a", {}), JobSpec("suspect", {}), JobSpec("b", {})])
    await bench.command("HSET", bench.key(jobs[1].id), "stc", 2)
    worker = bench.worker(process, concurrency=10)
    async with worker:
        await eventually(lambda: running == {"a", "b"})
        await bench.queue.add("c", {})
        await eventually(lambda: running == {"a", "b", "c"})
        release.set()
        await bench.until_in("completed", 4)
    assert beside_suspect == [set()]


async def test_a_worker_that_is_always_busy_makes_room_for_a_suspect_in_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """Else it would be passed for ever."""
    monkeypatch.setattr(intake, "_PASSES_SUSPECTS_S", 0.3)
    running: set[str] = set()
    beside: list[set[str]] = []
    is_over = asyncio.Event()

    async def process(job: Any) -> None:
        if job.name == "suspect":
            beside.append(set(running))
            await asyncio.sleep(0.02)
            beside.append(set(running))
            return
        running.add(job.id)
        if not is_over.is_set():
            await bench.queue.add("n", {})
        await asyncio.sleep(0.01)
        running.discard(job.id)

    suspects = await bench.queue.add_bulk([JobSpec("suspect", {}) for _ in range(2)])
    for job in suspects:
        await bench.command("HSET", bench.key(job.id), "stc", 2)
    await bench.queue.add_bulk([JobSpec("n", {}) for _ in range(8)])
    async with bench.worker(process, concurrency=4):
        await eventually(lambda: len(beside) == 4, within_s=10)
        is_over.set()
        await bench.worker_idle()
    assert beside == [set()] * 4


async def test_the_first_rerun_of_stalled_jobs_is_parallel_and_told_in_their_hash(bench: Bench):
    """What dies then has died beside others: that condemns none of them."""
    running = 0
    peak = 0

    async def process(job: Any) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.02)
        running -= 1

    jobs = await bench.queue.add_bulk([JobSpec("n", {}) for _ in range(6)])
    for job in jobs:
        await bench.command("HSET", bench.key(job.id), "stc", 1)
    async with bench.worker(process, concurrency=6):
        await bench.until_in("completed", 6)
    assert peak == 6
    assert {(await bench.hash(job.id))["beside"] for job in jobs} == {"1"}


async def test_a_job_that_stalled_too_often_is_failed_without_being_run(bench: Bench):
    called: list[str] = []

    async def process(job: Any) -> None:
        called.append(job.id)

    job = await bench.queue.add("poison", {}, attempts=3)
    await bench.command("HSET", bench.key(job.id), "stc", 2, "defa", "job stalled more than allowable limit")
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    assert called == []
    assert (await bench.hash(job.id))["failedReason"] == "job stalled more than allowable limit"


async def test_an_id_whose_job_was_removed_is_skipped(bench: Bench):
    async def process(job: Any) -> None: ...

    gone, good = await bench.queue.add_bulk([JobSpec("gone", {}), JobSpec("good", {})])
    await bench.command("DEL", bench.key(gone.id))
    async with bench.worker(process):
        assert await bench.until_in("completed", 1) == [good.id]
    assert await bench.ids("active") == []


async def test_a_key_of_another_type_is_named_and_the_worker_goes_on_once_it_is_gone(bench: Bench, caplog: Any):
    async def process(job: Any) -> None: ...

    await bench.queue.add("n", {})
    await bench.command("SET", bench.key("delayed"), "not a sorted set")
    async with bench.worker(process):
        await eventually(lambda: "delayed is a string" in caplog.text)
        assert caplog.text.count("delayed is a string") < 5
        await bench.command("DEL", bench.key("delayed"))
        await bench.until_in("completed", 1)


async def test_a_wrong_destination_leaves_the_job_ours_until_it_can_be_stored(bench: Bench):
    async def process(job: Any) -> str:
        return "done"

    await bench.command("SET", bench.key("completed"), "not a sorted set")
    job = await bench.queue.add("n", {})
    async with bench.worker(process):
        await bench.until_in("active", 1)
        await eventually(lambda: bench.command("EXISTS", bench.key(f"{job.id}:lock")))
        await bench.command("DEL", bench.key("completed"))
        await bench.until_in("completed", 1)
    assert (await bench.hash(job.id))["returnvalue"] == '"done"'
