"""Tallies add up in Redis as they do here."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.redis.server_error import ServerError
from bullworks.workers.history.buckets import LAST_BUCKET, Histogram
from bullworks.workers.history.keys import HistoryKeys
from bullworks.workers.history.scripts import record
from bullworks.workers.history.tally import Tally

COUNTS = st.integers(0, 10**7)
HISTOGRAMS = st.builds(
    Histogram, st.dictionaries(st.integers(0, LAST_BUCKET), st.integers(1, 10**6), max_size=8), st.integers(0, 10**13)
)
AT_MS = 1_790_000_040_000


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    tally = Tally()
    tally.completed, tally.failed, tally.retried, tally.oldest_ms = (draw(COUNTS) for _ in range(4))
    tally.run, tally.wait = draw(HISTOGRAMS), draw(HISTOGRAMS)
    return tally


@given(tallies())
def test_what_was_written_is_read_again(tally: Tally) -> None:
    assert Tally.decode(tally.encode().encode()) == tally


@pytest.mark.parametrize("text", [b"", b"1 2 3;0;0", b"a b c d;0;0", b"1 2 3 4;0 x;0", b"\xff"])
def test_what_somebody_else_wrote_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any will do
        Tally.decode(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(tallies(), min_size=1, max_size=4))
def test_redis_adds_as_python_does(redis_url: str, parts: list[Tally]) -> None:
    async def run() -> list[bytes]:
        keys = HistoryKeys(f"test-{uuid.uuid4().hex[:12]}")
        connection = PipelinedConnection(Endpoint.of(redis_url))
        try:
            for part in parts:
                await record(connection, keys, "email", AT_MS, part)
            place = keys.place("email", "hour", AT_MS)
            return [
                await connection.execute("HGET", place.key, place.field),
                await connection.execute("GET", keys.ever(None)),
            ]
        finally:
            await connection.close()

    expected = Tally()
    for part in parts:
        expected.absorb(part)
    assert [text.decode() for text in asyncio.run(run())] == [expected.encode()] * 2


async def test_a_tally_goes_to_every_tier_of_its_queue_and_of_all_and_each_expires(
    connection: PipelinedConnection, keys: HistoryKeys
) -> None:
    tally = Tally()
    tally.completed = 3
    await record(connection, keys, "email", AT_MS, tally)
    await record(connection, keys, "other", AT_MS, tally)
    found = {}
    for key in await connection.execute("KEYS", f"bullworks:board:history:{keys.prefix}:*"):
        name = key.decode().removeprefix(f"bullworks:board:history:{keys.prefix}:")
        found[name] = await connection.execute("PTTL", key) > 0
    times = ("minute:2026-09-21T14", "hour:2026-09-21", "day:2026-09", "ever")
    owners = ("total", "queue:email", "queue:other")
    assert found == {f"{owner}:{time}": True for owner in owners for time in times} | {"queues": False}
    total = await connection.execute("HGETALL", keys.place(None, "minute", AT_MS).key)
    assert total == [b"14", b"6 0 0 0;0;0"]


async def test_a_queue_that_is_unused_for_long_is_forgotten(connection: PipelinedConnection, keys: HistoryKeys) -> None:
    await record(connection, keys, "old", AT_MS, Tally())
    await record(connection, keys, "new", AT_MS + 500 * 86_400_000, Tally())
    assert await connection.execute("ZRANGE", keys.queues, 0, -1) == [b"new"]


async def test_what_somebody_else_wrote_counts_as_nothing_and_a_tally_of_his_is_refused(
    connection: PipelinedConnection, keys: HistoryKeys
) -> None:
    place = keys.place("email", "day", AT_MS)
    await connection.execute("HSET", place.key, place.field, "garbage")
    tally = Tally()
    tally.failed = 1
    await record(connection, keys, "email", AT_MS, tally)
    assert await connection.execute("HGET", place.key, place.field) == b"0 1 0 0;0;0"
    broken = Tally()
    broken.failed = -1
    with pytest.raises(ServerError, match="the tally cannot be read"):
        await record(connection, keys, "email", AT_MS, broken)
