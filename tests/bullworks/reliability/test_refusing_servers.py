"""A server that refuses to write, or to obey: adds say so, workers wait and go on, and nothing is marked failed."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from bullworks.bullmq import Job, Queue, Worker
from bullworks.redis.errors import RedisError
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
