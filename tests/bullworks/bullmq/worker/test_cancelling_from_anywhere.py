"""`queue.cancel`: a job ends once, whatever it does and whoever runs it; unused, it leaves no trace."""

import asyncio
import threading
from typing import Any

import pytest

from bullworks.bullmq import (
    CancelSignal,
    FlowJob,
    FlowProducer,
    InvalidOptionError,
    Job,
    JobCancelledError,
    JobRevokedError,
    JobSpec,
    SyncJob,
)
from bullworks.bullmq.cancel.terms import LONGEST_REASON
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually


async def endings(bench: Bench) -> dict[str, list[str]]:
    """The endings that the event stream tells of, by job."""
    found: dict[str, list[str]] = {}
    for event in await bench.events():
        if event["event"] in {"completed", "failed", "removed"}:
            found.setdefault(event["jobId"], []).append(event["event"])
    return found


async def test_a_job_that_waits_ends_at_once(bench: Bench):
    job = await bench.queue.add("a", attempts=3)
    assert await bench.queue.cancel(job.id, "not needed") == "cancelled"
    assert (await bench.ids("wait"), await bench.ids("failed")) == ([], [job.id])
    assert (await bench.hash(job.id))["failedReason"] == "cancelled: not needed"
    stored = await bench.queue.get_job(job.id)
    assert stored is not None
    assert stored.is_cancelled
    assert (await bench.events())[-1] == {
        "event": "failed",
        "jobId": job.id,
        "failedReason": "cancelled: not needed",
        "prev": "waiting",
    }


@pytest.mark.parametrize(
    ("options", "state"), [({"priority": 5}, "prioritized"), ({"delay": 60_000}, "delayed"), ({}, "wait")]
)
async def test_it_ends_wherever_it_waits_and_runs_again_when_it_is_retried(
    bench: Bench, options: dict[str, Any], state: str
):
    job = await bench.queue.add("a", **options)
    assert await bench.ids(state) == [job.id]
    assert await job.cancel() == "cancelled"
    assert await bench.ids(state) == []
    assert (await bench.hash(job.id))["failedReason"] == "cancelled"
    await job.retry()
    assert await bench.ids("prioritized" if state == "prioritized" else "wait") == [job.id]
    assert await job.cancel() == "cancelled"


async def test_a_paused_queue_of_bullmq_5_is_looked_through_too(bench: Bench):
    job = await bench.queue.add("a")
    await bench.command("RENAME", bench.key("wait"), bench.key("paused"))
    assert await bench.queue.cancel(job.id) == "cancelled"
    assert await bench.command("LLEN", bench.key("paused")) == 0


async def test_with_remove_nothing_is_left_of_it(bench: Bench):
    job = await bench.queue.add("a", deduplication={"id": "one"})
    assert await bench.queue.cancel(job.id, remove=True) == "cancelled"
    assert await bench.hash(job.id) == {}
    assert await bench.ids("failed") == []
    assert (await bench.queue.add("a", deduplication={"id": "one"})).id != job.id


@pytest.mark.parametrize("kept", [True, 0, {"age": 3600, "count": 0}])
async def test_its_own_retention_holds(bench: Bench, kept: Any):
    other, job = await bench.queue.add("other"), await bench.queue.add("a", remove_on_fail=kept)
    assert set((await bench.queue.cancel_many([other.id, job.id])).values()) == {"cancelled"}
    assert await bench.hash(job.id) == {}
    assert await bench.ids("failed") == [other.id]


async def test_a_deduplication_id_is_free_again(bench: Bench):
    job = await bench.queue.add("a", deduplication={"id": "one"})
    await job.cancel()
    assert (await bench.queue.add("a", deduplication={"id": "one"})).id != job.id


async def test_what_came_of_many_is_told_by_id(bench: Bench):
    waiting, done = await bench.queue.add_bulk([JobSpec("a"), JobSpec("b")])
    await done.cancel()
    scheduled = await bench.queue.upsert_job_scheduler("every", {"every": 60_000})
    found = await bench.queue.cancel_many([waiting.id, done.id, "nobody", scheduled.id, waiting.id])
    assert found == {waiting.id: "cancelled", done.id: "finished", "nobody": "missing", scheduled.id: "scheduled"}
    assert await bench.queue.cancel_many([]) == {}


