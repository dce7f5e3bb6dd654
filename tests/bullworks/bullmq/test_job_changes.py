"""What anybody may change of a job, and ask about where it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, Job, JobNotFoundError, JobStateError, Queue
from tests.bullworks.bullmq.hand_worker import HandWorker


async def order(hand: HandWorker) -> list[str]:
    """The ids in the order in which workers take them."""
    taken: list[str] = []
    while (job_id := await hand.take()) is not None:
        taken.append(job_id)
    return taken


async def test_a_waiting_job_joins_the_line_of_its_new_priority(queue: Queue, hand: HandWorker) -> None:
    plain = [await queue.add("n") for _ in range(3)]
    prioritized = [await queue.add("n", priority=5) for _ in range(3)]
    await plain[0].change_priority(priority=7)
    await plain[1].change_priority(lifo=True)
    await prioritized[0].change_priority()
    await prioritized[1].change_priority(priority=7)
    await prioritized[2].change_priority(priority=7, lifo=True)
    assert plain[0].priority == 7
    expected = [plain[1], plain[2], prioritized[0], prioritized[2], plain[0], prioritized[1]]
    assert await order(hand) == [job.id for job in expected]


async def test_elsewhere_only_the_priority_itself_changes(queue: Queue, hand: HandWorker) -> None:
    delayed, active = await queue.add("d", delay=60_000), await queue.add("a")
    await hand.take()
    for job in (delayed, active):
        await job.change_priority(priority=4)
    assert (await delayed.get_state(), await active.get_state()) == ("delayed", "active")
    await delayed.promote()
    assert await delayed.get_state() == "prioritized"


async def test_jobs_that_bullmq_5_keeps_in_paused_change_too(queue: Queue) -> None:
    job = await queue.add("n")
    await queue.pause()
    await queue.connection.execute("RENAME", queue.keys.of("wait"), queue.keys.of("paused"))
    await job.change_priority(priority=2)
    assert await queue.get_counts_per_priority([0, 2]) == {0: 0, 2: 1}


@pytest.mark.parametrize("priority", [-1, 2**21, 1.5, True, "1"])
async def test_a_priority_out_of_range_is_refused(queue: Queue, priority: Any) -> None:
    job = await queue.add("n")
    with pytest.raises(InvalidOptionError, match="priority"):
        await job.change_priority(priority=priority)
    assert await job.is_waiting()


async def test_a_delayed_job_is_due_so_long_from_now(queue: Queue) -> None:
    later, sooner = await queue.add("n", delay=60_000), await queue.add("n", delay=50_000)
    await later.change_delay(timedelta(seconds=10))
    assert [job.id for job in await queue.get_delayed()] == [later.id, sooner.id]
    await later.refresh()
    assert later.delay == 10_000
    await later.change_delay(0)
    marker = await queue.connection.execute("ZRANGE", queue.keys.of("marker"), 0, -1)
    assert marker == [b"1"]


async def test_a_job_that_is_not_delayed_has_no_delay_to_change(queue: Queue) -> None:
    job = await queue.add("n")
    with pytest.raises(JobStateError, match="delayed"):
        await job.change_delay(1_000)
    with pytest.raises(InvalidOptionError, match="delay"):
        await job.change_delay(-1)


async def test_a_job_that_is_gone_cannot_be_changed(queue: Queue) -> None:
    job = await queue.add("n", delay=1_000)
    await job.remove()
    for change in (job.change_priority(priority=1), job.change_delay(1)):
        with pytest.raises(JobNotFoundError):
            await change
    await job.clear_logs()
    assert await queue.connection.execute("EXISTS", queue.keys.of(job.id)) == 0


async def test_a_job_that_must_be_in_a_state_is_removed_from_there_only(queue: Queue, hand: HandWorker) -> None:
    """Somebody retried it after another had decided to remove what failed: it stays."""
    job = await queue.add("n")
    await hand.take()
    await hand.fail()
    with pytest.raises(JobStateError, match="completed"):
        await queue.scripts.remove_job(job.id, children=True, state="completed")
    await job.retry()
    with pytest.raises(JobStateError, match="failed"):
        await queue.scripts.remove_job(job.id, children=True, state="failed")
    assert await job.get_state() == "waiting"
    await hand.take()
    await hand.fail()
    await queue.scripts.remove_job(job.id, children=True, state="failed")
    assert await job.get_state() == "unknown"


async def test_a_log_is_cleared_but_for_its_newest_lines(queue: Queue) -> None:
    job = await queue.add("n")
    for number in range(4):
        await job.log(f"line {number}")
    await job.clear_logs(2)
    assert await job.logs() == ["line 2", "line 3"]
    await queue.clear_job_logs(job.id)
    assert await job.logs() == []
    with pytest.raises(InvalidOptionError, match="keep_logs"):
        await job.clear_logs(-1)


async def test_each_predicate_is_true_in_its_state_alone(queue: Queue, hand: HandWorker) -> None:
    predicates = ("completed", "failed", "delayed", "active", "waiting", "waiting_children")

    async def true_ones(job: Job) -> list[str]:
        return [name for name in predicates if await getattr(job, f"is_{name}")()]

    completed, failed, active, waiting = [await queue.add("n") for _ in range(4)]
    delayed, prioritized = await queue.add("n", delay=60_000), await queue.add("n", priority=3)
    parent = await queue.add("n")
    await queue.connection.execute("LREM", queue.keys.of("wait"), 1, parent.id)
    await queue.connection.execute("ZADD", queue.keys.of("waiting-children"), 1, parent.id)
    await hand.take()
    await hand.complete()
    await hand.take()
    await hand.fail()
    await hand.take()
    jobs = (completed, failed, delayed, active, waiting, parent)
    assert [await true_ones(job) for job in jobs] == [[name] for name in predicates]
    assert await true_ones(prioritized) == []
    assert [job.id for job in await queue.get_waiting_children()] == [parent.id]


async def test_a_stub_stands_in_for_all_of_it() -> None:
    """A handler under test that delays its job, or puts it back, needs no Redis."""
    job = Job.stub({"n": 1})
    await job.move_to_delayed(5)
    assert job.moved_to == "delayed"
    assert not await job.move_to_waiting_children()
    await job.move_to_wait()
    assert job.moved_to == "waiting"
    assert await job.extend_lock("stub", 1_000)
    await job.change_priority(priority=3)
    assert job.priority == 3
    await job.log("one")
    await job.log("two")
    await job.clear_logs(1)
    assert await job.logs() == ["two"]
    with pytest.raises(JobStateError):
        await job.change_delay(5)
    assert await job.move_to_completed("ok") is None
    assert (job.returnvalue, job.moved_to) == ("ok", "completed")
    assert not job.signal.aborted
