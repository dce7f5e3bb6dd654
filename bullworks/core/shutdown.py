"""Asking an application to stop: by a signal of the operating system, or by code."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any


class Shutdown:
    """Injectable: whether the application has been asked to stop, and how urgently.

    Attributes:
        requested: set once the application is asked to stop.
        forced: set once it is asked again: give up waiting, hand back what is unfinished.
        signal: the name of the signal that asked first, such as "SIGTERM"; None if code did.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As new, for an application that starts again, perhaps on another event loop."""
        self.requested = asyncio.Event()
        self.forced = asyncio.Event()
        self.signal: str | None = None

    def request(self, signal_name: str | None) -> None:
        """Ask to stop; the first to ask says why."""
        if not self.requested.is_set():
            self.signal = signal_name
            self.requested.set()


class SignalHandlers:
    """Hands signals to the event loop, and puts the previous handlers back afterwards."""

    def __init__(self) -> None:
        self._previous: dict[signal.Signals, Any] = {}

    def install(self, signals: Sequence[signal.Signals], callback: Callable[[str], None]) -> None:
        """Have `callback(name)` run on the loop for each signal; only the main thread may ask for it."""
        loop = asyncio.get_running_loop()

        def hand_over(number: int, _frame: FrameType | None) -> None:
            # only this call is safe here: a signal can interrupt the loop between any two instructions
            loop.call_soon_threadsafe(callback, signal.Signals(number).name)

        for number in signals:
            previous = signal.signal(number, hand_over)
            self._previous.setdefault(number, previous)

    def restore(self) -> None:
        """Put back what was there before."""
        for number, previous in self._previous.items():
            # None stands for a handler that was not set from Python, and cannot be set from it either
            signal.signal(number, signal.SIG_DFL if previous is None else previous)
        self._previous.clear()
