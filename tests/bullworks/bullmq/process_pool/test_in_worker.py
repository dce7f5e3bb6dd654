"""A worker whose handlers run in processes, on a real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bullworks.bullmq import FlowProducer, Job, Keyring, ProcessPool, ProcessStartError, Queue, Worker
from tests.bullworks.bullmq.process_pool import handlers
from tests.bullworks.bullmq.process_pool.processes import is_running
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually, wait_until

ROOT = Path(__file__).parents[4]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue]:
    async with Queue("cpu", connection=redis_url, prefix=key_prefix) as queue:
        yield queue


def worker_of(queue: Queue, pool: ProcessPool, **options: Any) -> Worker:
    return Worker("cpu", pool, connection=queue.connection.endpoint, prefix=queue.keys.prefix, **options)


class Shared:
    """A worker with one process that has all handlers, and its queue, for tests that leave them as they were."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.pool = ProcessPool(f"{handlers.__name__}:HANDLERS", size=1)
        self.worker = worker_of(queue, self.pool)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(redis_server: RedisServer) -> AsyncIterator[Shared]:
    async with Queue("cpu", connection=redis_server.url, prefix=f"test-{uuid.uuid4().hex[:12]}") as queue:
        shared = Shared(queue)
        async with shared.worker:
            yield shared


async def in_state(job: Job, state: str) -> Job:
    async def is_there() -> bool:
        return await job.get_state() == state

    await eventually(is_there, what=f"{job} to be {state}")
    await job.refresh()
    return job


async def test_jobs_run_in_processes_as_many_at_once_as_there_are(queue: Queue, tmp_path: Path) -> None:
    notes = [str(tmp_path / str(number)) for number in range(2)]
    pool = ProcessPool(handlers.note_and_wait, size=2)
    async with worker_of(queue, pool) as worker:
        assert worker.concurrency == 2
        jobs = [await queue.add("x", note) for note in notes]
        await eventually(lambda: all(Path(note).exists() for note in notes))
        assert sorted(int(Path(note).read_text()) for note in notes) == sorted(pool.pids)
        for note in notes:
            Path(f"{note}.go").touch()
        for job in jobs:
            assert (await in_state(job, "completed")).returnvalue == "done"
    assert pool.pids == []


async def test_processes_get_models_and_the_worker_alone_has_the_keys(redis_url: str, key_prefix: str) -> None:
    keyring = Keyring({"k1": b"k" * 32})
    types: Any = {"data_type": handlers.Order, "result_type": handlers.Charge, "encryption": keyring}
    where: Any = {"connection": redis_url, "prefix": key_prefix}
    heard: list[Any] = []
    async with Queue("cpu", **types, **where) as queue, FlowProducer(queues=[queue], **where) as flows:
        order = handlers.Order(number=1, card="4111-x")
        job = (await flows.add({"name": "x", "queue_name": "cpu", "data": order})).job
        async with Worker("cpu", ProcessPool(handlers.charge, size=1), **types, **where) as worker:
            worker.on("completed", lambda job, result: heard.append(result))
            assert await job.wait_until_finished(ttl=10_000) == handlers.Charge(2, "x-1114")
        await job.refresh()
        assert job.data == handlers.Order(number=2, card="x-1114")
        stored = await queue.connection.execute("HGETALL", queue.keys.of(job.id))
        assert not any(card in value for card in (b"4111-x", b"x-1114") for value in stored[1::2])
        assert heard == [handlers.Charge(2, "x-1114")]


async def test_progress_logs_and_data_reach_redis_and_the_worker_s_listeners(shared: Shared) -> None:
    heard: list[Any] = []
    shared.worker.on("progress", lambda job, progress: heard.append((job.id, progress)))
    shared.worker.on("completed", lambda job, result: heard.append((job.data, result[0])))
    job = await in_state(await shared.queue.add("use_job", {"n": 1}), "completed")
    assert (job.progress, job.data, await job.logs()) == ({"step": 1}, {"n": 1, "seen": True}, ["one", "two"])
    await eventually(lambda: len(heard) == 2)
    assert heard == [(job.id, {"step": 1}), ({"n": 1, "seen": True}, {"n": 1, "seen": True})]


