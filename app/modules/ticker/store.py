"""The last price of each symbol, in Redis."""

import json
from collections.abc import Sequence
from typing import Annotated

from app.modules.ticker.keys import LAST
from app.modules.ticker.tick import Tick
from bullworks.core import Inject, injectable
from bullworks.redis import PipelinedConnection, Script
from bullworks.workers import CONNECTION

_FORGET_STALE = Script.load("app.modules.ticker", "forget_stale")


@injectable()
class TickerStore:
    """Stores the last tick of each symbol in Redis."""

    def __init__(self, connection: Annotated[PipelinedConnection, Inject(CONNECTION)]) -> None:
        self.connection = connection

    async def save(self, ticks: Sequence[Tick]) -> None:
        """Store ticks as the last ones of their symbols."""
        if ticks:
            pairs = [(tick.symbol, json.dumps({"price": tick.price, "at_ms": tick.at_ms})) for tick in ticks]
            await self.connection.execute("HSET", LAST, *(part for pair in pairs for part in pair))

    async def get(self, symbol: str) -> Tick | None:
        """Read the last tick of a symbol."""
        stored = await self.connection.execute("HGET", LAST, symbol)
        return None if stored is None else _tick(symbol, stored)

    async def get_all(self) -> list[Tick]:
        """Read the last ticks of all symbols, by symbol."""
        flat = await self.connection.execute("HGETALL", LAST)
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return sorted((_tick(symbol.decode(), stored) for symbol, stored in pairs), key=lambda tick: tick.symbol)

    async def forget_before(self, before_ms: int) -> int:
        """Remove ticks older than a time; returns how many."""
        return int(await self.connection.run(_FORGET_STALE, (LAST,), [before_ms]))


def _tick(symbol: str, stored: bytes) -> Tick:
    values = json.loads(stored)
    return Tick(symbol, float(values["price"]), int(values["at_ms"]))
