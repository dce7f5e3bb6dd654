"""Child: one process of a pool, as its worker sees it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any, cast

from bullworks.bullmq.job.job import Job
from bullworks.bullmq.process_pool.conversation import Conversation
from bullworks.bullmq.process_pool.errors import ProcessDiedError, ProcessStartError
from bullworks.bullmq.process_pool.forwarding import say
from bullworks.bullmq.process_pool.life_line import LifeLine
from bullworks.bullmq.process_pool.messages import Logged, Ready, Setup, ToProcess, encode, receive
from bullworks.bullmq.process_pool.payloads import result_from_process

_IS_POSIX = sys.platform != "win32"

# A new interpreter that finds modules where this one does. -P: not in the folder it happens to be started in.
_BOOT = f"import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from {__package__}.main import main; main()"


class Child:
    """A worker's child process: a new interpreter, started by `spawn`, in its own process group.

    It runs one handler at a time, and lives until it is closed or killed.

    Args:
        register: holds it until it is gone, and its pipes are closed.
    """

    def __init__(self, process: Process, line: LifeLine, register: set["Child"]) -> None:
        self._process = process
        self._register = register
        register.add(self)
        # Both are pipes, as was asked for.
        self._to = cast(asyncio.StreamWriter, process.stdin)
        self._from = cast(asyncio.StreamReader, process.stdout)
        self._run = 0
        self._is_busy = False
        self._exited = asyncio.create_task(self._watch(line), name=f"process:{process.pid}")

    @classmethod
    async def spawn(cls, setup: Setup, *, start_timeout_s: float, register: set["Child"]) -> "Child":
        """Start a child process, and wait until it has found its handler.

        Raises:
            ProcessStartError: it did not within its time, or there is no such handler.
        """
        line = LifeLine()
        command = (sys.executable, "-P", "-c", _BOOT, setup.address, line.argument, json.dumps(sys.path))
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, start_new_session=_IS_POSIX, **line.options
            )
        except BaseException as error:
            line.cut()
            if isinstance(error, OSError):
                raise ProcessStartError(setup.address, str(error)) from error
            raise
        finally:
            line.hand_over()
        child = cls(process, line, register)
        try:
            async with asyncio.timeout(start_timeout_s):
                await child._prepare(setup)
        except BaseException as error:
            await child.end()
            if isinstance(error, TimeoutError):
                raise ProcessStartError(setup.address, f"it was not ready within {start_timeout_s:g} s") from None
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process can take a job."""
        return self._process.returncode is None and not self._from.at_eof()

    async def run(self, job: Job) -> Any:
        """Run the handler in the process; returns or raises what the handler does. Cancelling kills the process.

        Raises:
            ProcessDiedError: it ended before the handler did.
        """
        self._run += 1
        self._is_busy = True
        try:
            ended = await Conversation(self, self._run, job).hold()
        except BaseException:
            await self.end()
            raise
        finally:
            self._is_busy = False
        if ended is None:
            raise ProcessDiedError(job.id, self.pid, await self.end())
        if ended.failure is not None:
            raise ended.failure.to_error()
        return result_from_process(ended.value, job)

    async def send(self, message: ToProcess) -> None:
        """Send a message. Raises what pickle raises; a dead process is noticed by the receiver."""
        self._to.write(encode(message))
        with contextlib.suppress(ConnectionError):
            await self._to.drain()

    async def receive(self) -> Any:
        """Receive the process's next message; None once it has ended."""
        return await receive(self._from)

    async def end(self) -> int:
        """Kill the process and its children. Returns its exit code once it has exited."""
        if self._process.returncode is None:
            self._kill()
        code = await asyncio.shield(self._exited)
        if self in self._register:
            # Nobody reads what is left in its pipes, and asyncio would wait for their end before it closes them.
            self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way
            self._register.discard(self)
        return code

    async def close(self, patience_s: float) -> None:
        """Let the process exit by itself; after `patience_s`, or if busy, it is killed."""
        self._to.close()
        if not self._is_busy:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    while (message := await self.receive()) is not None:
                        if isinstance(message, Logged):
                            say(message.record, None)
                    await asyncio.shield(self._exited)
        await self.end()

    async def _prepare(self, setup: Setup) -> None:
        await self.send(setup)
        while isinstance(message := await self.receive(), Logged):
            say(message.record, None)
        if not isinstance(message, Ready):
            code = await asyncio.shield(self._exited)
            raise ProcessStartError(setup.address, f"it exited with code {code}; see its output")
        if message.failure is not None:
            error = message.failure.to_error()
            raise ProcessStartError(setup.address, f"{message.failure.kind}: {message.failure.text}") from error

    async def _watch(self, line: LifeLine) -> int:
        code = await self._process.wait()
        # What it has started may hold its pipes open, which then would not seem to end.
        self._kill()
        line.cut()
        return code

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if _IS_POSIX:
                os.killpg(self.pid, signal.SIGKILL)  # its session's only group has its number
            else:
                self._process.kill()
