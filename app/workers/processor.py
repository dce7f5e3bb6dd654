"""`@processor`: which queue a class works off, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from typing_extensions import Unpack

from app.bullmq.queue import checked_keys
from app.bullmq.worker.options import WorkerOptions, WorkerOpts
from app.core import snake_case
from app.workers.errors import ProcessorClassError
from app.workers.host import WorkerHost

T = TypeVar("T")

PROCESSOR = "__processor__"


@dataclass(frozen=True, slots=True)
class ProcessorSpec:
    """What `@processor` says of a class.

    Args:
        queue: the queue's name.
        worker_name: how ENABLED_WORKERS knows it.
        options: of the engine's worker, checked.
    """

    queue: str
    worker_name: str
    options: Mapping[str, Any]


def processor(
    queue: str, *, worker_name: str | None = None, **options: Unpack[WorkerOptions]
) -> Callable[[type[T]], type[T]]:
    """Have the class, a WorkerHost, process the jobs of a queue.

    Args:
        queue: the queue's name; some module registers it.
        worker_name: how ENABLED_WORKERS knows it; the class's name in snake_case, less `_worker`, unless given.
        options: of the engine's worker, see `app.bullmq.Worker`: concurrency, limiter, lock_duration, timeout, ...

    Raises:
        InvalidOptionError: the name or an option cannot be used.
        ProcessorClassError: the class does not inherit WorkerHost, or has no `process`.
    """
    checked_keys("bull", queue)
    WorkerOpts.of(options)

    def mark(cls: type[T]) -> type[T]:
        if not issubclass(cls, WorkerHost):
            raise ProcessorClassError(cls.__name__, queue, "WorkerHost among its bases")
        if cls.process is WorkerHost.process:
            raise ProcessorClassError(cls.__name__, queue, "process")
        name = worker_name or snake_case(cls.__name__).removesuffix("_worker")
        setattr(cls, PROCESSOR, ProcessorSpec(queue, name, options))
        return cls

    return mark
