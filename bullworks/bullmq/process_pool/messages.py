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
    """Message to a new process: the handler to load.

    Attributes:
        address: of the handler; with `args`, of a factory that returns it.
        log_level: below which log records stay unsaid.
        types: of the jobs' data and results, pickled: a process that cannot import them says so.
    """

    address: str
    args: tuple[Any, ...] | None
    log_level: int
    types: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """Message from a process: its handler was found, or with a failure, was not."""

    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Message to a process: run the handler for this job. Related messages carry the same `run` number."""

    run: int
    job_id: str
    token: str | None
    prefix: str
    queue_name: str
    name: str
    fields: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Ended:
    """Message from a process: the handler returned JSON, or failed."""

    run: int
    value: bytes
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Message from a process: call this method of the job. The answer carries the same `number`."""

    run: int
    number: int
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JobState:
    """The changes that a call made to the job.

    Attributes:
        fields: by wire name; None means it is gone.
        progress: None means that the field is current.
    """

    fields: Mapping[bytes, bytes | None]
    progress: Any
    moved_to: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Message to a process: a method's result or exception, and the job's changes."""

    number: int
    result: Any
    failure: Failure | None
    state: JobState


@dataclass(frozen=True, slots=True)
class Watch:
    """Message from a process: the handler uses its signal, so notify it of a cancellation instead of killing it."""

    run: int


@dataclass(frozen=True, slots=True)
class Abort:
    """Message to a process: the job is cancelled."""

    run: int
    reason: CancelReason


@dataclass(frozen=True, slots=True)
class Logged:
    """Message from a process: the attributes of a log record."""

    record: Mapping[str, Any]


ToProcess = Setup | Assignment | Answer | Abort
FromProcess = Ready | Ended | Call | Watch | Logged


def encode(message: ToProcess | FromProcess) -> bytes:
    """Encode a message, preceded by its length. Raises what pickle raises."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


async def receive(stream: asyncio.StreamReader) -> Any:
    """Read the next message; None at the end of the stream, even in the middle of a message."""
    try:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        return pickle.loads(await stream.readexactly(length))  # noqa: S301 - what our own child says  # nosec B301
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def receive_blocking(stream: BinaryIO) -> Any:
    """Read the next message from a file, blocking."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return None if len(body) < length else pickle.loads(body)  # noqa: S301 - what our own parent says  # nosec B301