@pytest.mark.parametrize("reason", [5, "x" * (LONGEST_REASON + 1), "\ud800"])
async def test_a_reason_is_a_short_text(bench: Bench, reason: Any):
    with pytest.raises(InvalidOptionError, match="reason"):
        await bench.queue.cancel("1", reason)


async def test_a_handler_that_runs_is_stopped_and_its_job_is_not_tried_again(bench: Bench):
    async def process(job: Job) -> None:
        await asyncio.sleep(30)

    job = await bench.queue.add("a", attempts=5)
    worker = bench.worker(process)
    told: list[BaseException] = []
    worker.on("failed", lambda job, error: told.append(error))
    async with worker:
        await eventually(lambda: worker.active_jobs)
        assert await bench.queue.cancel(job.id, "enough") == "requested"
        await bench.until_in("failed", 1)
        assert worker.active_jobs == []
    assert (await bench.hash(job.id))["failedReason"] == "cancelled: enough"
    assert isinstance(told[0], JobRevokedError)
    assert isinstance(told[0], JobCancelledError)
    assert await endings(bench) == {job.id: ["failed"]}


async def test_one_that_watches_its_signal_ends_as_it_likes_but_runs_no_more(bench: Bench):
    """One returns: its job has completed. Another raises what it likes: the cancellation is what the job failed for."""

    async def process(job: Job, signal: CancelSignal) -> str:
        await signal.wait()
        if job.name == "fails":
            raise RuntimeError("stopped half way")
        return "tidied up"

    returning, failing = await bench.queue.add_bulk([JobSpec("returns"), JobSpec("fails", attempts=3, backoff=60_000)])
    async with bench.worker(process, concurrency=2) as worker:
        await eventually(lambda: len(worker.active_jobs) == 2)
        found = await bench.queue.cancel_many([returning.id, failing.id], "enough")
        assert set(found.values()) == {"requested"}
        await bench.until_in("completed", 1)
        await bench.until_in("failed", 1)
    assert (await bench.hash(failing.id))["failedReason"] == "cancelled: enough"
    assert "stopped half way" in (await bench.hash(failing.id))["stacktrace"]
    await returning.retry("completed")
    assert "defa" not in await bench.hash(returning.id), "it would be failed unrun"


async def test_a_thread_is_told(bench: Bench):
    seen: list[str] = []

    def process(job: SyncJob, signal: CancelSignal) -> None:
        assert signal.wait_in_thread(10_000)
        seen.append(threading.current_thread().name)
        signal.throw_if_aborted()

    job = await bench.queue.add("a", attempts=3)
    async with bench.worker(process) as worker:
        await eventually(lambda: worker.active_jobs)
        assert await job.cancel("enough") == "requested"
        await bench.until_in("failed", 1)
    assert seen[0].startswith("bullworks-")
    assert (await bench.hash(job.id))["failedReason"] == "cancelled: enough"


async def test_a_job_may_cancel_itself(bench: Bench):
    async def process(job: Job) -> None:
        assert await job.cancel("no use") == "requested"
        await asyncio.sleep(30)

    job = await bench.queue.add("a", attempts=3)
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == "cancelled: no use"


async def test_two_workers_of_a_process_share_one_listener_and_each_hears_of_its_own_jobs(bench: Bench):
    async def process(job: Job) -> None:
        await asyncio.sleep(30)

    first, second = bench.worker(process), bench.worker(process)
    name = bench.queue.keys.cancels_client_name()

    async def listeners() -> int:
        clients = (await bench.command("CLIENT", "LIST")).decode().splitlines()
        return sum(f"name={name} " in client for client in clients)

    async with first, second:
        jobs = await bench.queue.add_bulk([JobSpec("a"), JobSpec("b")])
        await eventually(lambda: first.active_jobs and second.active_jobs)
        assert await eventually(listeners) == 1
        await bench.queue.cancel_many([job.id for job in jobs])
        await bench.until_in("failed", 2)
        await first.close()
        assert await listeners() == 1
    assert await listeners() == 0


