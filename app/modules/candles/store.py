"""Candles, in Redis."""

from typing import Annotated

from app.modules.candles.candle import Candle, start_of
from app.modules.candles.keys import CandleKeys
from app.modules.candles.settings import CandlesSettings
from bullworks.core import Inject, injectable
from bullworks.redis import Argument, PipelinedConnection, Script
from bullworks.workers import CONNECTION

_FOLD_TICK = Script.load("app.modules.candles", "fold_tick")


@injectable()
class CandleStore:
    """Folds prices into candles of CANDLES_INTERVAL_MS, and keeps the last CANDLES_KEEP of each symbol."""

    def __init__(
        self, connection: Annotated[PipelinedConnection, Inject(CONNECTION)], settings: CandlesSettings
    ) -> None:
        self.connection = connection
        self.interval_ms = settings.candles_interval_ms
        self.keep = settings.candles_keep

    async def fold(self, symbol: str, price: float, at_ms: int) -> bool:
        """Add a price to its candle; repeating changes nothing. False if all stored candles are later."""
        keys = CandleKeys(symbol, self.interval_ms)
        start_ms = start_of(at_ms, self.interval_ms)
        args: list[Argument] = [start_ms, at_ms, repr(price), self.keep]
        return int(await self.connection.run(_FOLD_TICK, (keys.starts, keys.values), args)) >= 0

    async def get_candles(self, symbol: str, limit: int = 100) -> list[Candle]:
        """Read the last candles of a symbol, the oldest first."""
        keys = CandleKeys(symbol, self.interval_ms)
        starts = await self.connection.execute("ZRANGE", keys.starts, -max(limit, 1), -1)
        if not starts:
            return []
        values = await self.connection.execute("HMGET", keys.values, *starts)
        # One that was dropped between the two questions is gone.
        found = [(start, value) for start, value in zip(starts, values, strict=True) if value is not None]
        return [_candle(symbol, int(start), value) for start, value in found]


def _candle(symbol: str, start_ms: int, stored: bytes) -> Candle:
    _, opened, high, low, _, closed = stored.split()
    return Candle(symbol, start_ms, open=float(opened), high=float(high), low=float(low), close=float(closed))
