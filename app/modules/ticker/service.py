"""What can be asked and done about prices."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from app.modules.ticker.settings import TickerSettings
from app.modules.ticker.store import TickerStore
from app.modules.ticker.tick import Tick
from bullworks.bullmq import Queue
from bullworks.core import injectable
from bullworks.workers import InjectQueue

log = logging.getLogger(__name__)

_DAY_MS = 24 * 60 * 60 * 1000
# A fleet in which no process runs the worker `candles` must not fill Redis with what nobody works off: 3 hours' worth.
_MOST_WAITING = 1_000


@injectable()
class TickerService:
    """Keeps the last price of each symbol, and queues new ones for `candles`."""

    def __init__(
        self, store: TickerStore, settings: TickerSettings, candles_queue: Annotated[Queue, InjectQueue("candles")]
    ) -> None:
        self.store = store
        self.settings = settings
        self.candles_queue = candles_queue

    async def update(self, ticks: Sequence[Tick]) -> None:
        """Store new prices, and queue them to be folded into candles."""
        await self.store.save(ticks)
        if not ticks:
            return
        if await self.candles_queue.count() >= _MOST_WAITING:
            log.warning("the queue candles is full: prices are not folded; is the worker candles running?")
            return
        await self.candles_queue.add(
            "fold",
            {"ticks": [asdict(tick) for tick in ticks]},
            attempts=5,
            backoff={"type": "exponential", "delay": 1_000},
            remove_on_complete={"count": 100},
            remove_on_fail={"count": 1_000},
        )

    async def get_last(self, symbol: str) -> Tick | None:
        """Read the last price of a symbol; None if there is none."""
        return await self.store.get(symbol)

    async def get_all(self) -> list[Tick]:
        """Read the last price of every symbol, by symbol."""
        return await self.store.get_all()

    async def clean_up(self) -> int:
        """Remove symbols without a new price for TICKER_KEEP_DAYS; returns how many."""
        return await self.store.forget_before(int(time.time() * 1000) - self.settings.ticker_keep_days * _DAY_MS)
