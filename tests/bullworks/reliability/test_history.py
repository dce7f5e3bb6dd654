"""The check that the other tests end with finds what it is there to find."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.reliability.history import add_many, check_ended, completed
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


@pytest.fixture
async def ids(queue: Queue[Any], own_server: RedisServer, key_prefix: str, look: redis.Redis) -> list[str]:
    """Three completed jobs."""

    async def process(job: Job[Any, Any]) -> None:
        return

    ids = await add_many(queue, 3)
    async with Worker("q", process, connection=own_server.url, prefix=key_prefix):
        await eventually(lambda: completed(look, queue) == 3)
    check_ended(look, queue, ids)
    return ids


async def test_it_finds_a_lost_job(queue: Queue[Any], look: redis.Redis, ids: list[str]) -> None:
    look.zrem(queue.keys.of("completed"), ids[0])
    with pytest.raises(AssertionError, match="lost 1"):
        check_ended(look, queue, ids)


async def test_it_finds_a_job_in_two_places(queue: Queue[Any], look: redis.Redis, ids: list[str]) -> None:
    look.lpush(queue.keys.of("wait"), ids[0])
    with pytest.raises(AssertionError, match="two places"):
        check_ended(look, queue, ids)


async def test_it_finds_a_job_that_is_not_finished(queue: Queue[Any], look: redis.Redis, ids: list[str]) -> None:
    look.zrem(queue.keys.of("completed"), ids[0])
    look.lpush(queue.keys.of("active"), ids[0])
    with pytest.raises(AssertionError, match="'active': 1"):
        check_ended(look, queue, ids)


async def test_it_finds_a_lock_without_a_holder(queue: Queue[Any], look: redis.Redis, ids: list[str]) -> None:
    look.set(queue.keys.of(f"{ids[0]}:lock"), "token")
    with pytest.raises(AssertionError, match="lock without a holder"):
        check_ended(look, queue, ids)


async def test_it_finds_a_job_that_failed(queue: Queue[Any], look: redis.Redis, ids: list[str]) -> None:
    look.zrem(queue.keys.of("completed"), ids[0])
    look.zadd(queue.keys.of("failed"), {ids[0]: 1})
    with pytest.raises(AssertionError, match="'failed': 1"):
        check_ended(look, queue, ids)
