"""What a process of a pool does: find the handler, and run it for one job after the other until the worker hangs up."""

import asyncio
import inspect
import logging
import os
import signal
import sys
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, BinaryIO

from bullworks.bullmq.process_pool.address import find
from bullworks.bullmq.process_pool.failure import Failure
from bullworks.bullmq.process_pool.forwarding import LogForwarder
from bullworks.bullmq.process_pool.life_line import hold
from bullworks.bullmq.process_pool.line import Line
from bullworks.bullmq.process_pool.messages import Assignment, Ended, Ready, Setup, receive_blocking
from bullworks.bullmq.process_pool.payloads import result_for_worker, types_in_process
from bullworks.bullmq.sync.job import SyncJob
from bullworks.bullmq.sync.loop import BackgroundLoop
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.bullmq.worker.processor import Handlers

# Threads, and what is registered with atexit, may hang, and must not be waited for.
_EXIT_S = 2


def main() -> None:
    """Entry point of a child process; its last argument is the life line's file descriptor."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not SIG_IGN, which the programs that a handler starts would inherit.
        signal.signal(number, _ignore)
    hold(sys.argv.pop())
    source, sink = _claim_pipes()
    setup: Setup | None = receive_blocking(source)
    if setup is None:
        return
    line = Line(source, sink)
    logging.getLogger().addHandler(LogForwarder(line.send))
    logging.getLogger().setLevel(setup.log_level)
    with asyncio.Runner() as runner:
        try:
            work = _Work(_find_handlers(setup, runner), types_in_process(setup.types))
        except BaseException as error:  # noqa: BLE001 - importing may raise anything; the worker says it
            line.send(Ready(Failure.of(error)))
            return
        line.send(Ready())
        line.listen()
        for assignment in line.assignments():
            line.end(_run(assignment, work, line, runner))
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_EXIT_S)


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process runs: its handlers, and the types of what their jobs hold and of what they return."""

    handlers: Handlers
    types: PayloadTypes | None


def _ignore(*_: object) -> None:
    """The worker ends its processes itself, in its order, also where a terminal or an init system tells all at once."""


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, taken away from the handler: it reads nothing, and what it prints goes to stderr."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # stderr is closed
        os.dup2(nothing, 1)
    os.close(nothing)
    return source, sink


def _find_handlers(setup: Setup, runner: asyncio.Runner) -> Handlers:
    handler = find(setup.address)
    if setup.args is not None:
        handler = handler(*setup.args)
        if inspect.isawaitable(handler):
            handler = runner.run(_await(handler))
    return Handlers(handler)


async def _await(awaitable: Any) -> Any:
    return await awaitable


def _run(assignment: Assignment, work: _Work, line: Line, runner: asyncio.Runner) -> Ended:
    try:
        value = result_for_worker(_call(assignment, work, line, runner), work.types)
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises, the worker says what it means
        return Ended(assignment.run, b"", Failure.of(error))
    return Ended(assignment.run, value)


def _call(assignment: Assignment, work: _Work, line: Line, runner: asyncio.Runner) -> Any:
    """An async handler runs on this thread's loop; a plain one in this thread, and another's loop serves its calls."""
    handler = work.handlers.named(assignment.name)
    context = copy_context()
    if handler.is_async:
        job = line.take(assignment, runner.get_loop(), work.types)
        coroutine = handler.function(job, job.signal) if handler.takes_signal else handler.function(job)
        return runner.run(_await(coroutine), context=context)
    loop = BackgroundLoop.current().loop
    sync_job = SyncJob(line.take(assignment, loop, work.types), loop)
    args = (sync_job, sync_job.signal) if handler.takes_signal else (sync_job,)
    return context.run(handler.function, *args)
