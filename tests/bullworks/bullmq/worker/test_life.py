"""Starting, pausing, closing; events; threads; contexts."""

import asyncio
import subprocess
import sys
import threading
import time
from contextvars import ContextVar
from typing import Any

import pytest

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.queue.bulk import JobSpec
from bullworks.bullmq.worker.worker import Worker
from bullworks.redis.errors import ConnectError
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import BUSY_S, eventually


async def test_closing_lets_running_handlers_end_and_starts_no_new_ones(bench: Bench):
    started: list[str] = []

    async def process(job: Any) -> None:
        started.append(job.id)
        await asyncio.sleep(0.2)

    jobs = await bench.queue.add_bulk([JobSpec("n", i) for i in range(6)])
    worker = bench.worker(process, concurrency=2)
    await worker.start()
    await eventually(lambda: len(started) == 2)
    await worker.close(grace=5_000)
    assert started == [jobs[0].id, jobs[1].id]
    assert await bench.ids("completed") == started
    assert await bench.ids("active") == []
    assert len(await bench.ids("wait")) == 4


async def test_past_the_grace_jobs_return_to_the_head_with_no_attempt_spent(bench: Bench):
    async def process(job: Any) -> None:
        await asyncio.sleep(30)

    jobs = await bench.queue.add_bulk([JobSpec("n", i, attempts=2) for i in range(3)])
    worker = bench.worker(process, concurrency=2)
    await worker.start()
    await bench.until_in("active", 2)
    await worker.close(grace=50)
    assert await bench.ids("active") == []
    assert sorted(await bench.ids("wait")) == [job.id for job in jobs]
    assert (await bench.ids("wait"))[0] == jobs[2].id  # the tail is taken first
    stored = await bench.hash(jobs[0].id)
    assert "atm" not in stored
    assert "stc" not in stored


async def test_a_handler_that_ignores_its_cancellation_cannot_hold_up_the_close(bench: Bench):
    async def process(job: Any) -> None:
        while True:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                if released.is_set():
                    raise

    released = asyncio.Event()
    job = await bench.queue.add("stubborn", {})
    worker = bench.worker(process)
    await worker.start()
    await bench.until_in("active", 1)
    begun = time.monotonic()
    released_later = asyncio.get_running_loop().call_later(0.8, released.set)
    await worker.close(grace=50)
    assert time.monotonic() - begun < 0.8 + BUSY_S
    assert await bench.ids("wait") == [job.id]
    released_later.cancel()


async def test_a_second_close_counts_also_before_the_first_has_begun_to_wait(bench: Bench):
    started = asyncio.Event()

    async def process(_job):
        started.set()
        await asyncio.Event().wait()

    worker = bench.worker(process)
    await worker.start()
    await bench.queue.add("x")
    await asyncio.wait_for(started.wait(), 10)
    await asyncio.wait_for(asyncio.gather(worker.close(grace=60_000), worker.close(grace=0)), 5)
    assert await bench.ids("wait") == ["1"]


async def test_a_second_close_shortens_the_grace_of_the_first(bench: Bench):
    async def process(job: Any) -> None:
        await asyncio.sleep(30)

    job = await bench.queue.add("n", {})
    worker = bench.worker(process)
    await worker.start()
    await bench.until_in("active", 1)
    patient = asyncio.create_task(worker.close(grace=60_000))
    await eventually(lambda: not worker.is_running)
    await asyncio.wait_for(worker.close(grace=0), 5)
    await patient
    assert await bench.ids("wait") == [job.id]


