"""Handlers that the tests' processes import."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel

from bullworks.bullmq import CancelSignal, DelayedError, Encrypted, Job, SyncJob, UnrecoverableError

log = logging.getLogger("tests.in_process")

SEEN: contextvars.ContextVar[str] = contextvars.ContextVar("SEEN", default="nothing")


class Order(BaseModel):
    number: int
    card: Annotated[str, Encrypted()]


@dataclass
class Charge:
    number: int
    card: Annotated[str, Encrypted()]


def charge(job: SyncJob[Order, Charge]) -> Charge:
    """Sees fields in the clear, also after it has changed them; the processes have no keys."""
    job.update_data(Order(number=job.data.number + 1, card=job.data.card[::-1]))
    return Charge(job.data.number, job.data.card)


class OddError(Exception):
    """Cannot be unpickled: its constructor takes other arguments than it keeps."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


class OddEndError(OddError, UnrecoverableError):
    """The same, and no further attempt helps."""


class CodedError(Exception):
    """Can be pickled, with what it knows."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return f"code {self.code}"


def pid(job: SyncJob) -> int:
    return os.getpid()


async def async_pid(job: Job) -> int:
    await asyncio.sleep(0)
    return os.getpid()


def use_job(job: SyncJob) -> Any:
    """Everything that a handler does with its job."""
    assert isinstance(job, SyncJob)
    job.update_progress({"step": 1})
    job.log("one")
    assert job.log("two") == 2
    job.update_data({**job.data, "seen": True})
    assert job.get_state() == "active"
    return [job.data, job.progress, job.logs(), job.id, job.name, job.queue_qualified_name, job.opts.attempts]


async def use_async_job(job: Job) -> Any:
    assert isinstance(job, Job)
    await asyncio.gather(job.update_progress(7), job.log("one"), job.log("two"))
    await job.update_data({**job.data, "seen": True})
    await job.refresh()
    return [job.data, job.progress, await job.logs(), job.id, job.name, job.queue_qualified_name, job.opts.attempts]


def put_nothing(job: SyncJob) -> str:
    """What the worker's job refuses is raised here."""
    try:
        job.update_data(object())
    except Exception as error:
        refused = f"{type(error).__name__}: {error}"
    try:
        job.update_progress(float("nan"))
    except Exception as error:
        return f"{refused} | {type(error).__name__}: {error}"
    return refused


def fail(job: SyncJob) -> None:
    """Raise what the data asks for."""
    errors: dict[str, Callable[[], BaseException]] = {
        "coded": lambda: CodedError(7),
        "odd": lambda: OddError("this", "that"),
        "odd end": lambda: OddEndError("this", "that"),
        "end": lambda: UnrecoverableError("never"),
        "exit": lambda: SystemExit(3),
        "holds job": lambda: ValueError(job),
    }
    error = errors[job.data]()
    raise error


def return_object(job: SyncJob) -> Any:
    return {"when": object()}


def delay(job: SyncJob) -> None:
    job.move_to_delayed(int(time.time() * 1000) + 3_600_000)
    assert job.moved_to == "delayed"
    raise DelayedError


def note_and_spin(job: SyncJob) -> None:
    """Say who runs it, and compute for ever."""
    _note(job.data)
    while True:
        pass


def note_and_hog(job: SyncJob) -> None:
    """The same in native code that keeps the interpreter to itself, beside a program that it has started."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as program:
        _note(job.data, program.pid)
        re.match(r"(a+)+$", "a" * 64 + "b")


def note_and_wait(job: SyncJob) -> str:
    """Say who runs it, and wait until the file `<note>.go` is there."""
    _note(job.data)
    _await_file(Path(f"{job.data}.go"))
    return "done"


def _note(path: str, *more: int) -> None:
    part = Path(f"{path}.part")
    part.write_text(" ".join(str(number) for number in (os.getpid(), *more)))
    part.rename(path)


def _await_file(path: Path) -> None:
    deadline_s = time.monotonic() + 30
    while not path.exists():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{path} did not come")
        time.sleep(0.01)


def die(job: SyncJob) -> str:
    """End the process as the data says, in the first attempt."""
    if job.attempts_made == 0:
        if job.data == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(3)
    return "second"


def ignore_terminal(job: SyncJob) -> str:
    """What Ctrl-C in a terminal and an init system's TERM to everybody do: nothing."""
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    return "alive"


