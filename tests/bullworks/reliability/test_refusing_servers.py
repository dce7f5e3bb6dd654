"""A server that refuses to write, or to obey: adds say so, workers wait and go on, and nothing is marked failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from bullworks.bullmq import Job, Queue, Worker
from bullworks.redis.errors import RedisError
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.reliability.history import add_many, check_ended, completed, places
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

MINIMAL_ACL = (
    "~bull:* ~bullworks:* ~{prefix}:* -@all +@hash +@list +@set +@sortedset +@stream +@string +@transaction "
    "-@dangerous +eval +evalsha +script|load +exists +del +unlink +pexpire +pttl +type +scan "
    "+client|setname +client|id +client|unblock +hello +auth +ping +select +info +time"
)


async def _done(_job: Job[Any, Any]) -> str:
    return "done"


async def test_out_of_memory_refuses_adds_and_lets_finished_jobs_be_stored(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, look: redis.Redis
) -> None:
    ids = await add_many(queue, 200)
    look.config_set("maxmemory-policy", "noeviction")
    look.config_set("maxmemory", "1")
    with pytest.raises(RedisError, match="OOM"):
        await queue.add("job", {})
    worker: Worker[Any, Any] = Worker("q", _done, connection=own_server.url, prefix=key_prefix, concurrency=10)
    refusals: list[Any] = []
    async with worker:
        await eventually(lambda: look.info("stats")["total_error_replies"] > 1)
        refusals.append(places(look, queue)["failed"])
        look.config_set("maxmemory", "0")
        await eventually(lambda: completed(look, queue) == len(ids), within_s=10)
    assert refusals == [[]]
    check_ended(look, queue, ids)


async def test_a_read_only_replica_refuses_adds_and_workers_go_on_when_it_is_promoted(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, look: redis.Redis
) -> None:
    ids = await add_many(queue, 200)
    worker: Worker[Any, Any] = Worker("q", _done, connection=own_server.url, prefix=key_prefix, concurrency=1)
    async with worker:
        await eventually(lambda: completed(look, queue) > 0)
        # A master that does not exist: the data stays, and is read-only.
        look.execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(RedisError, match="READONLY"):
            await queue.add("job", {})
        look.execute_command("REPLICAOF", "NO", "ONE")
        await eventually(lambda: completed(look, queue) == len(ids), within_s=10)
    check_ended(look, queue, ids)


async def test_the_documented_acl_is_enough_for_producer_and_worker(
    own_server: RedisServer, key_prefix: str, look: redis.Redis, queue: Queue[Any]
) -> None:
    rules = MINIMAL_ACL.format(prefix=key_prefix).split()
    look.execute_command("ACL", "SETUSER", "worker", "on", ">secret", *rules)
    url = own_server.url.replace("redis://", "redis://worker:secret@")

    async def process(job: Job[Any, Any]) -> str:
        await job.update_progress(50)
        await job.log("half way")
        if job.attempts_made == 0:
            raise RuntimeError("once more")
        return "done"

    async with Queue[Any]("q", connection=url, prefix=key_prefix) as restricted:
        ids = await add_many(restricted, 20, attempts=2)
        async with Worker("q", process, connection=url, prefix=key_prefix, concurrency=5, lock_duration=200):
            await eventually(lambda: completed(look, queue) == len(ids))
        await restricted.pause()
        await restricted.resume()
        assert (await restricted.get_job_counts("completed"))["completed"] == 20
    check_ended(look, queue, ids)
    log = look.execute_command("ACL", "LOG")
    assert log == [], log


POISONED = """
import asyncio, os, sys
from bullworks.bullmq import Worker

async def process(job):
    if job.name == "poison":
        os._exit(9)
    await asyncio.sleep(0.2)
    return "fine"

async def main(url, prefix):
    options = {"concurrency": 20, "lock_duration": 400, "stalled_interval": 300}
    worker = Worker("q", process, connection=url, prefix=prefix, **options)
    await worker.start()
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_job_that_kills_its_process_ends_failed_and_its_neighbours_do_not(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, look: redis.Redis, tmp_path: Path
) -> None:
    ids = await add_many(queue, 5)
    poison = await queue.add("poison", {}, attempts=3)
    ids += [poison.id, *await add_many(queue, 5)]
    script = tmp_path / "poisoned.py"
    script.write_text(POISONED)
    process: subprocess.Popen[bytes] | None = None

    def restart_until_done() -> bool:
        nonlocal process
        if process is None or process.poll() is not None:
            root = Path(__file__).parents[3]
            command = [sys.executable, str(script), own_server.url, key_prefix]
            process = subprocess.Popen(command, cwd=root, env={"PYTHONPATH": str(root)}, stderr=subprocess.DEVNULL)
            end_with_tests(process)
        return completed(look, queue) == len(ids) - 1 and look.zcard(queue.keys.of("failed")) == 1

    try:
        await eventually(restart_until_done, within_s=18, what="all but the poison to be completed")
    finally:
        if process is not None:
            process.kill()
            process.wait(5)
    check_ended(look, queue, ids, failed=1)
    assert look.hget(queue.keys.of(poison.id), "failedReason") == b"job stalled more than allowable limit"
