"""Candle: what a price did within one interval."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candle:
    """One interval of one symbol.

    Attributes:
        symbol: of what.
        start_ms: of the interval, ms since the epoch.
        open, close: its first and last price.
        high, low: its highest and lowest.
    """

    symbol: str
    start_ms: int
    open: float
    high: float
    low: float
    close: float


def start_of(at_ms: int, interval_ms: int) -> int:
    """The start of the interval in which a moment lies; intervals begin at multiples of their length."""
    return at_ms - at_ms % interval_ms