async def test_a_request_that_nobody_heard_is_found_with_the_next_renewal(bench: Bench):
    """The connection that listens may be broken as the request comes."""

    async def process(job: Job) -> None:
        await asyncio.sleep(30)

    job = await bench.queue.add("a", attempts=3)
    async with bench.worker(process, lock_duration=1_000) as worker:
        await eventually(lambda: worker.active_jobs)
        # As the script leaves it, but for the request.
        await bench.command("HSET", bench.key(job.id), "defa", "cancelled: enough")
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == "cancelled: enough"


async def test_the_listener_goes_on_after_its_connection_broke(bench: Bench):
    async def process(job: Job) -> None:
        await asyncio.sleep(30)

    job = await bench.queue.add("a")
    async with bench.worker(process) as worker:
        await eventually(lambda: worker.active_jobs)
        await bench.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await job.cancel("enough")
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == "cancelled: enough"


async def test_a_job_whose_worker_is_gone_is_failed_unrun(bench: Bench):
    ran: list[str] = []

    async def process(job: Job) -> None:
        ran.append(job.id)

    job = await bench.queue.add("a", attempts=3)
    taker = bench.worker(process)
    taken = await taker._engine.scripts.fetch_one("dead:1")
    assert taken[0] is not None
    assert await bench.queue.cancel(job.id, "enough") == "requested"
    await bench.command("DEL", bench.key(f"{job.id}:lock"))
    async with bench.worker(process, stalled_interval=100):
        await bench.until_in("failed", 1)
    assert ran == []
    assert (await bench.hash(job.id))["failedReason"] == "cancelled: enough"
    assert await endings(bench) == {job.id: ["failed"]}


@pytest.mark.parametrize("move", ["retry", "postpone"])
async def test_one_that_would_wait_for_its_time_ends_at_once(bench: Bench, move: str):
    """Cancelled while its outcome was on its way: it must not lie in `delayed` for an hour, as if it were to run."""

    async def process(job: Job) -> None: ...

    job = await bench.queue.add("a", attempts=3, backoff=3_600_000)
    hand = bench.worker(process)
    taken, _, _ = await hand._engine.scripts.fetch_one("by hand:1")
    assert taken is not None
    await job.cancel("enough")
    if move == "retry":
        await taken.move_to_failed(ValueError("broken"))
    else:
        await taken.move_to_delayed(taken.timestamp + 3_600_000)
    assert (await bench.ids("delayed"), await bench.ids("wait")) == ([], [job.id])
    async with bench.worker(process):
        await bench.until_in("failed", 1)
    assert (await bench.hash(job.id))["failedReason"] == "cancelled: enough"


async def test_a_flow_is_cancelled_with_all_below(bench: Bench):
    """Two queues; a child runs, another waits; neither lets a parent go on, nor fails it for another reason."""

    async def process(job: Job) -> None:
        await asyncio.sleep(30)

    leaf: FlowJob = {"name": "leaf", "queue_name": "work", "opts": {"fail_parent_on_failure": True}}
    other: FlowJob = {"name": "other", "queue_name": "other", "opts": {"ignore_dependency_on_failure": True}}
    root: FlowJob = {"name": "root", "queue_name": "work", "children": [leaf, other]}
    async with FlowProducer(connection=bench.url, prefix=bench.prefix) as flows:
        node = await flows.add(root)
    async with bench.worker(process) as worker:
        await eventually(lambda: worker.active_jobs)
        assert await bench.queue.cancel(node.job.id, "enough") == "cancelled"
        await bench.until_in("failed", 2)
    key = f"{bench.prefix}:other:failed"
    assert len(await bench.command("ZRANGE", key, 0, -1)) == 1
    reasons = {(await bench.hash(job_id))["failedReason"] for job_id in await bench.ids("failed")}
    assert reasons == {"cancelled: enough"}
    assert all(told == ["failed"] for told in (await endings(bench)).values())
    assert await bench.ids("wait") == await bench.ids("waiting-children") == []


