"""Tick: what something cost at a moment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tick:
    """The price of a symbol at one moment.

    Attributes:
        symbol: of what, as in "BTC-USD".
        price: > 0, finite.
        at_ms: when, ms since the epoch.
    """

    symbol: str
    price: float
    at_ms: int
