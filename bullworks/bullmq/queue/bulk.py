"""Jobs that are added together: what `Queue.add_bulk` takes, and how many of them go in one trip."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from typing_extensions import Unpack

from bullworks.bullmq.errors import InvalidOptionError, PartlyAddedError
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.options.in_third_place import with_dict
from bullworks.bullmq.options.job import JobOptions
from bullworks.tasks import cancel_and_wait

J = TypeVar("J")

NO_DATA: dict[str, Any] = {}

# Redis runs a script to its end, and what a client sent in one go: two chunks may hold up everybody else, some 5 ms.
_JOBS_A_CALL = 250
_CALLS_AT_ONCE = 2
_BYTES_A_CALL = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job of `Queue.add_bulk`: `JobSpec("welcome-email", {"n": 1}, priority=1)`, with the arguments of `add`."""

    name: str
    data: Any
    opts: Mapping[str, Any] = field(default_factory=dict)

    def __init__(
        self, name: str, data: Any = NO_DATA, opts: JobOptions | None = None, **options: Unpack[JobOptions]
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "opts", options if opts is None else with_dict(opts, options))


def checked_specs(jobs: Iterable[object]) -> list[JobSpec]:
    """The jobs that `add_bulk` was given, as a list.

    Raises:
        InvalidOptionError: one is not a JobSpec, as the dicts that npm bullmq takes; shows the line to write.
    """
    specs = []
    for number, job in enumerate(jobs):
        if not isinstance(job, JobSpec):
            kind = type(job).__name__
            raise InvalidOptionError(f"jobs[{number}]", f"must be a JobSpec, not a {kind}; write {_line_for(job)}")
        specs.append(job)
    return specs


def _line_for(job: object) -> str:
    """The JobSpec that a dict was meant to be, without its data."""
    if not isinstance(job, Mapping) or "name" not in job:
        return 'JobSpec("welcome-email", {"n": 1}, priority=1)'
    opts = job.get("opts")
    named = [f"{option}=..." for option in opts] if isinstance(opts, Mapping) else []
    return f"JobSpec({', '.join([repr(job['name']), 'data', *named])})"


async def in_chunks(
    jobs: list[NewJob], add: Callable[[list[NewJob]], Coroutine[Any, Any, list[J]]], id_of: Callable[[J], str]
) -> list[J]:
    """Apply `add` to chunks of the items, in order. Redis stores one chunk while the next is encoded.

    Raises:
        What `add` raises, for the first chunk that fails, where no other was stored.
        PartlyAddedError: one was. What was on its way by then is waited for, and nothing is sent after it.
    """
    made: dict[int, J] = {}
    calls: deque[tuple[int, asyncio.Task[list[J]]]] = deque()

    async def receive() -> None:
        first, call = calls.popleft()
        made.update(enumerate(await call, first))

    try:
        first = 0
        for chunk in _chunks(jobs):
            calls.append((first, asyncio.create_task(add(chunk))))
            first += len(chunk)
            if len(calls) == _CALLS_AT_ONCE:
                await receive()
        while calls:
            await receive()
    except Exception as error:
        while calls:
            with suppress(Exception):
                await receive()
        if not made:
            raise
        stored = {number: id_of(job) for number, job in made.items()}
        raise PartlyAddedError("jobs", stored, len(jobs), error) from error
    finally:
        await cancel_and_wait(*(call for _, call in calls))
    return list(made.values())


def _chunks(jobs: list[NewJob]) -> Iterable[list[NewJob]]:
    """In their order, as many as one call may store."""
    chunk: list[NewJob] = []
    size = 0
    for job in jobs:
        if chunk and (len(chunk) == _JOBS_A_CALL or size + len(job.data) > _BYTES_A_CALL):
            yield chunk
            chunk, size = [], 0
        chunk.append(job)
        size += len(job.data)
    if chunk:
        yield chunk