@pytest.mark.parametrize("name", ["take_steps", "take_async_steps"])
async def test_steps_are_done_once_also_in_a_process(shared: Shared, name: str) -> None:
    job = await shared.queue.add(name, attempts=2)
    await shared.queue.signal(job.id, "go", True)
    ended = await in_state(job, "completed")
    # The cursor had come to its end, so the second attempt saw none of its items.
    assert ended.returnvalue == [*shared.pool.pids, True]
    assert [(step.kind, step.name) for step in ended.steps] == [
        ("step", "pid"),
        ("cursor", "letters"),
        ("sleep", "nap"),
        ("wait", "go"),
    ]


async def test_a_failure_is_stored_with_its_reason_and_the_trace_of_the_process(shared: Shared) -> None:
    errors: list[Any] = []
    shared.worker.on("failed", lambda job, error: errors.append(error))
    queue = shared.queue
    coded = await in_state(await queue.add("fail", "coded", attempts=2), "failed")
    ended = await in_state(await queue.add("fail", "end", attempts=5), "failed")
    odd_end = await in_state(await queue.add("fail", "odd end", attempts=5), "failed")
    exited = await in_state(await queue.add("fail", "exit"), "failed")
    assert (coded.failed_reason, coded.attempts_made) == ("code 7", 2)
    assert "handlers.py" in coded.stacktrace[-1]
    assert (ended.failed_reason, ended.attempts_made) == ("never", 1)
    assert (odd_end.failed_reason, odd_end.attempts_made) == ("this and that", 1)
    assert exited.failed_reason == "3"
    assert [type(error).__name__ for error in errors[:2]] == ["CodedError", "CodedError"]


async def test_a_result_that_is_no_json_fails_the_job_for_good(shared: Shared) -> None:
    job = await in_state(await shared.queue.add("return_object", attempts=3), "failed")
    assert (job.failed_reason or "").startswith("the handler's result cannot be stored: $.when is a object")
    assert job.attempts_made == 1


async def test_a_killed_process_costs_one_attempt(queue: Queue) -> None:
    async with worker_of(queue, ProcessPool(handlers.die, size=1)):
        job = await in_state(await queue.add("x", "killed", attempts=2), "completed")
    assert (job.returnvalue, job.attempts_made) == ("second", 2)
    assert "was killed by SIGKILL" in job.stacktrace[0]


async def test_a_job_past_its_timeout_fails_and_its_process_is_gone(queue: Queue, tmp_path: Path) -> None:
    note = tmp_path / "note"
    pool = ProcessPool(handlers.note_and_hog, size=1)
    async with worker_of(queue, pool):
        (doomed,) = pool.pids
        job = await in_state(await queue.add("x", str(note), timeout=1_000), "failed")
        assert job.failed_reason is not None
        assert "1000 ms" in job.failed_reason
        process, program = (int(number) for number in note.read_text().split())
        assert process == doomed
        assert not is_running(doomed)
        await eventually(lambda: not is_running(program))
        await eventually(lambda: pool.pids and pool.pids != [doomed], what="another process")


async def test_a_job_that_is_cancelled_here_or_elsewhere_fails_with_the_reason_and_its_process_is_ended(
    shared: Shared, tmp_path: Path
) -> None:
    note, another = tmp_path / "note", tmp_path / "another"
    here = await shared.queue.add("note_and_spin", str(note))
    await eventually(note.exists)
    assert shared.worker.cancel_job(here.id, "not needed any more")
    assert "not needed any more" in ((await in_state(here, "failed")).failed_reason or "")
    assert not is_running(int(note.read_text()))
    elsewhere = await shared.queue.add("note_and_spin", str(another), attempts=3)
    await eventually(another.exists)
    assert await shared.queue.cancel(elsewhere.id, "not needed") == "requested"
    assert (await in_state(elsewhere, "failed")).failed_reason == "cancelled: not needed"
    assert not is_running(int(another.read_text()))


