"""Asking an application to stop: by a signal of the operating system, or by code."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

DEFAULT_GRACE_S = 10.0


class Shutdown:
    """Injectable: whether the application has been asked to stop, and how urgently.

    Attributes:
        requested: set once the application is asked to stop.
        forced: set once it is asked again: give up waiting, hand back what is unfinished.
        signal: the name of the signal that asked first, such as "SIGTERM"; None if code did.
        grace_s: how long work may continue once the application is asked to stop; set by the part that waits for it.
    """

    def __init__(self) -> None:
        self.grace_s = DEFAULT_GRACE_S
        self.reset()

    def reset(self) -> None:
        """Reset to the initial state, for an application that starts again, perhaps on another event loop."""
        self.requested = asyncio.Event()
        self.forced = asyncio.Event()
        self.signal: str | None = None

    def request(self, signal_name: str | None) -> None:
        """Request the shutdown; the reason of the first request is kept."""
        if not self.requested.is_set():
            self.signal = signal_name
            self.requested.set()


class SignalHandlers:
    """Forwards signals to the event loop, and restores the previous handlers afterwards.

    A thread reads them from the interpreter's wake-up descriptor, so that they arrive at once: Python's own handlers
    run when the main thread gets to it, which may sleep in the event loop, or be held up by what runs there.
    """

    def __init__(self) -> None:
        self._previous: dict[signal.Signals, Any] = {}
        self._previous_fd = -1
        self._sending: socket.socket | None = None

    def install(
        self,
        signals: Sequence[signal.Signals],
        callback: Callable[[str], None],
        *,
        at_once: Callable[[str], None] | None = None,
    ) -> None:
        """Call `callback(name)` on the running loop for each signal; works in the main thread only.

        Args:
            at_once: called first, in a thread of its own, whether or not the loop gets to run.

        Raises:
            ValueError: this is not the main thread.
        """
        loop = asyncio.get_running_loop()
        for number in signals:
            previous = signal.signal(number, _ignore)  # a handler has to be there; the thread does the work
            self._previous.setdefault(number, previous)
        if self._sending is None:
            ours, self._sending = socket.socketpair()
            self._sending.setblocking(False)  # noqa: FBT003 - its only parameter
            self._previous_fd = signal.set_wakeup_fd(self._sending.fileno(), warn_on_full_buffer=False)

            def hand_over() -> None:
                with ours:
                    while numbers := ours.recv(64):
                        for name in [signal.Signals(number).name for number in numbers if number in self._previous]:
                            if at_once is not None:
                                at_once(name)
                            with suppress(RuntimeError):  # the loop is closed: there is nothing left to notify
                                loop.call_soon_threadsafe(callback, name)

            threading.Thread(target=hand_over, name="signals", daemon=True).start()

    def restore(self) -> None:
        """Restore the previous signal handlers."""
        if self._sending is not None:
            signal.set_wakeup_fd(self._previous_fd)
            self._sending.close()  # the thread reads the end of it, and closes its own side
            self._sending = None
        for number, previous in self._previous.items():
            # None stands for a handler that was not set from Python, and cannot be set from it either
            signal.signal(number, signal.SIG_DFL if previous is None else previous)
        self._previous.clear()


def stop_signals() -> tuple[signal.Signals, ...]:
    """List the signals that stop a service: SIGINT, SIGTERM, and SIGHUP unless it is ignored, as under nohup."""
    known = [signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return tuple(each for each in known if each.name != "SIGHUP" or signal.getsignal(each) is not signal.SIG_IGN)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """The signal is read from the wake-up descriptor."""
