"""Made-up prices, for a service that was given no source."""

import random
import time
from collections.abc import Sequence

from app.modules.ticker.source import TickerSource
from app.modules.ticker.tick import Tick

_FIRST_PRICE = 100.0
# A tenth of a percent at a time, so that candles have something to show.
_STEP = 0.001


class RandomWalk(TickerSource):
    """A price source for demos: each price goes up or down a little from the one before.

    Args:
        symbols: for which.
        seed: the same walk again.
    """

    def __init__(self, symbols: Sequence[str], *, seed: int | None = None) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - no secret
        self._prices = dict.fromkeys(symbols, _FIRST_PRICE)

    async def fetch(self) -> list[Tick]:
        at_ms = int(time.time() * 1000)
        for symbol, price in self._prices.items():
            # Never to zero or below: a factor.
            self._prices[symbol] = price * (1 + self._draw.uniform(-_STEP, _STEP))
        return [Tick(symbol, round(price, 6), at_ms) for symbol, price in self._prices.items()]