async def test_a_handler_with_a_signal_is_told_in_its_process_by_whoever_cancels_and_ends_its_job_as_it_likes(
    shared: Shared, tmp_path: Path
) -> None:
    async def watched(note: Path) -> Job:
        job = await shared.queue.add("watch", str(note))
        await eventually(note.exists)
        await eventually(lambda: all(job.offer_signal().is_watched for job in shared.worker.active_jobs))
        return job

    job = await watched(tmp_path / "note")
    await shared.queue.cancel(job.id, "enough")
    assert (await in_state(job, "completed")).returnvalue == "told: cancelled: enough"
    job = await watched(tmp_path / "another")
    shared.worker.cancel_job(job.id, "enough")
    assert (await in_state(job, "completed")).returnvalue == "told: enough"


async def test_a_handler_moves_its_job(shared: Shared) -> None:
    job = await in_state(await shared.queue.add("delay"), "delayed")
    assert job.attempts_made == 0
    assert job.delay > 3_000_000


async def test_closing_waits_for_jobs_within_the_grace_time(queue: Queue, tmp_path: Path) -> None:
    note = tmp_path / "note"
    worker = worker_of(queue, ProcessPool(handlers.note_and_wait, size=1))
    await worker.start()
    job = await queue.add("x", str(note))
    await eventually(note.exists)
    closing = asyncio.ensure_future(worker.close(10_000))
    await asyncio.sleep(0)
    Path(f"{note}.go").touch()
    await asyncio.wait_for(closing, 5)
    assert (await in_state(job, "completed")).returnvalue == "done"
    assert not is_running(int(note.read_text()))


async def test_past_the_grace_time_the_process_is_killed_and_its_job_handed_back(queue: Queue, tmp_path: Path) -> None:
    note = tmp_path / "note"
    worker = worker_of(queue, ProcessPool(handlers.note_and_spin, size=1))
    await worker.start()
    job = await queue.add("x", str(note))
    await eventually(note.exists)
    await asyncio.wait_for(worker.close(50), 5)
    assert (await in_state(job, "waiting")).attempts_made == 0
    assert not is_running(int(note.read_text()))


async def test_a_worker_does_not_start_without_its_handler_and_can_try_again(queue: Queue) -> None:
    pool = ProcessPool("tests.bullworks.bullmq.process_pool.handlers:missing", size=1)
    with pytest.raises(ProcessStartError, match="has no attribute 'missing'"):
        async with worker_of(queue, pool):
            raise AssertionError("it started")
    assert pool.pids == []


_PROGRAM = """
import asyncio, json, sys
from bullworks.bullmq import ProcessPool, Worker

async def main():
    plan = json.loads(sys.argv[1])
    pool = ProcessPool(plan["handler"], size=2)
    worker = Worker("cpu", pool, connection=plan["url"], prefix=plan["prefix"])
    await worker.start()
    print(json.dumps(pool.pids), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_no_process_outlives_its_worker_s_process(queue: Queue, redis_url: str, tmp_path: Path) -> None:
    """Given a worker's process with one handler at work and one process idle, when it is killed, then both end.

    And so does what the handler has started, although native code holds the interpreter.
    """
    note = tmp_path / "note"
    plan = {"handler": f"{handlers.__name__}:note_and_hog", "url": redis_url, "prefix": queue.keys.prefix}
    command = [sys.executable, "-c", _PROGRAM, json.dumps(plan)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            pids = json.loads(await asyncio.to_thread(program.stdout.readline))
            await queue.add("x", str(note))
            await eventually(note.exists)
        finally:
            os.kill(program.pid, signal.SIGKILL)
    pids += [int(number) for number in note.read_text().split()]
    wait_until(lambda: not any(is_running(pid) for pid in pids), within_s=10, what=f"{pids} to end")
