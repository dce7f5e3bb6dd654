"""Line: a process's end of the pipes to its worker."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import count
from queue import SimpleQueue
from typing import Any, BinaryIO

from bullworks.bullmq.process_pool.messages import (
    Abort,
    Answer,
    Assignment,
    Call,
    Ended,
    FromProcess,
    Watch,
    encode,
    receive_blocking,
)
from bullworks.bullmq.process_pool.remote_job import RemoteJob
from bullworks.bullmq.wire.payload_type import PayloadTypes


class Line:
    """A child process's connection to its worker: sends from any thread, and receives in its own thread.

    Args:
        source, sink: the pipes.
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink
        self._sending = threading.Lock()
        self._assignments: SimpleQueue[Assignment | None] = SimpleQueue()
        self._calls: dict[int, Future[Answer]] = {}
        self._numbers = count(1)
        self._run = 0
        self._is_busy = False
        self._running: tuple[RemoteJob, asyncio.AbstractEventLoop] | None = None

    def listen(self) -> None:
        """Start the receiving thread."""
        threading.Thread(target=self._listen, name="bullworks-line", daemon=True).start()

    def assignments(self) -> Iterator[Assignment]:
        """Iterate over the assignments to run, until the worker disconnects."""
        while (assignment := self._assignments.get()) is not None:
            yield assignment

    def take(self, assignment: Assignment, loop: asyncio.AbstractEventLoop, types: PayloadTypes | None) -> RemoteJob:
        """Build the job of an assignment; its signal is aborted on the given loop."""
        run = assignment.run

        async def call(method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
            return await self._call(run, method, args, kwargs)

        job = RemoteJob(assignment, call, lambda: self.send(Watch(run)), types)
        self._running = (job, loop)
        return job

    def end(self, ended: Ended) -> None:
        """Report the outcome of the present run."""
        self._running = None
        self.send(ended)
        self._is_busy = False

    def send(self, message: FromProcess) -> None:
        """Send a message. Raises what pickle raises; nothing was sent then."""
        frame = encode(message)
        with self._sending:
            self._sink.write(frame)
            self._sink.flush()

    async def _call(self, run: int, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
        if run != self._run or self._running is None:
            raise RuntimeError(f"job.{method}(): the job's handler has returned, and the process may run another")
        number = next(self._numbers)
        future = self._calls[number] = Future()
        try:
            try:
                self.send(Call(run, number, method, args, kwargs))
            except Exception as error:
                raise TypeError(f"job.{method}() from a process: its arguments cannot be pickled: {error}") from error
            return await asyncio.wrap_future(future)
        finally:
            self._calls.pop(number, None)

    def _listen(self) -> None:
        while (message := receive_blocking(self._source)) is not None:
            self._hear(message)
        if self._is_busy:
            _end_now()
        self._assignments.put(None)

    def _hear(self, message: Assignment | Answer | Abort) -> None:
        if isinstance(message, Assignment):
            self._run, self._is_busy = message.run, True
            self._assignments.put(message)
        elif isinstance(message, Answer):
            future = self._calls.get(message.number)
            if future is not None and future.set_running_or_notify_cancel():
                future.set_result(message)
        elif self._running is not None and message.run == self._run:
            job, loop = self._running
            _tell(loop, lambda: job.offer_signal().abort(message.reason))


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(what)
    except RuntimeError:  # the loop has ended, and with it all listeners
        return


def _end_now() -> None:
    """The worker is gone: the handler's result is not wanted. What it has started ends with it."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
