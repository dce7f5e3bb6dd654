"""Prices from an HTTP API, and made-up ones."""

from __future__ import annotations

import logging
import time

import pytest

from app.modules.ticker import Tick, TickerSourceError
from app.modules.ticker.http_source import HttpTickerSource
from app.modules.ticker.random_walk import RandomWalk
from tests.app.http_server import HttpServer


async def fetched(server: HttpServer, timeout_s: float = 5.0) -> list[Tick]:
    source = HttpTickerSource(server.url, timeout_s=timeout_s)
    try:
        return await source.fetch()
    finally:
        await source.close()


@pytest.mark.parametrize(
    "body",
    [
        b'{"BTC-USD": 64000.5, "ETH-USD": "3100"}',
        b'[{"symbol": "BTC-USD", "price": "64000.5", "volume": 1}, {"symbol": "ETH-USD", "price": 3100}]',
    ],
)
async def test_both_forms_of_answer_are_understood(http_server: HttpServer, body: bytes) -> None:
    http_server.body = body
    before_ms = int(time.time() * 1000)
    ticks = await fetched(http_server)
    assert [(tick.symbol, tick.price) for tick in ticks] == [("BTC-USD", 64000.5), ("ETH-USD", 3100.0)]
    assert all(before_ms <= tick.at_ms <= int(time.time() * 1000) for tick in ticks)
    assert http_server.asked == ["/data?key=hunter2"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'"BTC"',
        b"[1]",
        b'[{"symbol": "BTC-USD"}]',
        b'{"BTC-USD": null}',
        b'{"BTC-USD": 0}',
        b'{"BTC-USD": -1}',
        b'{"BTC-USD": NaN}',
        b'{"BTC-USD": true}',
        b'{"BTC-USD": 1' + b"0" * 400 + b"}",
        b'{"": 1}',
        b'{"a{b": 1}',
        b'{"a\\nb": 1}',
        b"\xff",
    ],
)
async def test_an_answer_that_is_no_list_of_prices_is_refused(http_server: HttpServer, body: bytes) -> None:
    http_server.body = body
    with pytest.raises(TickerSourceError, match=r"no prices from 127\.0\.0\.1: its answer is not a list of prices"):
        await fetched(http_server)


async def test_an_error_a_long_answer_and_a_slow_one_are_told_without_the_url(
    http_server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    http_server.status = 503
    with pytest.raises(TickerSourceError, match="it answered 503") as refused:
        await fetched(http_server)
    http_server.status, http_server.body = 200, b" " * (1024 * 1024 + 1)
    with pytest.raises(TickerSourceError, match="longer than") as long:
        await fetched(http_server)
    http_server.delay_s = 5.0
    with pytest.raises(TickerSourceError, match="ReadTimeout") as slow:
        await fetched(http_server, timeout_s=0.1)
    texts = [str(caught.value) + repr(caught.value) for caught in (refused, long, slow)]
    assert "hunter2" not in caplog.text + "".join(texts)


async def test_a_source_that_is_not_there_is_told() -> None:
    source = HttpTickerSource("http://127.0.0.1:1/", timeout_s=5)
    with pytest.raises(TickerSourceError, match="ConnectError"):
        await source.fetch()
    await source.close()


async def test_made_up_prices_move_a_little_and_stay_positive() -> None:
    walk = RandomWalk(["A", "B"], seed=1)
    before = {tick.symbol: tick.price for tick in await walk.fetch()}
    for _ in range(200):
        now = {tick.symbol: tick.price for tick in await walk.fetch()}
        assert all(0 < abs(now[symbol] / before[symbol] - 1) < 0.0011 for symbol in ("A", "B"))
        before = now
    await walk.close()
