"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from bullworks.testing import eventually as eventually_within

__all__ = ["BUSY_S", "eventually", "wait_until"]

# How much later than it should something may come on a machine that is busy with other tests.
BUSY_S = 5.0

T = TypeVar("T")

# It costs nothing where what is waited for comes, and a loaded machine may take its time.
WITHIN_S = 30.0
eventually = partial(eventually_within, within_s=WITHIN_S)

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1


def wait_until(probe: Callable[[], T], *, within_s: float = WITHIN_S, what: str = "") -> T:
    """The same for tests and fixtures without an event loop."""
    deadline_s = time.monotonic() + within_s
    pause_s = _FIRST_PAUSE_S
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() >= deadline_s:
            raise AssertionError(f"not within {within_s} s: {what or probe!r}; last seen: {result!r}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
