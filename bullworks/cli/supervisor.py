"""Supervisor: keeps several processes of the service up, and ends them together."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from bullworks.cli.failure import EXIT_FAILED
from bullworks.cli.worker_process import MARGIN_S, WorkerProcess
from bullworks.core import SignalHandlers
from bullworks.core.shutdown import stop_signals
from bullworks.redis import retry_pause_s
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

# A process that died starts again after 1, 2, 4 ... seconds: whatever killed it may take a while to go away.
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
# One that ran for so long had started well: the next delay is the first one again.
_UP_S = 60.0
# A process that ends by itself so soon after the very first start could not start: neither could another.
_START_S = 10.0


class Supervisor:
    """Runs one process for each entry of `settings`, until a signal, or until a process cannot start.

    Args:
        command: starts one process, with its number and names behind it.
        names: the workers that each runs.
        settings: for each process, variables over those of the environment.
        grace_s: how long jobs may keep running after a signal.
    """

    def __init__(
        self, command: Sequence[str], names: list[str], settings: Sequence[Mapping[str, str]], *, grace_s: float
    ) -> None:
        self._command = command
        self._names = names
        self._settings = settings
        self._grace_s = grace_s
        self._running: dict[int, WorkerProcess] = {}
        self._stopping = asyncio.Event()
        self._exit_code = 0
        self._asked_with: set[int] = set()

    async def run(self) -> int:
        """Run the processes; returns the exit code once all have ended.

        Returns:
            0 means all closed in order after a signal; else the code of a process that could not start, or 1.
        """
        handlers = SignalHandlers()
        handlers.install(stop_signals(), self._on_signal)
        try:
            keeping = [
                asyncio.create_task(self._keep(number), name=f"worker-process-{number}")
                for number in range(len(self._settings))
            ]
            overdue = asyncio.create_task(self._end_overdue(), name="worker-processes-overdue")
            await asyncio.gather(*keeping)
            await cancel_and_wait(overdue)
        finally:
            handlers.restore()
        return self._exit_code

    async def _keep(self, number: int) -> None:
        """Keep one process up; returns once it has ended for good."""
        deaths = 0
        is_first = True
        while not self._stopping.is_set():
            child = await WorkerProcess.start(self._command, number, self._names, self._settings[number])
            self._running[number] = child
            log.info("process %d started, pid %d", number, child.process.pid, extra={"pid": child.process.pid})
            if self._stopping.is_set():
                child.send(signal.SIGTERM)  # the signal came while it was made
            code = await child.process.wait()
            del self._running[number]
            up_s = time.monotonic() - child.started_s
            if self._stopping.is_set():
                self._ended(number, code)
                return
            if is_first and code > 0 and up_s < _START_S:
                log.error("process %d could not start, exit code %d; ending all", number, code)
                self._stop(code)
                return
            is_first = False
            deaths = 1 if up_s >= _UP_S else deaths + 1
            await self._wait_after_death(number, code, deaths)

    async def _wait_after_death(self, number: int, code: int, deaths: int) -> None:
        delay_s = retry_pause_s(deaths, FIRST_DELAY_S, LONGEST_DELAY_S)
        log.error(
            "process %d ended, %s; restarting in %.1f s",
            number,
            _describe_exit(code),
            delay_s,
            extra={"exit_code": code, "deaths": deaths},
        )
        try:
            async with asyncio.timeout(delay_s):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _ended(self, number: int, code: int) -> None:
        is_in_order = code == 0 or -code in self._asked_with
        log.log(logging.INFO if is_in_order else logging.ERROR, "process %d ended, %s", number, _describe_exit(code))
        if not is_in_order and self._exit_code == 0:
            self._exit_code = EXIT_FAILED

    def _on_signal(self, name: str) -> None:
        signum = signal.Signals[name]
        self._asked_with.add(int(signum))
        if self._stopping.is_set():
            log.warning("%s received again, forwarded", name)
        else:
            log.info(
                "%s received, forwarded to %d processes; send it again to force the shutdown", name, len(self._running)
            )
            self._stopping.set()
        self._each(lambda child: child.send(signum))

    def _stop(self, code: int) -> None:
        self._exit_code = code
        self._asked_with.add(int(signal.SIGTERM))
        self._stopping.set()
        self._each(lambda child: child.send(signal.SIGTERM))

    async def _end_overdue(self) -> None:
        """Kill what does not end by itself: a handler that blocks its process hears no signal."""
        await self._stopping.wait()
        await asyncio.sleep(self._grace_s + MARGIN_S)
        for child in list(self._running.values()):
            log.error("process %d did not end and was killed; its jobs stall and are retried", child.number)
            child.send(signal.SIGKILL)

    def _each(self, do: Callable[[WorkerProcess], None]) -> None:
        for child in list(self._running.values()):
            do(child)


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
