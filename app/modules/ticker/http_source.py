"""Prices from an HTTP API."""

import json
import logging
import math
import time
from collections.abc import Iterator
from typing import Any

import httpx

from app.modules.ticker.errors import TickerSourceError
from app.modules.ticker.source import TickerSource
from app.modules.ticker.tick import Tick

# httpx logs every URL, in which a key may be.
logging.getLogger("httpx").setLevel(logging.WARNING)

# Some ten thousand symbols. Anything larger is not a list of prices.
_MOST_BYTES = 1024 * 1024
_LONGEST_SYMBOL_CHARS = 64


class HttpTickerSource(TickerSource):
    """Fetches prices as JSON: `{"BTC-USD": 64000.5, ...}` or `[{"symbol": "BTC-USD", "price": 64000.5}, ...]`.

    Args:
        url: http:// or https://.
        timeout_s: for one answer, connecting included.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url = httpx.URL(url)
        self._client = httpx.AsyncClient(timeout=timeout_s)

    async def fetch(self) -> list[Tick]:
        try:
            body = await self._body()
        except httpx.HTTPError as error:
            # Its text may hold the URL.
            raise TickerSourceError(self._url.host, type(error).__name__) from None
        try:
            prices = list(_prices(json.loads(body)))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise TickerSourceError(self._url.host, f"its answer is not a list of prices: {error}") from None
        at_ms = int(time.time() * 1000)
        return [Tick(symbol, price, at_ms) for symbol, price in prices]

    async def close(self) -> None:
        await self._client.aclose()

    async def _body(self) -> bytes:
        async with self._client.stream("GET", self._url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise TickerSourceError(self._url.host, f"it answered {answer.status_code}")
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise TickerSourceError(self._url.host, f"its answer is longer than {_MOST_BYTES} bytes")
            return bytes(body)


def _prices(answer: Any) -> Iterator[tuple[str, float]]:
    pairs = answer.items() if isinstance(answer, dict) else ((entry["symbol"], entry["price"]) for entry in answer)
    for symbol, given in pairs:
        price = float(given)  # many APIs give text
        if not isinstance(symbol, str) or not 1 <= len(symbol) <= _LONGEST_SYMBOL_CHARS or not symbol.isprintable():
            raise ValueError(f"a symbol is 1 .. {_LONGEST_SYMBOL_CHARS} printable characters")
        if "{" in symbol or "}" in symbol:
            raise ValueError("a symbol has no braces")
        if isinstance(given, bool) or not math.isfinite(price) or price <= 0:
            raise ValueError("a price is a number > 0")
        yield symbol, price
