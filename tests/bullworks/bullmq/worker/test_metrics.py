"""Jobs that end are counted by minute where a worker is told to, as Node counts them."""

from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, Job, JobSpec, Metrics, MetricsTime
from tests.bullworks.bullmq.worker.conftest import Bench

MINUTE_MS = 60_000


async def age(bench: Bench, kind: str, ms: int) -> None:
    """As if the newest point were so much older."""
    await bench.command("HINCRBY", bench.key(f"metrics:{kind}"), "prevTS", -ms)


async def test_completed_and_failed_jobs_are_counted_whatever_becomes_of_them(bench: Bench):
    async def process(job: Any) -> None:
        if job.name == "bad":
            raise RuntimeError("boom")

    specs = [JobSpec("good", remove_on_complete=bool(i % 2)) for i in range(6)]
    await bench.queue.add_bulk([*specs, JobSpec("bad", attempts=3)])
    async with bench.worker(process, concurrency=10, metrics={"max_data_points": 5}):
        await bench.until_in("failed", 1)
        await bench.worker_idle()
    completed, failed = await bench.queue.get_metrics("completed"), await bench.queue.get_metrics("failed")
    assert (completed.total, completed.data, failed.total) == (6, [], 1)
    assert completed.prev_at_ms is not None


async def test_a_minute_gets_its_point_with_the_first_job_after_it(bench: Bench):
    async def process(job: Any) -> None: ...

    async def run(count: int) -> None:
        before = await bench.queue.get_completed_count()
        await bench.queue.add_bulk([JobSpec("n", i) for i in range(count)])
        async with bench.worker(process, concurrency=50, metrics={"max_data_points": 3}):
            await bench.until_in("completed", before + count)

    await run(4)
    await age(bench, "completed", MINUTE_MS)
    await run(3)
    metrics = await bench.queue.get_metrics("completed")
    # Jobs of one trip count as one moment.
    assert (metrics.total, sum(metrics.data), metrics.count) == (7, metrics.prev_total, 1)
    assert metrics.data[0] >= 4
    await age(bench, "completed", 2 * MINUTE_MS)
    await run(1)
    metrics = await bench.queue.get_metrics("completed")
    assert (metrics.data[0], metrics.count, metrics.total) == (0, 3, 8)
    await age(bench, "completed", 500 * MINUTE_MS)
    await run(1)
    metrics = await bench.queue.get_metrics("completed")
    assert (metrics.data[:2], metrics.count) == ([0, 0], 3)
    assert (await bench.queue.get_metrics("completed", 0, 0)).data == [0]


async def test_minutes_have_names(bench: Bench):
    async def process(job: Job) -> None: ...

    worker = bench.worker(process, metrics={"max_data_points": MetricsTime.ONE_WEEK})
    assert worker.opts.max_data_points == 10_080


async def test_nothing_is_counted_by_a_worker_that_was_not_told_to(bench: Bench):
    async def process(job: Any) -> None: ...

    await bench.queue.add("a")
    async with bench.worker(process):
        await bench.until_in("completed", 1)
    assert await bench.queue.get_metrics("completed") == Metrics(0, [], 0, 0, None)
    assert await bench.command("EXISTS", bench.key("metrics:completed")) == 0


async def test_a_count_that_cannot_be_kept_costs_no_outcome(bench: Bench):
    async def process(job: Any) -> None: ...

    await bench.command("SET", bench.key("metrics:completed"), "not a hash")
    job = await bench.queue.add("a")
    async with bench.worker(process, metrics={"max_data_points": 5}):
        assert await bench.until_in("completed", 1) == [job.id]


@pytest.mark.parametrize("bad", [5, {}, {"max_data_points": 0}, {"max_data_points": 10**6}, {"points": 5}])
def test_metrics_options_that_make_no_sense_are_refused(bench: Bench, bad: Any):
    with pytest.raises(InvalidOptionError, match="metrics"):
        bench.worker(print, metrics=bad)


async def test_only_completed_and_failed_have_metrics(bench: Bench):
    with pytest.raises(InvalidOptionError, match="kind"):
        await bench.queue.get_metrics("waiting")  # type: ignore[arg-type]
