"""TickerWorker fetches, stores and queues; and forgets at midnight what is gone."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest

from app.modules.candles import CandlesModule, CandleStore
from app.modules.ticker import Tick, TickerModule, TickerService, TickerSource, TickerSourceError
from app.modules.ticker.keys import LAST
from app.modules.ticker.settings import TickerSettings
from app.modules.ticker.store import TickerStore
from app.workers.candles_worker import CandlesWorker
from app.workers.ticker_worker import TickerWorker
from bullworks.bullmq import Queue
from bullworks.core import Application, create_application
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.schedule import SchedulerRegistry
from bullworks.workers import BullModule
from tests.app.http_server import HttpServer
from tests.bullworks.waiting import eventually

DAY_MS = 24 * 60 * 60 * 1000


class Given(TickerSource):
    """Gives what it was given."""

    def __init__(self, *answers: list[Tick] | Exception) -> None:
        self.answers = list(answers)

    async def fetch(self) -> list[Tick]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def symbol(key_prefix: str) -> str:
    """One that no other test has a price of."""
    return f"{key_prefix}-USD"


@pytest.fixture
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue[Any]]:
    """The queue `candles`, in which nobody works."""
    async with Queue("candles", connection=redis_url, prefix=key_prefix) as queue:
        yield queue


@pytest.fixture
def service(connection: PipelinedConnection, queue: Queue[Any]) -> TickerService:
    settings = TickerSettings(_env_file=None)  # type: ignore[call-arg]
    return TickerService(TickerStore(connection), settings, queue)


async def test_new_prices_are_the_last_ones_and_wait_to_be_folded(
    service: TickerService, queue: Queue[Any], symbol: str
) -> None:
    tick = Tick(symbol, 64000.5, 1_700_000_000_000)
    await TickerWorker(Given([tick], []), service).update_tickers()
    assert await service.get_last(symbol) == tick
    assert tick in await service.get_all()
    (job,) = await queue.get_jobs("waiting")
    assert (job.name, job.data) == ("fold", {"ticks": [{"symbol": symbol, "price": 64000.5, "at_ms": tick.at_ms}]})


async def test_an_empty_answer_adds_no_job(service: TickerService, queue: Queue[Any]) -> None:
    await TickerWorker(Given([]), service).update_tickers()
    assert await queue.count() == 0


async def test_a_source_that_fails_costs_one_update_and_a_warning(
    service: TickerService, symbol: str, caplog: pytest.LogCaptureFixture
) -> None:
    worker = TickerWorker(Given(TickerSourceError("host", "it answered 503"), [Tick(symbol, 1.0, 2)]), service)
    await worker.update_tickers()
    assert "tickers not updated: no prices from host: it answered 503" in caplog.messages
    await worker.update_tickers()
    assert await service.get_last(symbol) == Tick(symbol, 1.0, 2)


async def test_prices_are_not_queued_for_ever_where_nobody_folds_them(
    service: TickerService, symbol: str, caplog: pytest.LogCaptureFixture
) -> None:
    full = AsyncMock(spec=Queue)
    full.count.return_value = 1_000
    service.candles_queue = full
    await service.update([Tick(symbol, 5.0, 6)])
    full.add.assert_not_awaited()
    assert "is the worker candles running?" in caplog.text
    assert await service.get_last(symbol) == Tick(symbol, 5.0, 6)


async def test_the_clean_up_forgets_symbols_without_a_new_price_for_a_week(
    service: TickerService, connection: PipelinedConnection, symbol: str
) -> None:
    now_ms = int(time.time() * 1000)
    gone, kept = f"{symbol}-gone", f"{symbol}-kept"
    await service.store.save([Tick(gone, 1.0, now_ms - 8 * DAY_MS), Tick(kept, 1.0, now_ms - 6 * DAY_MS)])
    await TickerWorker(Given(), service).daily_cleanup()
    assert await service.get_last(gone) is None
    assert await service.get_last(kept) is not None
    assert json.loads(await connection.execute("HGET", LAST, kept)) == {"price": 1.0, "at_ms": now_ms - 6 * DAY_MS}
    await service.store.forget_before(now_ms + 1)


@pytest.fixture
async def application(
    http_server: HttpServer, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Application]:
    """Both features, with prices from a real HTTP server."""
    monkeypatch.setenv("TICKER_SOURCE_URL", http_server.url)
    root = BullModule.for_root(
        connection=redis_url,
        prefix=key_prefix,
        queues=("candles",),
        imports=[TickerModule, CandlesModule],
        providers=[TickerWorker, CandlesWorker],
    )
    async with await create_application(root) as application:
        yield application


async def test_prices_go_their_whole_way_from_the_source_to_candles(
    application: Application, http_server: HttpServer, symbol: str
) -> None:
    http_server.body = json.dumps({symbol: 64000.5}).encode()
    registry = application.get(SchedulerRegistry)
    assert {"update-tickers", "clean-up-tickers"} <= set(registry.get_cron_jobs())
    await application.get(TickerWorker).update_tickers()
    candles = application.select(CandlesModule).get(CandleStore)
    (candle,) = await eventually(lambda: candles.get_candles(symbol))
    assert (candle.open, candle.high, candle.low, candle.close) == (64000.5,) * 4
    last = await application.select(TickerModule).get(TickerService).get_last(symbol)
    assert last is not None
    assert candle.start_ms <= last.at_ms < candle.start_ms + 60_000
