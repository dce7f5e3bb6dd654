"""How long the oldest job of a line has waited."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import Queue
from bullworks.workers.history import oldest_waiting

HOUR_MS = 3_600_000


@pytest.fixture
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue[Any]]:
    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        yield queue


async def age_s(queue: Queue[Any]) -> float | None:
    age_ms, now_ms = await oldest_waiting(queue.connection, queue.keys.base)
    assert abs(now_ms - time.time() * 1000) < 60_000
    return None if age_ms is None else age_ms / 1000


def ago_ms(duration_ms: int) -> int:
    return int(time.time() * 1000) - duration_ms


async def test_an_empty_line_has_none(queue: Queue[Any]) -> None:
    assert await age_s(queue) is None
    await queue.add("later", delay=HOUR_MS)
    assert await age_s(queue) is None


async def test_it_is_the_job_that_was_added_first(queue: Queue[Any]) -> None:
    await queue.add("first", timestamp=ago_ms(HOUR_MS))
    for _ in range(30):
        await queue.add("then")
    assert await age_s(queue) == pytest.approx(3600, abs=30)


async def test_of_jobs_with_priorities_the_longest_wait_counts_not_the_first_in_line(queue: Queue[Any]) -> None:
    await queue.add("urgent", priority=1)
    await queue.add("low", priority=9, timestamp=ago_ms(HOUR_MS))
    await queue.add("low", priority=9)
    assert await age_s(queue) == pytest.approx(3600, abs=30)


async def test_a_delay_that_was_asked_for_is_no_waiting(queue: Queue[Any]) -> None:
    job = await queue.add("due", delay=HOUR_MS, timestamp=ago_ms(HOUR_MS + 60_000))
    await job.promote()
    assert await age_s(queue) == pytest.approx(60, abs=30)


async def test_a_job_that_waits_for_another_attempt_says_nothing(queue: Queue[Any]) -> None:
    job = await queue.add("again", timestamp=ago_ms(HOUR_MS))
    await queue.connection.execute("HSET", queue.keys.of(job.id), "atm", "1")
    assert await age_s(queue) is None
    await queue.add("first", timestamp=ago_ms(60_000))
    assert await age_s(queue) == pytest.approx(60, abs=30)


async def test_a_job_that_was_handed_back_has_waited_since_it_began(queue: Queue[Any]) -> None:
    job = await queue.add("again", timestamp=ago_ms(HOUR_MS))
    await queue.connection.execute("HSET", queue.keys.of(job.id), "processedOn", ago_ms(60_000))
    assert await age_s(queue) == pytest.approx(60, abs=30)


async def test_a_paused_queue_waits_on_purpose(queue: Queue[Any]) -> None:
    await queue.add("first", timestamp=ago_ms(HOUR_MS))
    await queue.pause()
    assert await age_s(queue) is None
    await queue.resume()
    assert await age_s(queue) == pytest.approx(3600, abs=30)


async def test_ids_with_no_job_and_options_that_are_no_json_do_not_matter(queue: Queue[Any]) -> None:
    job = await queue.add("odd", timestamp=ago_ms(60_000))
    await queue.connection.execute("HSET", queue.keys.of(job.id), "opts", "no json")
    await queue.connection.execute("LPUSH", queue.keys.of("wait"), "ghost")
    assert await age_s(queue) == pytest.approx(60, abs=30)


async def test_a_time_to_come_is_no_negative_wait(queue: Queue[Any]) -> None:
    await queue.add("early", timestamp=ago_ms(-HOUR_MS))
    assert await age_s(queue) == 0
