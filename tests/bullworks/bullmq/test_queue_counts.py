"""How many jobs there are, by state, priority and time, and how Prometheus is told."""

from __future__ import annotations

import pytest

from bullworks.bullmq import InvalidOptionError, JobSpec, Queue
from bullworks.bullmq.queue.counts import exposition
from tests.bullworks.bullmq.hand_worker import HandWorker


@pytest.fixture
async def filled(queue: Queue, hand: HandWorker) -> Queue:
    """1 completed, 2 failed, 1 active, 2 waiting, 3 prioritized, 2 delayed."""
    await queue.add_bulk([JobSpec("n") for _ in range(6)])
    await queue.add_bulk([JobSpec("p", priority=priority) for priority in (1, 1, 4)])
    await queue.add_bulk([JobSpec("d", timestamp=1_000, delay=100), JobSpec("d", delay=60_000)])
    await hand.take()
    await hand.complete()
    for _ in range(2):
        await hand.take()
        await hand.fail()
    await hand.take()
    return queue


async def test_each_state_has_a_count_of_its_own(filled: Queue) -> None:
    assert await filled.get_completed_count() == 1
    assert await filled.get_failed_count() == 2
    assert await filled.get_active_count() == 1
    # The delayed job that was due was promoted with the last fetch.
    assert await filled.get_waiting_count() == 3
    assert await filled.get_prioritized_count() == 3
    assert await filled.get_delayed_count() == 1
    assert await filled.get_waiting_children_count() == 0


async def test_counts_of_several_states_are_added_up(filled: Queue) -> None:
    assert await filled.get_job_count_by_types("completed", "failed", "failed") == 3
    assert await filled.get_job_count_by_types() == 11
    with pytest.raises(InvalidOptionError):
        await filled.get_job_count_by_types("complete")  # type: ignore[arg-type]


async def test_waiting_jobs_are_counted_by_priority(filled: Queue) -> None:
    assert await filled.get_counts_per_priority([0, 1, 2, 4, 1]) == {0: 3, 1: 2, 2: 0, 4: 1}
    assert await filled.get_counts_per_priority([]) == {}
    with pytest.raises(InvalidOptionError, match="priority"):
        await filled.get_counts_per_priority([2**21])


async def test_delayed_jobs_are_counted_up_to_a_time(queue: Queue) -> None:
    await queue.add_bulk([JobSpec("d", timestamp=1_000, delay=delay) for delay in (100, 100, 200)])
    counts = [await queue.get_delayed_count(timestamp) for timestamp in (1_100, 1_101, 1_200, 1_201)]
    assert counts == [0, 2, 2, 3]
    with pytest.raises(InvalidOptionError, match="timestamp"):
        await queue.get_delayed_count(-1)


async def test_ids_are_listed_without_their_jobs(filled: Queue) -> None:
    assert await filled.get_ranges("waiting", asc=True) == ["5", "6", "10"]
    assert await filled.get_ranges(["completed", "failed"], 0, 0) == ["1", "3"]


async def test_nobody_works_on_a_queue_without_workers(queue: Queue) -> None:
    assert await queue.get_workers_count() == 0


async def test_prometheus_is_told_the_counts_by_bullmqs_names(filled: Queue) -> None:
    lines = (await filled.export_prometheus_metrics({"env": "test"})).splitlines()
    assert 'bullmq_job_count{queue="q", state="failed", env="test"} 2' in lines
    assert 'bullmq_job_completed_total{queue="q", env="test"} 0' in lines


def test_labels_that_would_break_the_format_are_escaped() -> None:
    text = exposition("q", {"waiting": 1}, 2, 3, {"path": 'a\\b"c\nd'})
    assert text.splitlines() == [
        "# HELP bullmq_job_count Number of jobs in the queue by state",
        "# TYPE bullmq_job_count gauge",
        'bullmq_job_count{queue="q", state="waiting", path="a\\\\b\\"c\\nd"} 1',
        "# HELP bullmq_job_completed_total Total number of completed jobs",
        "# TYPE bullmq_job_completed_total counter",
        'bullmq_job_completed_total{queue="q", path="a\\\\b\\"c\\nd"} 2',
        "# HELP bullmq_job_failed_total Total number of failed jobs",
        "# TYPE bullmq_job_failed_total counter",
        'bullmq_job_failed_total{queue="q", path="a\\\\b\\"c\\nd"} 3',
    ]
