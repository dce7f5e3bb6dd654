"""The worker of the queue `candles`."""

import asyncio
import math
from typing import Any

from app.modules.candles.store import CandleStore
from bullworks.bullmq import Job, UnrecoverableError
from bullworks.workers import WorkerHost, processor

# Redis's scores are doubles: exact up to here.
_LATEST_MS = 2**53


@processor("candles", concurrency=10)
class CandlesWorker(WorkerHost):
    """Folds the prices of a job into candles. The data holds `ticks`, each with `symbol`, `price` and `at_ms`."""

    def __init__(self, candles: CandleStore) -> None:
        self.candles = candles

    async def process(self, job: Job) -> Any:
        """Fold a job's prices, returning `{"folded": n}`; repeated or reordered jobs give the same candles."""
        try:
            ticks = [_validate(tick["symbol"], tick["price"], tick["at_ms"]) for tick in job.data["ticks"]]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UnrecoverableError(
                "the job's data needs ticks, each with a symbol, a price > 0 and at_ms >= 0"
            ) from error
        folded = await asyncio.gather(*(self.candles.fold(*tick) for tick in ticks))
        return {"folded": sum(folded)}


def _validate(symbol: Any, price: Any, at_ms: Any) -> tuple[str, float, int]:
    is_symbol = isinstance(symbol, str) and symbol.isprintable() and symbol and not set("{}") & set(symbol)
    is_price = isinstance(price, int | float) and not isinstance(price, bool) and math.isfinite(price) and price > 0
    is_moment = isinstance(at_ms, int) and not isinstance(at_ms, bool) and 0 <= at_ms < _LATEST_MS
    if not (is_symbol and is_price and is_moment):
        raise ValueError("not a tick")
    return symbol, float(price), at_ms
