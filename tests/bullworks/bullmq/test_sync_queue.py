"""SyncQueue: for programs without an event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, InvalidPayloadError, JobSpec, LoopBlockedError, Queue, SyncQueue
from bullworks.bullmq.sync.loop import BackgroundLoop, call
from bullworks.redis import ConnectError, Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from tests.bullworks.servers import free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture
def sync_queue(redis_url: str, key_prefix: str) -> Iterator[SyncQueue]:
    """An empty queue."""
    with SyncQueue("q", connection=redis_url, prefix=key_prefix) as queue:
        yield queue


def test_it_adds_and_finds_jobs(sync_queue: SyncQueue) -> None:
    job = sync_queue.add("mail", {"to": "a@b"}, attempts=3)
    others = sync_queue.add_bulk([JobSpec("digest", {"n": 1}), JobSpec("digest", {"n": 2}, delay=60_000)])
    assert [job.id, *[other.id for other in others]] == ["1", "2", "3"]
    found = sync_queue.get_job("1")
    assert found is not None
    assert (found.name, found.data, found.opts.attempts) == ("mail", {"to": "a@b"}, 3)
    assert sync_queue.get_job("nope") is None
    assert sync_queue.get_job_counts("waiting", "delayed") == {"waiting": 2, "delayed": 1}


def test_its_jobs_can_do_what_jobs_can(sync_queue: SyncQueue) -> None:
    job = sync_queue.add("mail", {"n": 1}, delay=60_000)
    job.promote()
    job.update_data({"n": 2})
    job.log("row")
    assert (job.get_state(), job.data, job.logs()) == ("waiting", {"n": 2}, ["row"])
    job.remove()
    assert sync_queue.get_job(job.id) is None


def test_it_cancels_jobs(sync_queue: SyncQueue) -> None:
    jobs = sync_queue.add_bulk([JobSpec("mail", {}), JobSpec("mail", {}), JobSpec("mail", {})])
    assert sync_queue.cancel(jobs[0].id, "by mistake") == "cancelled"
    assert sync_queue.cancel_many([jobs[0].id, jobs[1].id]) == {jobs[0].id: "finished", jobs[1].id: "cancelled"}
    assert jobs[2].cancel(remove=True) == "cancelled"
    found = sync_queue.get_job(jobs[0].id)
    assert found is not None
    assert (found.is_cancelled, found.failed_reason) == (True, "cancelled: by mistake")


def test_threads_may_share_it(sync_queue: SyncQueue) -> None:
    ids: list[str] = []

    def produce() -> None:
        ids.extend(sync_queue.add("a", i).id for i in range(50))

    threads = [threading.Thread(target=produce) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert sorted(ids, key=int) == [str(i) for i in range(1, 401)]
    assert sync_queue.get_job_counts("waiting") == {"waiting": 400}


def test_all_queues_of_a_process_share_one_thread(sync_queue: SyncQueue, redis_url: str, key_prefix: str) -> None:
    with SyncQueue("other", connection=Endpoint.of(redis_url), prefix=key_prefix) as other:
        other.add("a")
        sync_queue.add("a")
        assert [thread.name for thread in threading.enumerate()].count("bullworks-sync") == 1


async def test_it_can_be_called_where_another_loop_runs(redis_url: str, key_prefix: str) -> None:
    """As in sync code called from an async view: it blocks that loop for a moment, but does not hang."""
    queue = SyncQueue("q", connection=redis_url, prefix=key_prefix)
    assert queue.add("a").id == "1"
    queue.close()


@pytest.mark.parametrize(
    ("name", "data", "opts", "error"),
    [
        ("", None, {}, InvalidOptionError),
        ("a", object(), {}, InvalidPayloadError),
        ("a", None, {"delay": -1}, InvalidOptionError),
        ("a", None, {"dealy": 1}, InvalidOptionError),
    ],
)
def test_bad_input_raises_in_the_callers_thread(
    sync_queue: SyncQueue, name: str, data: Any, opts: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        sync_queue.add(name, data, **opts)
    assert sync_queue.get_job_counts("waiting") == {"waiting": 0}


def test_bad_arguments_are_told_before_the_first_job(redis_url: str) -> None:
    with pytest.raises(InvalidOptionError, match="queue name"):
        SyncQueue("a:b", connection=redis_url)
    with pytest.raises(InvalidOptionError, match="did you mean attempts"):
        SyncQueue("a", connection=redis_url, default_job_options={"atempts": 1})  # type: ignore[typeddict-unknown-key]
    connection: Any = PipelinedConnection(Endpoint.of(redis_url))
    with pytest.raises(InvalidOptionError, match="connection: must be a URL"):
        SyncQueue("a", connection=connection)


def test_a_server_that_is_not_there_is_an_error_and_not_a_wait() -> None:
    queue = SyncQueue("q", connection=f"redis://127.0.0.1:{free_port()}")
    began_s = time.monotonic()
    with pytest.raises(ConnectError, match="cannot connect to Redis"):
        queue.add("a")
    assert time.monotonic() - began_s < 5


def test_closing_twice_or_before_the_first_call_is_fine(redis_url: str, key_prefix: str) -> None:
    queue = SyncQueue("q", connection=redis_url, prefix=key_prefix)
    queue.close()
    queue.close()
    assert repr(queue).startswith("<SyncQueue 'q' at redis://")


@pytest.mark.process
def test_a_forked_child_connects_anew(redis_url: str, key_prefix: str) -> None:
    command = [sys.executable, "-m", "tests.bullworks.bullmq.forking_producer", redis_url, key_prefix]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=15, check=False)
    assert (done.returncode, done.stdout) == (0, "[('waiting', 3)]\n"), done.stderr


@pytest.mark.process
def test_a_program_that_forgets_to_close_ends_at_once_and_silently(redis_url: str, key_prefix: str) -> None:
    code = (
        "from bullworks.bullmq import SyncQueue; import sys\n"
        f"print(SyncQueue('q', connection={redis_url!r}, prefix={key_prefix!r}).add('a').id)"
    )
    began_s = time.monotonic()
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=15, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
    assert time.monotonic() - began_s < 10


async def test_a_blocking_call_on_the_loops_own_thread_is_refused(redis_url: str, key_prefix: str) -> None:
    async with Queue("q", connection=redis_url, prefix=key_prefix) as queue:
        with pytest.raises(RuntimeError, match="would never return"):
            call(queue.count(), asyncio.get_running_loop())


def test_a_loop_that_does_not_answer_is_told_within_the_wait() -> None:
    loop = BackgroundLoop()
    try:
        with pytest.raises(LoopBlockedError, match=r"within 0.05 s"):
            loop.call(asyncio.Event().wait(), wait_s=0.05)

        async def own_timeout() -> None:
            raise TimeoutError("the call's own")

        with pytest.raises(TimeoutError, match="the call's own"):
            loop.call(own_timeout())
    finally:
        loop.close()
        loop.close()


def test_a_closed_loop_takes_no_calls() -> None:
    loop = BackgroundLoop()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call(asyncio.sleep(0))
