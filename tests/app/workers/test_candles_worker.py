"""CandlesWorker folds the prices of a job, and refuses what are none."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock

import pytest

from app.modules.candles import CandleStore
from app.workers.candles_worker import CandlesWorker
from bullworks.bullmq import Job, UnrecoverableError
from bullworks.workers.processor import worker_name_of

TICK = {"symbol": "BTC-USD", "price": 64000.5, "at_ms": 1_700_000_000_000}


async def test_every_price_of_a_job_is_folded() -> None:
    store = AsyncMock(spec=CandleStore)
    store.fold.side_effect = [True, False]
    result = await CandlesWorker(store).process(Job.stub(data={"ticks": [TICK, TICK | {"symbol": "ETH-USD"}]}))
    assert result == {"folded": 1}
    assert [call.args for call in store.fold.await_args_list] == [
        ("BTC-USD", 64000.5, TICK["at_ms"]),
        ("ETH-USD", 64000.5, TICK["at_ms"]),
    ]


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"ticks": None},
        {"ticks": [{}]},
        {"ticks": [TICK | {"price": 0}]},
        {"ticks": [TICK | {"price": "1"}]},
        {"ticks": [TICK | {"price": 10**400}]},
        {"ticks": [TICK | {"price": True}]},
        {"ticks": [TICK | {"at_ms": -1}]},
        {"ticks": [TICK | {"at_ms": 1.5}]},
        {"ticks": [TICK | {"at_ms": 2**53}]},
        {"ticks": [TICK | {"symbol": ""}]},
        {"ticks": [TICK | {"symbol": "a}b"}]},
        {"ticks": [TICK | {"symbol": 5}]},
    ],
)
async def test_data_that_is_no_prices_fails_without_a_retry_and_folds_nothing(data: Any) -> None:
    store = AsyncMock(spec=CandleStore)
    with pytest.raises(UnrecoverableError, match="the job's data needs ticks"):
        await CandlesWorker(store).process(Job.stub(data=data))
    store.fold.assert_not_awaited()


def test_it_is_called_candles_in_enabled_workers() -> None:
    assert worker_name_of(CandlesWorker) == "candles"
