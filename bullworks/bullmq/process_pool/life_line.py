"""LifeLine: a pipe that is never written to. When its worker's end is gone, so is the process.

A process whose worker was killed must not continue: another worker runs its job again. It notices that its pipes have
ended, but not while native code keeps the interpreter to itself. Linux ends it then, and whatever it has started: a
pipe can signal a process group when its other end is closed.
"""

import os
import signal
import sys
from typing import Any

# fcntl's F_SETSIG, which Python does not name.
_F_SETSIG = 10


class LifeLine:
    """The worker's end of the life line to one process."""

    def __init__(self) -> None:
        self._is_there = sys.platform == "linux"
        self._held, self._ours = os.pipe() if self._is_there else (-1, -1)

    @property
    def argument(self) -> str:
        """The command-line argument of the process, for `hold`."""
        return str(self._held)

    @property
    def options(self) -> dict[str, Any]:
        """The subprocess options that pass the process its end of the line."""
        return {"pass_fds": (self._held,)} if self._is_there else {}

    def hand_over(self) -> None:
        """Close the worker's copy of the process's end, after the process was started."""
        if self._is_there:
            os.close(self._held)

    def cut(self) -> None:
        """Close the worker's end of the line, which ends the process; call it once."""
        if self._is_there:
            os.close(self._ours)


def hold(argument: str) -> None:
    """In the child process: exit when the worker's end of the life line closes."""
    if sys.platform != "linux":
        return
    import fcntl

    held = int(argument)
    fcntl.fcntl(held, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(held, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(held, fcntl.F_SETFL, fcntl.fcntl(held, fcntl.F_GETFL) | os.O_ASYNC)