async def test_a_child_that_is_cancelled_alone_has_failed_for_its_parent(bench: Bench):
    child: FlowJob = {"name": "leaf", "queue_name": "work", "opts": {"ignore_dependency_on_failure": True}}
    async with FlowProducer(connection=bench.url, prefix=bench.prefix) as flows:
        node = await flows.add({"name": "root", "queue_name": "work", "children": [child]})
    assert await bench.queue.cancel(node.children[0].job.id, "enough") == "cancelled"
    assert await bench.ids("wait") == [node.job.id]
    root = await bench.queue.get_job(node.job.id)
    assert root is not None
    assert list((await root.get_ignored_children_failures()).values()) == ["cancelled: enough"]


@pytest.mark.parametrize("remove", [False, True])
@pytest.mark.parametrize("suffix", ["failed", "bw:cancels", "de:x", "p", "p:dependencies", "p:failed"])
async def test_a_key_of_another_type_is_named_and_nothing_is_changed(bench: Bench, suffix: str, remove: bool):
    """Given a job that runs, one of a group, a child, and one with a deduplication id."""
    await bench.queue.add("a", job_id="running")
    taken, _, _ = await bench.worker(lambda job: None)._engine.scripts.fetch_one("by hand:1")
    assert taken is not None
    async with FlowProducer(connection=bench.url, prefix=bench.prefix) as flows:
        child: FlowJob = {
            "name": "c",
            "queue_name": "work",
            "opts": {"job_id": "c", "continue_parent_on_failure": True},
        }
        await flows.add({"name": "p", "queue_name": "work", "opts": {"job_id": "p"}, "children": [child]})
    await bench.queue.add_bulk(
        [JobSpec("a", job_id="grouped", group={"id": "A"}), JobSpec("a", job_id="d", deduplication={"id": "x"})]
    )
    await bench.command("DEL", bench.key(suffix))
    await bench.command("LPUSH", bench.key(suffix), "mine")
    before = await dump(bench)
    with pytest.raises(Exception, match=f"WRONGTYPE.*{suffix}"):
        await bench.queue.cancel_many(["grouped", "running", "c", "d"], remove=remove)
    assert await dump(bench) == before


async def dump(bench: Bench) -> dict[bytes, bytes]:
    """All that lies in Redis of the queue."""
    return {key: await bench.command("DUMP", key) for key in await bench.command("KEYS", bench.key("*"))}


async def test_each_job_ends_once_whatever_it_does_as_it_is_cancelled(bench: Bench):
    """300 jobs that complete, fail with attempts left, or move on, in two workers, cancelled at any moment."""

    async def process(job: Job) -> None:
        for turn in range(int(job.id) % 7):
            await asyncio.sleep(0.001 * turn)
        if job.name == "fails":
            raise ValueError("once more")

    names = ["returns", "fails"]
    jobs = await bench.queue.add_bulk([JobSpec(names[at % 2], attempts=3) for at in range(300)])
    async with bench.worker(process, concurrency=20), bench.worker(process, concurrency=20):
        for at in range(0, 300, 20):
            await bench.queue.cancel_many([job.id for job in jobs[at : at + 20]], "enough")
            await asyncio.sleep(0)
        await bench.worker_idle()
    assert len(await bench.ids("completed")) + len(await bench.ids("failed")) == 300
    assert await bench.ids("delayed") == []
    told = await endings(bench)
    assert sorted(told) == sorted(job.id for job in jobs)
    assert [ended for ended in told.values() if len(ended) != 1] == []


async def test_nothing_of_it_is_in_redis_where_nobody_cancels(bench: Bench):
    async def process(job: Job) -> None: ...

    await bench.queue.add("a")
    async with bench.worker(process):
        await bench.until_in("completed", 1)
    assert await bench.command("EXISTS", bench.queue.keys.cancels()) == 0


async def test_requests_leave_by_themselves(bench: Bench):
    async def process(job: Job) -> None:
        await asyncio.sleep(30)

    job = await bench.queue.add("a")
    async with bench.worker(process) as worker:
        await eventually(lambda: worker.active_jobs)
        await job.cancel()
        await bench.until_in("failed", 1)
    assert 0 < await bench.command("PTTL", bench.queue.keys.cancels()) <= 60_000
