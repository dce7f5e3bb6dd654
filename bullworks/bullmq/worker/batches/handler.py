"""BatchHandler: the function that a worker calls with many jobs, checked before any comes."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_origin

from bullworks.arity import needed_arguments
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.process_pool.pool import ProcessPool
from bullworks.bullmq.sync.job import SyncJob
from bullworks.bullmq.worker.processor import Handle, Processor, is_async

_WANTED = "`async def process(jobs: list[Job])`, or a plain function of a list of SyncJob"


@dataclass(frozen=True, slots=True)
class BatchHandler:
    """A function of a list of jobs, and what is around each job's part in it.

    Attributes:
        function: a coroutine function of a list of Job, or a plain one of a list of SyncJob, which runs in a thread.
        around: is given a coroutine function of one job, which has it take part in a batch, and returns what is called
            for each job instead; None means nothing is around it.
    """

    function: Handle
    around: Callable[[Handle], Handle] | None = None

    @classmethod
    def of(cls, processor: Processor | None) -> "BatchHandler":
        """Check the processor of a worker that has `batch=`.

        Raises:
            InvalidOptionError: it is none, or is not a function of a list of jobs.
        """
        if isinstance(processor, BatchHandler):
            return cls(_checked(processor.function), processor.around)
        if processor is None:
            raise InvalidOptionError("batch", f"needs a processor: {_WANTED}; by hand, jobs are taken one by one")
        if isinstance(processor, ProcessPool):
            raise InvalidOptionError("batch", "does not go with a ProcessPool: a process is given one job at a time")
        if isinstance(processor, Mapping):
            problem = "has one handler for all jobs, and not one for each name; look at job.name in it"
            raise InvalidOptionError("batch", problem)
        return cls(_checked(processor))

    @property
    def is_async(self) -> bool:
        """Whether the function runs on the event loop, and not in a thread."""
        return is_async(self.function)

    def __call__(self, jobs: Any) -> Any:
        """Call the function, without what is around its jobs."""
        return self.function(jobs)


def _checked(function: Handle) -> Handle:
    if not callable(function):
        raise InvalidOptionError("processor", f"must be a function of a list of jobs, not {function!r}")
    name = getattr(function, "__qualname__", repr(function))
    try:
        signature = _signature(function)
    except (TypeError, ValueError):  # written in C, and silent about itself
        return function
    needed = needed_arguments(signature)
    parameters = list(signature.parameters.values())
    if len(needed) > 1 or not parameters:
        problem = f"{name}{signature} is not a function of a list of jobs alone; with batch= write {_WANTED}."
        raise InvalidOptionError("processor", f"{problem} Each job has its own job.signal")
    kind = get_origin(parameters[0].annotation) or parameters[0].annotation
    if isinstance(kind, type) and issubclass(kind, Job | SyncJob):
        raise InvalidOptionError("processor", f"{name}{signature} takes one job; with batch= write {_WANTED}")
    return function


def _signature(function: Handle) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # noqa: BLE001 - an annotation may name anything, also what is only there for type checkers
        return inspect.signature(function)
