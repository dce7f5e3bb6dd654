"""What goes wrong with processes. Each keeps its facts as attributes and says what to do."""

import signal
from dataclasses import dataclass

from bullworks.bullmq.errors import QueueError, UnrecoverableError
from bullworks.errors import FactError


@dataclass(eq=False)
class ProcessStartError(QueueError):
    """A process for handlers could not be started, or could not find its handler."""

    handler: str
    reason: str

    def __str__(self) -> str:
        return f"no process runs {self.handler}: {self.reason}"


@dataclass(eq=False)
class ProcessDiedError(QueueError):
    """A process ended while it ran a handler; the attempt counts as failed.

    Attributes:
        exit_code: its own, or minus the signal that killed it.
    """

    job_id: str
    pid: int
    exit_code: int

    def __str__(self) -> str:
        return (
            f"job {self.job_id}: its process {self.pid} {_how_it_ended(self.exit_code)} while the handler ran. "
            "Did it run out of memory, or crash in native code?"
        )


@dataclass(eq=False)
class UnpicklableError(FactError):
    """A handler in a process raised an error that cannot be sent; this has its text and its trace.

    Attributes:
        kind: the name of its class.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text or self.kind


class UnpicklableUnrecoverableError(UnpicklableError, UnrecoverableError):
    """An UnrecoverableError that cannot be sent between processes; it fails its job at once."""


def _how_it_ended(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"
