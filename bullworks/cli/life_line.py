"""A pipe by which a child notices that the process that started it is gone, however that ended."""

import os
import signal
import threading

LIFE_LINE_OPTION = "--life-line"
"""The descriptor of the pipe's reading end; for a process whose standard input stays the terminal's."""


def end_with_parent(descriptor: int) -> None:
    """Shut down in order, as on SIGTERM, once the parent's end of a pipe is closed."""

    def watch() -> None:
        while os.read(descriptor, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="life-line", daemon=True).start()
