"""What a group may do at most: at once, in a time, in all; paused, and in order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullworks.bullmq import GroupCounts, GroupFullError, GroupLimits, InvalidOptionError, Job, PartlyAddedError
from bullworks.bullmq.queue.bulk import JobSpec
from bullworks.bullmq.worker.worker import Worker
from tests.bullworks.bullmq.groups.conftest import GroupBench
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.waiting import eventually


async def run(worker: Worker) -> Worker:
    await worker.start()
    return worker


async def test_no_more_of_a_group_run_at_once_than_it_may(bench: GroupBench) -> None:
    await bench.queue.set_group_limits(concurrency=3)
    await bench.queue.set_group_limits("A", concurrency=2)
    await bench.add("A", 60)
    await bench.add("B", 30)
    for _ in range(2):
        await run(bench.worker(bench.handle, concurrency=10))
    await bench.until_in("completed", 90)
    assert bench.most == {"A": 2, "B": 3}
    assert len(set(bench.started)) == len(bench.started) == 90
    assert await bench.group_keys() == ["bw:limits"]


async def test_one_at_a_time_keeps_the_order_of_the_group(bench: GroupBench) -> None:
    await bench.queue.set_group_limits(concurrency=1)
    expected = await bench.add("A", 40)
    others = await bench.add("B", 10)
    await run(bench.worker(bench.handle, concurrency=10))
    await bench.until_in("completed", 50)
    assert [job_id for job_id in bench.started if job_id in expected] == expected
    assert [job_id for job_id in bench.started if job_id in others] == others


async def test_in_no_window_are_more_started_than_the_rate_allows(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", rate={"max": 5, "duration": 60})
    ids = await bench.add("A", 30)
    await bench.add("B", 20)
    for _ in range(2):
        await run(bench.worker(bench.handle, concurrency=10))
    await bench.until_in("completed", 50)
    starts = sorted([int((await bench.hash(job_id))["processedOn"]) for job_id in ids])
    assert all(later - earlier >= 60 for earlier, later in zip(starts, starts[5:], strict=False))
    await eventually(lambda: _is_expired(bench), what="the times of starts to expire")


async def _is_expired(bench: GroupBench) -> bool:
    return await bench.group_keys() == ["bw:limits"]


async def test_a_paused_group_stands_still_and_goes_on_in_order(bench: GroupBench) -> None:
    await bench.queue.pause_group("A")
    assert await bench.queue.is_group_paused("A")
    ids = await bench.add("A", 30)
    await bench.add("B", 5)
    await run(bench.worker(bench.handle, concurrency=1))
    await bench.until_in("completed", 5)
    await bench.until_in("delayed", 30)
    assert set(bench.started).isdisjoint(ids)
    assert await bench.queue.get_group_counts("A") == GroupCounts(0, 30, 0, 0, 0)
    await bench.queue.resume_group("A")
    await bench.until_in("completed", 35)
    assert bench.started[5:] == ids
    assert await bench.group_keys() == []


async def test_a_group_takes_no_more_jobs_than_its_size(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", max_size=3)
    await bench.add("A", 2)
    with pytest.raises(GroupFullError, match="group 'A' has as many jobs as its max_size allows"):
        await bench.add("A", 2)
    await bench.add("A", 1)
    await bench.add("B", 5)
    with pytest.raises(GroupFullError):
        await bench.queue.add("work", group={"id": "A"})
    assert await bench.queue.get_job_counts("prioritized") == {"prioritized": 8}
    await run(bench.worker(bench.handle))
    await bench.until_in("completed", 8)
    await bench.add("A", 3)


async def test_what_others_ended_makes_room(bench: GroupBench) -> None:
    """Given jobs that a worker of another language ran, or removed, before the group is looked at."""
    await bench.queue.set_group_limits("A", max_size=2)
    ended, removed = await bench.add("A", 2)
    await bench.command("ZREM", bench.key("prioritized"), ended, removed)
    await bench.command("HSET", bench.key(ended), "finishedOn", "1")
    await bench.command("DEL", bench.key(removed))
    assert len(await bench.add("A", 2)) == 2


async def test_slots_of_dead_workers_are_free(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", concurrency=1)
    dead, *others = await bench.add("A", 3)
    assert await HandWorker(bench.queue).take() == dead
    await run(bench.worker(bench.handle, concurrency=5, skip_stalled_check=True))
    await bench.until_in("delayed", 2)
    await bench.command("DEL", bench.key(f"{dead}:lock"))
    await bench.queue.promote_jobs()  # as time would
    await bench.until_in("completed", 2)
    assert bench.started == others


async def test_in_an_ordered_group_a_retry_blocks_the_others(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", ordered=True)
    (failing,) = await bench.add("A", 1, failures=2)
    others = await bench.add("A", 3)
    await bench.add("B", 3)
    await run(bench.worker(bench.handle, concurrency=5))
    await bench.until_in("completed", 7)
    assert [job_id for job_id in bench.started if job_id in {failing, *others}] == [failing] * 3 + others


async def test_elsewhere_a_retry_lets_the_others_pass(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", concurrency=1)
    (failing,) = await bench.add("A", 1, failures=1)
    others = await bench.add("A", 3)
    await run(bench.worker(bench.handle, concurrency=5))
    await bench.until_in("completed", 4)
    assert bench.started == [failing, *others, failing]


async def test_an_expired_job_of_a_group_ends_in_its_turn_and_takes_none_of_its_slots(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", concurrency=1)
    names = ["held", "late", "late", "late", "last"]
    specs = [
        JobSpec(name, group={"id": "A"}, **({"expires": 1, "timestamp": 1} if name == "late" else {})) for name in names
    ]
    await bench.queue.add_bulk(specs)
    holder = asyncio.Event()

    async def handle(job: Job) -> None:
        bench.started.append(job.name)
        await holder.wait()

    await run(bench.worker(handle, concurrency=10))
    await bench.until_in("failed", 3)
    assert bench.started == ["held"]
    holder.set()
    await bench.until_in("completed", 2)
    assert bench.started == ["held", "last"]
    assert await bench.group_keys() == ["bw:limits"]


async def test_a_higher_limit_holds_at_once(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", concurrency=1)
    await bench.add("A", 20)
    held = HandWorker(bench.queue)
    assert await held.take()
    await run(bench.worker(bench.handle, concurrency=5))
    await bench.until_in("delayed", 19)
    await bench.queue.set_group_limits("A", concurrency=5)
    await bench.until_in("completed", 19)
    await held.complete()
    assert bench.most["A"] <= 4


async def test_a_removed_job_frees_its_place(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", max_size=2)
    first, second = await bench.add("A", 2)
    assert await bench.queue.remove(first)
    await bench.queue.drain()
    assert await bench.group_keys() == ["bw:limits"]
    assert second not in await bench.ids("prioritized")


async def test_limits_are_read_as_they_were_set(bench: GroupBench) -> None:
    queue = bench.queue
    assert await queue.get_group_limits("A") == GroupLimits()
    await queue.set_group_limits("A", concurrency=2, rate={"max": 3, "duration": 4_000}, max_size=5, weight=0.5)
    assert await queue.get_group_limits("A") == GroupLimits(
        concurrency=2, rate_max=3, rate_duration_ms=4_000, max_size=5, weight=0.5
    )
    await queue.set_group_limits(ordered=True)
    assert await queue.get_group_limits() == GroupLimits(concurrency=1, ordered=True)
    assert await queue.remove_group_limits("A")
    assert not await queue.remove_group_limits("A")
    assert await queue.get_group_limits("A") == GroupLimits()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"concurrency": 0}, "concurrency: must be a whole number >= 1"),
        ({"rate": {"max": 1}}, "rate: must be"),
        ({"rate": {"max": 100_000, "duration": 1}}, "rate.max: must be a whole number, 1 .. 10000"),
        ({"rate": {"max": 1, "duration": 100_000_000}}, "rate.duration: must be a day or less"),
        ({"max_size": True}, "max_size: must be a whole number"),
        ({"weight": 0}, "weight: must be a number"),
        ({"ordered": True, "concurrency": 2}, "concurrency: is 1 in an ordered group"),
        ({"group": ""}, "group: must be a non-empty string"),
    ],
)
async def test_limits_that_make_no_sense_are_refused(bench: GroupBench, options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidOptionError, match=text):
        await bench.queue.set_group_limits(**options)


@pytest.mark.parametrize("written", ["", "{", "[1]", "1", '{"concurrency": null}'])
async def test_limits_that_cannot_be_read_limit_nothing(bench: GroupBench, written: str) -> None:
    await bench.command("HSET", bench.key("bw:limits"), "l:A", written)
    await bench.add("A", 3)
    await run(bench.worker(bench.handle, concurrency=3))
    await bench.until_in("completed", 3)


async def test_of_many_jobs_those_stored_are_named(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", max_size=300)
    with pytest.raises(PartlyAddedError, match="250 of 500 jobs are stored"):
        await bench.queue.add_bulk([JobSpec("work", group={"id": "A"}) for _ in range(500)])
