"""Candle: what a price did within one interval."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candle:
    """A candle: open, high, low and close prices of a symbol in one interval.

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
    """Find the start of the interval that contains a moment; intervals begin at multiples of their length."""
    return at_ms - at_ms % interval_ms
