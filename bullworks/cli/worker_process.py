"""WorkerProcess: one of several processes of the service, as its supervisor starts it and as it sees itself."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Longer than a closing takes beyond its grace time; who is not gone by then is stuck.
MARGIN_S = 5.0
STANDARD_INPUT = 0  # sys.stdin is None where the descriptor was closed as Python started
NUMBER_OPTION = "--process-number"
"""Which of several a process is; set by the supervisor only."""


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A running worker process; its standard input is its life line.

    Args:
        number: 0 serves HTTP and runs what the fleet does not share; the others do neither.
    """

    number: int
    process: asyncio.subprocess.Process
    started_s: float

    @classmethod
    async def start(
        cls, command: Sequence[str], number: int, names: list[str], settings: Mapping[str, str]
    ) -> "WorkerProcess":
        """Start a process that runs these workers.

        Args:
            command: `worker` of the same program.
            settings: variables that decide for it, over those of the environment.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            NUMBER_OPTION,
            str(number),
            *names,
            stdin=asyncio.subprocess.PIPE,
            # Ctrl-C on a terminal reaches a whole group; here the supervisor alone, which passes it on once.
            start_new_session=True,
            env={**os.environ, **settings},
        )
        return cls(number, process, time.monotonic())

    @property
    def is_running(self) -> bool:
        return self.process.returncode is None

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to the process, unless it has ended."""
        if self.is_running:
            self.process.send_signal(signum)
