"""ENABLED_WORKERS=ticker,candles, the guide's own example, runs these two and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.app_module import AppModule
from app.modules.candles import CandleStore
from app.workers.email_worker import EmailWorker
from app.workers.sync_worker import SyncWorker
from app.workers.ticker_worker import TickerWorker
from bullworks.bullmq import Queue
from bullworks.core import create_application
from bullworks.schedule import SchedulerRegistry
from bullworks.workers import NoWorkerError, UnknownWorkerError
from tests.app.http_server import HttpServer
from tests.bullworks.waiting import eventually


@pytest.fixture(autouse=True)
def environment(redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    monkeypatch.setenv("HTTP_SERVE", "never")


async def test_the_two_named_work_and_the_others_do_not(
    http_server: HttpServer, key_prefix: str, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setenv("ENABLED_WORKERS", "ticker,candles")
    monkeypatch.setenv("TICKER_SOURCE_URL", http_server.url)
    http_server.body = json.dumps({key_prefix: 5}).encode()
    async with await create_application(AppModule) as app:
        crons = app.get(SchedulerRegistry).get_cron_jobs()
        assert {name for name, job in crons.items() if job.is_active} == {"update-tickers", "clean-up-tickers"}
        await app.get(TickerWorker).update_tickers()
        store = app.get(CandleStore)
        assert await eventually(lambda: store.get_candles(key_prefix))
        off: list[Any] = [app.get(EmailWorker), app.get(SyncWorker)]
        for host in off:
            with pytest.raises(NoWorkerError):
                _ = host.worker
    async with Queue("candles", connection=redis_url, prefix=key_prefix) as queue:
        assert (await queue.get_job_counts())["completed"] >= 1


async def test_a_name_that_nobody_has_is_answered_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENABLED_WORKERS", "ticker,candle")
    with pytest.raises(
        UnknownWorkerError, match=r"names the unknown worker candle\. Workers: candles, email, sync, ticker"
    ):
        await create_application(AppModule)
