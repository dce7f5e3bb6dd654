"""Finds queues and processors among an application's providers, and what is wrong with them."""

import difflib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.bullmq import Queue
from app.core import DiscoveredProvider, Discovery
from app.workers.errors import (
    ProcessorScopeError,
    QueueRegisteredTwiceError,
    SameWorkerNameError,
    UnknownQueueError,
    UnknownWorkerError,
    WorkersError,
)
from app.workers.host import WorkerHost
from app.workers.processor import PROCESSOR, ProcessorSpec
from app.workers.selection import Selection
from app.workers.tokens import QueueToken

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundProcessor:
    """A processor of the application.

    Args:
        host: its instance; None where it is not built.
        path: the modules from the root to its own, then its class.
    """

    host: WorkerHost[Any, Any] | None
    spec: ProcessorSpec
    path: str


@dataclass(slots=True)
class Explorer:
    """What an application has of queues and processors.

    Args:
        queues: the registered ones, by name. Where a test put something else in a queue's place it is None.
        own_queues: those that the application made, and has to close.
        processors: of all modules.
    """

    queues: dict[str, Queue[Any] | None] = field(default_factory=dict)
    own_queues: list[Queue[Any]] = field(default_factory=list)
    processors: list[FoundProcessor] = field(default_factory=list)
    _registrations: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def explore(cls, discovery: Discovery) -> "Explorer":
        """Look through all providers of the application."""
        found = cls()
        for provider in discovery.providers():
            path = " > ".join(provider.path)
            if isinstance(provider.token, QueueToken):
                name = provider.token.queue_name
                found.queues[name] = queue = _real_queue(provider)
                if queue is not None and not provider.is_given:
                    found.own_queues.append(queue)
                found._registrations.setdefault(name, []).append(path)
            spec = None if provider.made_from is None else vars(provider.made_from).get(PROCESSOR)
            if isinstance(spec, ProcessorSpec):
                host = provider.instance if isinstance(provider.instance, WorkerHost) else None
                found.processors.append(FoundProcessor(host, spec, path))
        return found

    def problems(self, selection: Selection) -> Iterator[WorkersError]:
        """Everything that keeps the workers from being what was meant."""
        for name, paths in self._registrations.items():
            if len(paths) > 1:
                yield QueueRegisteredTwiceError(name, paths)
        for processor in self.processors:
            queue = processor.spec.queue
            if queue not in self.queues:
                near = next(iter(difflib.get_close_matches(queue, self.queues, n=1)), None)
                yield UnknownQueueError(processor.path, queue, near, sorted(self.queues))
            if processor.host is None:
                yield ProcessorScopeError(processor.path)
        by_name = _grouped([(processor.spec.worker_name, processor.path) for processor in self.processors])
        for name, paths in by_name.items():
            if len(paths) > 1:
                yield SameWorkerNameError(name, paths)
        unknown = selection.unknown(by_name)
        if unknown:
            yield UnknownWorkerError(unknown, sorted(by_name))

    def warn_of_competitors(self) -> None:
        """Say which processors share a queue: each job goes to one of them, whichever takes it first."""
        by_queue = _grouped([(processor.spec.queue, processor.path) for processor in self.processors])
        for queue, paths in by_queue.items():
            if len(paths) > 1:
                log.warning(
                    "the queue %s has %d processors, %s: each job goes to whichever takes it first",
                    queue,
                    len(paths),
                    " and ".join(paths),
                    extra={"queue": queue},
                )


def _real_queue(provider: DiscoveredProvider) -> Queue[Any] | None:
    # by its true class: a mock with spec=Queue says of itself that it is one
    is_real = provider.made_from is not None and issubclass(provider.made_from, Queue)
    return provider.instance if is_real and isinstance(provider.instance, Queue) else None


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
