"""Candles come out the same in whatever order prices come, and however often."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.candles import Candle, CandleStore
from app.modules.candles.candle import start_of
from app.modules.candles.keys import CandleKeys
from app.modules.candles.settings import CandlesSettings
from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection

MINUTE_MS = 60_000
T_MS = 1_700_000_040_000  # the start of a minute

MakeStore = Callable[..., CandleStore]


def made(connection: PipelinedConnection, **values: Any) -> CandleStore:
    return CandleStore(connection, CandlesSettings(_env_file=None, **values))


@pytest.fixture
def store(connection: PipelinedConnection) -> CandleStore:
    return made(connection)


def test_intervals_begin_at_multiples_of_their_length() -> None:
    assert start_of(T_MS, MINUTE_MS) == T_MS
    assert start_of(T_MS + 59_999, MINUTE_MS) == T_MS
    assert start_of(T_MS + 60_000, MINUTE_MS) == T_MS + 60_000


async def test_prices_of_a_minute_make_one_candle(store: CandleStore, key_prefix: str) -> None:
    for at_ms, price in [(0, 10.0), (1_000, 12.5), (2_000, 9.0), (59_999, 11.0), (60_000, 20.0)]:
        assert await store.fold(key_prefix, price, T_MS + at_ms) is True
    assert await store.get_candles(key_prefix) == [
        Candle(key_prefix, T_MS, open=10.0, high=12.5, low=9.0, close=11.0),
        Candle(key_prefix, T_MS + MINUTE_MS, open=20.0, high=20.0, low=20.0, close=20.0),
    ]


async def test_the_last_ones_are_kept_and_older_prices_left_out(
    connection: PipelinedConnection, key_prefix: str
) -> None:
    store = made(connection, candles_keep=3)
    for minute in range(5):
        await store.fold(key_prefix, 1.0 + minute, T_MS + minute * MINUTE_MS)
    assert await store.fold(key_prefix, 7.0, T_MS) is False
    kept = await store.get_candles(key_prefix)
    assert [candle.start_ms for candle in kept] == [T_MS + minute * MINUTE_MS for minute in (2, 3, 4)]
    keys = CandleKeys(key_prefix, MINUTE_MS)
    assert await connection.execute("HLEN", keys.values) == 3


async def test_a_limit_gives_the_latest(store: CandleStore, key_prefix: str) -> None:
    for minute in range(4):
        await store.fold(key_prefix, 1.0, T_MS + minute * MINUTE_MS)
    starts = [candle.start_ms for candle in await store.get_candles(key_prefix, limit=2)]
    assert starts == [T_MS + 2 * MINUTE_MS, T_MS + 3 * MINUTE_MS]
    assert await store.get_candles(f"{key_prefix}-none") == []


async def test_lengths_of_interval_do_not_mix(connection: PipelinedConnection, key_prefix: str) -> None:
    await made(connection).fold(key_prefix, 1.0, T_MS)
    assert await made(connection, candles_interval_ms=1_000).get_candles(key_prefix) == []


PRICES = st.floats(min_value=1e-9, max_value=1e12, allow_nan=False)
TICKS = st.lists(st.tuples(st.integers(0, 3 * MINUTE_MS), PRICES), min_size=1, max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ticks=TICKS, draw=st.data())
def test_order_and_repetition_change_nothing(redis_url: str, ticks: list[tuple[int, float]], draw: Any) -> None:
    """Jobs run at least once, several at a time."""
    again = draw.draw(st.permutations(ticks + draw.draw(st.lists(st.sampled_from(ticks), max_size=6))))

    async def fold_both() -> tuple[list[Candle], list[Candle]]:
        connection = connection_to(Endpoint.of(redis_url))
        store = made(connection)
        found = []
        for order in (sorted(ticks), again):
            symbol = uuid.uuid4().hex
            for at_ms, price in order:
                await store.fold(symbol, price, T_MS + at_ms)
            found.append([_nameless(candle) for candle in await store.get_candles(symbol)])
        await connection.close()
        return found[0], found[1]

    first, second = asyncio.run(fold_both())
    assert first == second
    for candle in first:
        inside = [price for at_ms, price in ticks if start_of(T_MS + at_ms, MINUTE_MS) == candle.start_ms]
        assert (candle.low, candle.high) == (min(inside), max(inside))


def _nameless(candle: Candle) -> Candle:
    return Candle("", candle.start_ms, candle.open, candle.high, candle.low, candle.close)
