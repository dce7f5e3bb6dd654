"""Signals from the first line on, before anything has started that would have to be closed."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class EarlySignals:
    """End the process at once on SIGINT, SIGTERM and SIGHUP, also as PID 1, for which Linux ignores them otherwise.

    Nothing is raised: an exception is lost where Python is just then in the callback of a weak reference, of which
    the import system has many, and the process would go on as if nobody had asked it to end.

    Args:
        is_serving: exit code 0, as of a service that ends in order; otherwise 128 and the signal's number.
    """

    def __init__(self, *, is_serving: bool) -> None:
        self._is_serving = is_serving

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals until the block ends; leave alone those that somebody else handles or ignores."""
        previous = {number: signal.getsignal(number) for number in _endings()}
        ours = [number for number, handler in previous.items() if handler in _DEFAULTS]
        for number in ours:
            signal.signal(number, self._end)
        try:
            yield
        finally:
            for number in ours:
                signal.signal(number, previous[number])

    def _end(self, number: int, _frame: FrameType | None) -> None:
        os._exit(0 if self._is_serving else 128 + number)


def let_interrupts_raise() -> None:
    """Make SIGINT raise KeyboardInterrupt or cancel the coroutine that runs: from here on there is work to undo."""
    is_ours = isinstance(getattr(signal.getsignal(signal.SIGINT), "__self__", None), EarlySignals)
    if is_ours and _endings():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _endings() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []  # no other thread may set handlers
    return [signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