def programs_are_terminable(job: SyncJob) -> int:
    """A program that a handler starts can be told to end as usual."""
    code = "import time; print('up', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"up\n"
        program.terminate()
        return program.wait(10)


def watch(job: SyncJob, signal: CancelSignal) -> str:
    _note(job.data)
    assert signal.wait_in_thread(20_000)
    return f"told: {signal.reason}"


async def async_watch(job: Job) -> str:
    told = asyncio.ensure_future(job.signal.wait())
    _note(job.data)
    return f"told: {await told}"


def say(job: SyncJob) -> None:
    log.info("in process %s", "one", extra={"color": "red", "odd": object()})
    try:
        raise ValueError("inner")
    except ValueError:
        log.exception("went wrong")
    print("this goes to stderr")  # noqa: T201 - where to is what is tested
    assert sys.stdin.read() == ""


def leave_context(job: SyncJob) -> str:
    before = SEEN.get()
    SEEN.set(job.id)
    return before


async def leave_async_context(job: Job) -> str:
    return leave_context(job)  # type: ignore[arg-type]


_LATE: list[str] = []


def use_job_late(job: SyncJob) -> str:
    """A thread uses its job when the handler has returned."""
    if job.data == "first":

        def later() -> None:
            _await_file(Path(job.opts.job_id or ""))
            try:
                job.update_progress(99)
            except RuntimeError as error:
                _LATE.append(str(error))

        threading.Thread(target=later, daemon=True).start()
        return "returned"
    Path(job.data).touch()
    deadline_s = time.monotonic() + 10
    while not _LATE and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return _LATE[0]


def put_function(job: SyncJob) -> str:
    try:
        job.update_data(lambda: None)
    except TypeError as error:
        return str(error)
    return "stored"


def ask_state(job: SyncJob) -> str:
    try:
        return job.get_state()
    except Exception as error:
        return type(error).__name__


def make_talking() -> Callable[[SyncJob], int]:
    """Logs while it is made, and at the end of the process."""
    log.warning("made")
    atexit.register(log.warning, "the end")
    return pid


def make_adder(start: int) -> Callable[[SyncJob], int]:
    total = start

    def add(job: SyncJob) -> int:
        nonlocal total
        total += job.data
        return total

    return add


async def make_async_adder(start: int) -> Callable[[SyncJob], int]:
    await asyncio.sleep(0)
    return make_adder(start)


def make_nothing() -> None:
    return None


class Methods:
    @staticmethod
    def static(job: SyncJob) -> str:
        return "static"

    @classmethod
    def of_class(cls, job: SyncJob) -> str:
        return cls.__name__

    def of_instance(self, job: SyncJob) -> str:
        return "never"


# One process serves many tests with them: a handler for each name of a job.
def take_steps(job: SyncJob) -> Any:
    """Fails once behind its steps, and sleeps behind them."""
    seen = [job.step("pid", os.getpid, result_type=int), *job.cursor("letters", iter("abc"))]
    if job.attempts_made == 0:
        raise ValueError("on purpose")
    job.sleep("nap", 1)
    return [*seen, job.wait_for("go")]


async def take_async_steps(job: Job) -> Any:
    seen = [await job.step("pid", async_pid, job), *[letter async for letter in job.cursor("letters", "abc")]]
    if job.attempts_made == 0:
        raise ValueError("on purpose")
    await job.sleep("nap", 1)
    return [*seen, await job.wait_for("go")]


HANDLERS: dict[str, Callable[..., Any]] = {
    handler.__name__: handler
    for handler in (
        pid,
        async_pid,
        use_job,
        use_async_job,
        put_nothing,
        put_function,
        fail,
        return_object,
        delay,
        note_and_spin,
        note_and_wait,
        ignore_terminal,
        programs_are_terminable,
        watch,
        async_watch,
        leave_context,
        leave_async_context,
        use_job_late,
        ask_state,
        take_steps,
        take_async_steps,
    )
}
