"""What a worker and its processes say to each other: pickled messages, each behind its length.

The pipes are private to the two, and what goes through them was made by this program: the data of jobs stays JSON, in
bytes, until it is looked at. So pickle reads nothing here that a stranger wrote.
"""

import asyncio
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any, BinaryIO

from bullworks.bullmq.job.cancel_signal import CancelReason
from bullworks.bullmq.process_pool.failure import Failure

_LENGTH = Struct("!I")


@dataclass(frozen=True, slots=True)
class Setup:
    """To a new process: what it runs.

    Attributes:
        address: of the handler; with `args`, of a factory that returns it.
        log_level: below which log records stay unsaid.
    """

    address: str
    args: tuple[Any, ...] | None
    log_level: int


@dataclass(frozen=True, slots=True)
class Ready:
    """From a process: it has found its handler; with a failure, it has not."""

    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """To a process: run the handler for this job. `run` numbers it; whatever belongs to it has that number."""

    run: int
    job_id: str
    token: str | None
    prefix: str
    queue_name: str
    name: str
    fields: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Ended:
    """From a process: the handler returned JSON, or failed."""

    run: int
    value: bytes
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """From a process: call this method of the job. `number` is the answer's too."""

    run: int
    number: int
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JobState:
    """What a call has changed of the job.

    Attributes:
        fields: by wire name; None: it is gone.
        progress: None: as in the fields.
    """

    fields: Mapping[bytes, bytes | None]
    progress: Any
    moved_to: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """To a process: what a method returned, or raised, and what it has changed."""

    number: int
    result: Any
    failure: Failure | None
    state: JobState


@dataclass(frozen=True, slots=True)
class Watch:
    """From a process: the handler watches its signal, so it is to be told of a cancellation, not stopped."""

    run: int


@dataclass(frozen=True, slots=True)
class Abort:
    """To a process: the job is cancelled."""

    run: int
    reason: CancelReason


@dataclass(frozen=True, slots=True)
class Logged:
    """From a process: a log record's attributes."""

    record: Mapping[str, Any]


ToProcess = Setup | Assignment | Answer | Abort
FromProcess = Ready | Ended | Call | Watch | Logged


def encode(message: ToProcess | FromProcess) -> bytes:
    """A message with its length before it. Raises what pickle does."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


async def receive(stream: asyncio.StreamReader) -> Any:
    """The next message; None at the end of the stream, also where it ends amid a message."""
    try:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        return pickle.loads(await stream.readexactly(length))  # noqa: S301 - what our own child says  # nosec B301
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def receive_blocking(stream: BinaryIO) -> Any:
    """The same from a file."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return None if len(body) < length else pickle.loads(body)  # noqa: S301 - what our own parent says  # nosec B301