FORGETFUL = """
import asyncio, sys
from bullworks.bullmq import Queue, Worker

async def main(url, prefix):
    started = asyncio.Event()
    async def process(job):
        started.set()
        await asyncio.sleep(3600)
    await Queue("work", connection=url, prefix=prefix).add("n", {})
    await Worker("work", process, connection=url, prefix=prefix).start()
    await started.wait()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.process
def test_a_program_that_forgets_to_close_its_worker_ends_all_the_same(redis_url: str, key_prefix: str):
    command = [sys.executable, "-c", FORGETFUL, redis_url, key_prefix]
    ended = subprocess.run(command, capture_output=True, timeout=15, check=False)
    assert ended.returncode == 0, ended.stderr.decode()


async def test_closing_while_the_worker_waits_leaks_no_job(bench: Bench):
    async def process(job: Any) -> None: ...

    for round_number in range(10):
        worker = bench.worker(process, concurrency=5)
        await worker.start()
        await bench.blocked_in_redis()
        adding = asyncio.create_task(bench.queue.add_bulk([JobSpec("n", i) for i in range(3)]))
        await worker.close()
        await adding
        assert await bench.ids("active") == [], f"round {round_number}"
    left = len(await bench.ids("wait")) + len(await bench.ids("completed"))
    assert left == 30
    for job_id in await bench.ids("wait"):
        assert (await bench.hash(job_id)).get("ats", "0") == "0"


async def test_closing_twice_or_before_starting_is_fine(bench: Bench):
    async def process(job: Any) -> None: ...

    unstarted = bench.worker(process)
    await unstarted.close()
    worker = bench.worker(process)
    await worker.start()
    await asyncio.gather(worker.close(), worker.close())
    await worker.close()
    assert not worker.is_running


async def test_run_returns_when_the_worker_is_closed(bench: Bench):
    async def process(job: Any) -> None: ...

    worker = bench.worker(process)
    running = asyncio.create_task(worker.run())
    await eventually(lambda: worker.is_running)
    await worker.close()
    await asyncio.wait_for(running, 5)
    assert repr(worker).endswith("closed>")


async def test_starting_and_closing_over_and_over_leaves_nothing_behind(bench: Bench):
    async def process(job: Any) -> None: ...

    before = len(asyncio.all_tasks())
    for _ in range(15):
        worker = bench.worker(process, concurrency=3)
        await worker.start()
        await worker.close()
    await eventually(lambda: len(asyncio.all_tasks()) <= before)
    await eventually(lambda: "bullworks-lock-renewer" not in {thread.name for thread in threading.enumerate()})
    clients = await bench.command("CLIENT", "LIST")
    assert clients.count(bench.queue.keys.client_name(None).encode()) == 0


async def test_an_unreachable_redis_is_an_error_at_start_that_names_it(key_prefix: str):
    async def process(job: Any) -> None: ...

    worker = Worker("work", process, connection="redis://:secret@127.0.0.1:1", prefix=key_prefix)
    with pytest.raises(ConnectError, match=r"127\.0\.0\.1:1") as caught:
        await worker.start()
    assert "secret" not in str(caught.value)
    await worker.close()


async def test_events_are_told_with_their_arguments_and_listeners_may_take_fewer(bench: Bench):
    told: list[tuple[Any, ...]] = []

    async def process(job: Any) -> str:
        await job.update_progress(40)
        if job.name == "bad":
            raise RuntimeError("boom")
        return "fine"

    async def completed(job: Any, result: Any, prev: str) -> None:
        told.append(("completed", job.id, result, prev, job.attempts_made, job.returnvalue))

    worker = bench.worker(process)
    worker.on("ready", lambda: told.append(("ready",)))
    worker.on("active", lambda job, prev: told.append(("active", job.id, prev)))
    worker.on("completed", completed)
    worker.on("completed", lambda: told.append(("completed with none",)))
    worker.on("failed", lambda job, error, prev: told.append(("failed", job.id, str(error), prev, job.failed_reason)))
    worker.on("progress", lambda job, progress: told.append(("progress", job.id, progress)))
    worker.on("drained", lambda: told.append(("drained",)))
    worker.on("closing", lambda: told.append(("closing",)))
    worker.on("closed", lambda: told.append(("closed",)))
    good, bad = await bench.queue.add_bulk([JobSpec("good", {}), JobSpec("bad", {})])
    async with worker:
        await bench.until_in("failed", 1)
        await eventually(lambda: ("drained",) in told)
    assert told[0] == ("ready",)
    assert ("active", good.id, "waiting") in told
    assert ("progress", good.id, 40) in told
    assert ("completed", good.id, "fine", "active", 1, "fine") in told
    assert ("completed with none",) in told
    assert ("failed", bad.id, "boom", "active", "boom") in told
    assert told[-2:] == [("closing",), ("closed",)]


async def test_a_listener_that_raises_is_logged_and_harms_no_job(bench: Bench, caplog: Any):
    async def process(job: Any) -> None: ...

    def broken(job: Any) -> None:
        raise LookupError("listener bug")

    async def broken_too(job: Any) -> None:
        raise LookupError("async listener bug")

    worker = bench.worker(process)
    worker.on("completed", broken)
    worker.on("completed", broken_too)
    await bench.queue.add("n", {})
    async with worker:
        await bench.until_in("completed", 1)
        await eventually(lambda: "async listener bug" in caplog.text)
    assert "work: a callback of the event completed failed" in caplog.text
    assert "listener bug" in caplog.text


def test_an_unknown_event_or_option_is_an_error_that_names_the_near_one(redis_url: str):
    def worker(**options: Any) -> Worker:
        return Worker("work", print, connection=redis_url, **options)

    with pytest.raises(InvalidOptionError, match="did you mean completed"):
        worker().on("complete", print)
    with pytest.raises(InvalidOptionError, match="did you mean concurrency"):
        worker(concurency=3)
    for bad in ({"concurrency": 0}, {"drain_delay": 60_000}, {"limiter": {"max": 1}}, {"name": "a b"}):
        with pytest.raises(InvalidOptionError):
            worker(**bad)
    with pytest.raises(InvalidOptionError, match="processor"):
        Worker("work", "process", connection=redis_url)  # type: ignore[arg-type]


async def test_a_plain_function_runs_in_a_thread_and_does_not_hold_up_the_loop(bench: Bench):
    threads: set[str] = set()

    def process(job: Any) -> dict[str, Any]:
        threads.add(threading.current_thread().name)
        job.update_progress(50)
        job.log("half way")
        time.sleep(0.1)
        return {"n": job.data["n"]}

    jobs = await bench.queue.add_bulk([JobSpec("n", {"n": i}) for i in range(4)])
    async with bench.worker(process, concurrency=4):
        await bench.until_in("completed", 4)
    assert threading.main_thread().name not in threads
    stored = await bench.hash(jobs[3].id)
    assert (stored["returnvalue"], stored["progress"]) == ('{"n":3}', "50")


async def test_a_threads_job_fails_at_its_timeout_while_the_thread_keeps_its_slot(bench: Bench, caplog: Any):
    release = threading.Event()

    def process(job: Any) -> str:
        if job.name == "slow":
            release.wait(10)
        return "ok"

    slow = await bench.queue.add("slow", {}, timeout=50)
    await bench.queue.add("next", {})
    async with bench.worker(process):
        assert await bench.until_in("failed", 1) == [slow.id]
        assert len(await bench.ids("wait")) == 1
        assert "keeps its slot" in caplog.text
        release.set()
        await bench.until_in("completed", 1)


async def test_context_variables_of_one_job_are_not_seen_by_the_next(bench: Bench):
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[tuple[str, str]] = []

    async def process(job: Any) -> None:
        before = variable.get()
        variable.set(job.id)
        await asyncio.sleep(0)
        seen.append((before, variable.get()))

    jobs = await bench.queue.add_bulk([JobSpec("n", i) for i in range(5)])
    async with bench.worker(process):
        await bench.until_in("completed", 5)
    assert seen == [("unset", job.id) for job in jobs]


async def test_gather_and_child_tasks_work_inside_a_handler(bench: Bench):
    async def child(number: int) -> int:
        await asyncio.sleep(0)
        return number * 2

    async def process(job: Any) -> Any:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(child(1))
        return [task.result(), *await asyncio.gather(child(2), child(3)), await asyncio.wait_for(child(4), 1)]

    job = await bench.queue.add("n", {})
    async with bench.worker(process):
        await bench.until_in("completed", 1)
    assert (await bench.hash(job.id))["returnvalue"] == "[2,4,6,8]"


async def test_the_concurrency_can_be_changed_while_the_worker_runs(bench: Bench):
    release = asyncio.Event()

    async def process(job: Any) -> None:
        await release.wait()

    await bench.queue.add_bulk([JobSpec("n", i) for i in range(12)])
    worker = bench.worker(process, concurrency=2)
    async with worker:
        await eventually(lambda: len(worker.active_jobs) == 2)
        worker.concurrency = 5
        await eventually(lambda: len(worker.active_jobs) == 5)
        assert worker.concurrency == 5
        worker.concurrency = 1
        release.set()
        await bench.until_in("completed", 12)
        release.clear()
        await bench.queue.add_bulk([JobSpec("n", i) for i in range(3)])
        await eventually(lambda: len(worker.active_jobs) == 1)
        assert len(await bench.ids("active")) == 1
        release.set()
    for bad in (0, True, 1.5):
        with pytest.raises(InvalidOptionError, match="concurrency"):
            worker.concurrency = bad  # type: ignore[assignment]


async def test_more_threads_can_be_had_while_the_worker_runs(bench: Bench):
    release = threading.Event()

    def process(job: Any) -> None:
        release.wait(10)

    await bench.queue.add_bulk([JobSpec("n", i) for i in range(6)])
    worker = bench.worker(process, concurrency=1)
    async with worker:
        await eventually(lambda: len(worker.active_jobs) == 1)
        worker.concurrency = 4
        await eventually(lambda: len(worker.active_jobs) == 4)
        assert len([t for t in threading.enumerate() if t.name.startswith("bullworks-work")]) == 4
        release.set()
        await bench.until_in("completed", 6)


async def test_locks_are_renewed_as_often_as_the_worker_says_and_that_is_told(bench: Bench):
    renewed: list[Any] = []
    release = asyncio.Event()

    async def process(job: Any) -> None:
        await release.wait()

    job = await bench.queue.add("n")
    worker = bench.worker(process, lock_duration=10_000, lock_renew_time=50)
    worker.once("locks_renewed", renewed.append)
    async with worker:
        await eventually(lambda: renewed)
        release.set()
    assert renewed == [{"count": 1, "job_ids": [job.id]}]
    with pytest.raises(InvalidOptionError, match="lock_renew_time"):
        bench.worker(process, lock_duration=1_000, lock_renew_time=1_000)


async def test_without_renewal_a_long_handlers_job_is_free_once_its_lock_expires(bench: Bench):
    async def process(job: Any) -> None:
        await asyncio.sleep(30)

    job = await bench.queue.add("n")
    async with bench.worker(process, lock_duration=100, skip_lock_renewal=True, skip_stalled_check=True) as worker:
        await eventually(lambda: worker.active_jobs)

        async def is_free() -> bool:
            return not await bench.command("EXISTS", bench.key(f"{job.id}:lock"))

        await eventually(is_free)
        await worker.close(0)
