"""How many jobs a fleet may start and run, and who is woken when one more may."""

import asyncio
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, JobSpec, QueueMeta, RateLimit
from bullworks.bullmq.worker.intake import LIMITED
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import BUSY_S, eventually


async def test_a_manual_rate_limit_keeps_all_workers_from_taking_jobs_until_it_ends(bench: Bench):
    started: list[float] = []
    loop = asyncio.get_running_loop()

    async def process(job: Any) -> None:
        started.append(loop.time())

    await bench.queue.rate_limit(400)
    limited_at = loop.time()
    assert 300 < await bench.queue.get_rate_limit_ttl() <= 400
    await bench.queue.add_bulk([JobSpec("n", i) for i in range(4)])
    async with bench.worker(process), bench.worker(process, limiter={"max": 100, "duration": 1000}):
        await bench.until_in("completed", 4)
    assert started[0] - limited_at >= 0.38
    assert await bench.queue.get_rate_limit_ttl(1_000) == 0


async def test_a_rate_limit_can_be_lifted_before_its_time(bench: Bench):
    async def process(job: Any) -> None: ...

    assert await bench.queue.get_rate_limit_ttl() == -2
    assert await bench.queue.get_rate_limit_ttl(1) == 0
    await bench.queue.rate_limit(60_000)
    assert await bench.queue.get_rate_limit_ttl(1) > 50_000
    assert await bench.queue.remove_rate_limit_key()
    assert not await bench.queue.remove_rate_limit_key()
    await bench.queue.add("a")
    async with bench.worker(process):
        await bench.until_in("completed", 1)


async def test_the_queues_own_rate_limit_stands_above_the_workers(bench: Bench):
    started: list[float] = []
    loop = asyncio.get_running_loop()

    async def process(job: Any) -> None:
        started.append(loop.time())

    await bench.queue.set_global_rate_limit(2, 300)
    assert await bench.queue.get_global_rate_limit() == RateLimit(2, 300)
    await bench.queue.add_bulk([JobSpec("n", i) for i in range(6)])
    async with bench.worker(process, concurrency=10), bench.worker(process, concurrency=10):
        await bench.until_in("completed", 6)
    assert started[2] - started[0] >= 0.25
    assert started[4] - started[2] >= 0.25
    assert await bench.queue.remove_global_rate_limit()
    assert not await bench.queue.remove_global_rate_limit()
    assert await bench.queue.get_global_rate_limit() is None


async def test_a_rate_limit_that_names_no_duration_loses_no_job(bench: Bench):
    async def process(job: Any) -> None: ...

    jobs = await bench.queue.add_bulk([JobSpec("n", i) for i in range(5)])
    await bench.command("HSET", bench.key("meta"), "max", 2)  # as somebody may have left it: no `duration`
    async with bench.worker(process, concurrency=5):
        await bench.until_in("completed", 5)
    assert [(await bench.hash(job.id)).get("stc") for job in jobs] == [None] * 5


async def test_a_rate_limit_that_never_ends_is_asked_for_seldom(bench: Bench):
    """A limiter key that lost its expiry: each worker would ask every millisecond."""
    await bench.queue.add("n")
    await bench.command("SET", bench.key("limiter"), 2**53 - 1)
    job, state, wait_ms = await bench.queue.scripts.fetch_one("token")
    assert (job, state, wait_ms) == (None, LIMITED, 1_000)


async def test_the_global_concurrency_holds_over_all_workers(bench: Bench):
    running = peak = 0

    async def process(job: Any) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.01)
        running -= 1

    assert await bench.queue.get_global_concurrency() is None
    assert not await bench.queue.is_maxed()
    await bench.queue.set_global_concurrency(3)
    assert await bench.queue.get_global_concurrency() == 3
    await bench.queue.add_bulk([JobSpec("n", i) for i in range(20)])
    async with bench.worker(process, concurrency=5), bench.worker(process, concurrency=5):
        await bench.until_in("completed", 20)
    assert peak == 3
    assert await bench.queue.remove_global_concurrency()
    assert not await bench.queue.remove_global_concurrency()


async def test_a_place_that_is_freed_wakes_a_worker_that_found_the_fleet_full(bench: Bench):
    """The waiter's wake-up is used up while all places are taken; it must not sit out its long wait."""
    done: list[str] = []

    async def process(job: Any) -> None:
        done.append(job.id)

    by_hand = bench.worker(None)  # type: ignore[arg-type]
    await bench.queue.set_global_concurrency(1)
    await bench.queue.add_bulk([JobSpec("n", i) for i in range(2)])
    held = await by_hand.get_next_job("t", block=False)
    assert held is not None
    assert await bench.queue.is_maxed()
    async with bench.worker(process, drain_delay=10_000):
        await bench.blocked_in_redis()
        assert done == []
        await held.move_to_completed(1)
        await eventually(lambda: done == ["2"], within_s=BUSY_S)


async def test_what_the_queue_says_of_itself(bench: Bench):
    assert await bench.queue.get_version() is None
    await bench.queue.wait_until_ready()
    await bench.queue.set_global_concurrency(4)
    await bench.queue.set_global_rate_limit(9, 1_000)
    await bench.queue.pause()
    await bench.command("HSET", bench.key("meta"), "theirs", "x")
    meta = await bench.queue.get_meta()
    version = await bench.queue.get_version()
    assert version is not None
    assert version.startswith("bullworks:")
    assert meta == QueueMeta(version, True, 4, RateLimit(9, 1_000), 10_000, {"theirs": "x"})


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "3", None])
async def test_limits_that_make_no_sense_are_refused(bench: Bench, bad: Any):
    for refused in (
        bench.queue.rate_limit(bad),
        bench.queue.set_global_rate_limit(bad, 1_000),
        bench.queue.set_global_rate_limit(1, bad),
        bench.queue.set_global_concurrency(bad),
    ):
        with pytest.raises(InvalidOptionError):
            await refused
    assert await bench.command("EXISTS", bench.key("meta"), bench.key("limiter")) == 0


async def test_a_limit_that_is_lifted_is_noticed_before_it_would_have_ended(bench: Bench):
    async def process(job: Any) -> None: ...

    await bench.queue.rate_limit(3_600_000)
    await bench.queue.add("a")
    async with bench.worker(process, maximum_rate_limit_delay=100):
        await eventually(lambda: bench.command("EXISTS", bench.key("stalled-check")))
        await bench.queue.remove_rate_limit_key()
        await bench.until_in("completed", 1)
