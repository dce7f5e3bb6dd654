"""The draws behind `H`, the value that spreads load: the same seed gives the same values as in Node."""

from __future__ import annotations

import secrets
from collections.abc import Callable

Draw = Callable[[], float]

_UINT32 = 0xFFFFFFFF
# Constants of the two published algorithms.
_FNV_OFFSET = 2166136261
_FNV_PRIME = 16777619
_MULBERRY_STEP = 0x6D2B79F5


def draws(seed: str | None) -> Draw:
    """Create a source of numbers in [0, 1), determined by the seed; random without one (None or empty).

    Source: cron-parser's option hashSeed, FNV-1a over UTF-16 units into Mulberry32.
    """
    state = _fnv1a(seed) if seed else secrets.randbelow(_UINT32 + 1)

    def draw() -> float:
        nonlocal state
        state = (state + _MULBERRY_STEP) & _UINT32
        mixed = ((state ^ state >> 15) * (state | 1)) & _UINT32
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) & _UINT32
        return (mixed ^ mixed >> 14) / (_UINT32 + 1)

    return draw


def pick(draw: float, low: int, high: int) -> int:
    """Pick a value from low to high by a draw in [0, 1)."""
    return int(draw * (high - low + 1)) + low


def pick_stepped(draw: float, low: int, high: int, step: int) -> list[int]:
    """Pick every step-th value from a drawn offset; a single drawn value if the range holds none."""
    stepped = range(low // step * step + int(draw * step), high + 1, step)
    return [value for value in stepped if value >= low] or [pick(draw, low, high)]


def _fnv1a(text: str) -> int:
    units = text.encode("utf-16-le", "surrogatepass")
    digest = _FNV_OFFSET
    for low, high in zip(units[::2], units[1::2], strict=True):
        digest = ((digest ^ (low | high << 8)) * _FNV_PRIME) & _UINT32
    return digest
