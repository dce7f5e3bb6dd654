"""Finds queues, flow producers, processors and listeners in an application, and what is wrong with them."""

import difflib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.bullmq import Queue
from app.bullmq.flow_producer import FlowProducer
from app.core import DiscoveredProvider, Discovery
from app.workers.errors import (
    HostScopeError,
    ProcessPoolError,
    RegisteredTwiceError,
    SameWorkerNameError,
    UnknownQueueError,
    UnknownWorkerError,
    WorkersError,
)
from app.workers.events_host import QueueEventsHost
from app.workers.events_listener import LISTENER, ListenerSpec
from app.workers.host import WorkerHost
from app.workers.processing import pool_of
from app.workers.processor import PROCESSOR, ProcessorSpec
from app.workers.queues import InProcessQueue
from app.workers.selection import Selection
from app.workers.tokens import FlowProducerToken, QueueToken

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundProcessor:
    """A processor of the application.

    Args:
        cls: the decorated class.
        host: its instance; None where it is not built.
        path: the modules from the root to its own, then its class.
    """

    cls: type[Any]
    host: WorkerHost[Any, Any] | None
    spec: ProcessorSpec
    path: str


@dataclass(frozen=True, slots=True)
class FoundListener:
    """A listener of the application; as a processor."""

    host: QueueEventsHost | None
    spec: ListenerSpec
    path: str


@dataclass(slots=True)
class Explorer:
    """What an application has.

    Args:
        queues: the registered ones, by name. Where a test put something else in a queue's place it is None.
        own_queues, own_producers: those that the application made, and has to close.
        processors, listeners: of all modules.
    """

    queues: dict[str, Queue[Any] | None] = field(default_factory=dict)
    own_queues: list[Queue[Any]] = field(default_factory=list)
    own_producers: list[FlowProducer] = field(default_factory=list)
    processors: list[FoundProcessor] = field(default_factory=list)
    listeners: list[FoundListener] = field(default_factory=list)
    _registrations: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def explore(cls, discovery: Discovery) -> "Explorer":
        """Look through all providers of the application."""
        found = cls()
        for provider in discovery.providers():
            path = " > ".join(provider.path)
            if isinstance(provider.token, QueueToken):
                found._queue(provider.token.queue_name, provider, path)
            elif isinstance(provider.token, FlowProducerToken):
                found._producer(provider.token.producer_name, provider, path)
            elif provider.made_from is not None:
                found._host(provider.made_from, provider.instance, path)
        return found

    def problems(self, selection: Selection) -> Iterator[WorkersError]:
        """Everything that keeps workers and listeners from being what was meant."""
        for what, paths in _several(self._registrations):
            yield RegisteredTwiceError(what, paths)
        for processor in self.processors:
            yield from self._unknown_queue(processor.path, "processes", processor.spec.queue)
            if processor.host is None:
                yield HostScopeError(processor.path, "processor")
            if processor.spec.process_pool is not None:
                yield from _pool_problems(processor)
        for listener in self.listeners:
            yield from self._unknown_queue(listener.path, "listens to", listener.spec.queue)
            if listener.host is None:
                yield HostScopeError(listener.path, "listener")
        names = [(processor.spec.worker_name, processor.path) for processor in self.processors]
        for name, paths in _several(names):
            yield SameWorkerNameError(name, paths)
        known = sorted({name for name, _ in names})
        unknown = selection.unknown(known)
        if unknown:
            yield UnknownWorkerError(unknown, known)

    def warn_of_competitors(self) -> None:
        """Say which processors share a queue: each job goes to one of them, whichever takes it first."""
        for queue, paths in _several((processor.spec.queue, processor.path) for processor in self.processors):
            log.warning(
                "the queue %s has %d processors, %s: each job goes to whichever takes it first",
                queue,
                len(paths),
                " and ".join(paths),
                extra={"queue": queue},
            )

    def _queue(self, name: str, provider: DiscoveredProvider, path: str) -> None:
        is_ours = _is_real(provider, Queue) and not _is_real(provider, InProcessQueue)
        queue = provider.instance if is_ours else None
        self.queues[name] = queue if isinstance(queue, Queue) else None
        if isinstance(queue, Queue) and not provider.is_given:
            self.own_queues.append(queue)
        self._registrations.append((f"queue {name!r}", path))

    def _producer(self, name: str, provider: DiscoveredProvider, path: str) -> None:
        producer = provider.instance
        if _is_real(provider, FlowProducer) and isinstance(producer, FlowProducer) and not provider.is_given:
            self.own_producers.append(producer)
        self._registrations.append((f"flow producer {name!r}", path))

    def _host(self, cls: type[Any], instance: object, path: str) -> None:
        marks: Mapping[str, Any] = vars(cls)
        processor, listener = marks.get(PROCESSOR), marks.get(LISTENER)
        if isinstance(processor, ProcessorSpec):
            host = instance if isinstance(instance, WorkerHost) else None
            self.processors.append(FoundProcessor(cls, host, processor, path))
        if isinstance(listener, ListenerSpec):
            events_host = instance if isinstance(instance, QueueEventsHost) else None
            self.listeners.append(FoundListener(events_host, listener, path))

    def _unknown_queue(self, path: str, use: str, queue: str) -> Iterator[UnknownQueueError]:
        if queue not in self.queues:
            near = next(iter(difflib.get_close_matches(queue, self.queues, n=1)), None)
            yield UnknownQueueError(path, use, queue, near, sorted(self.queues))


def _is_real(provider: DiscoveredProvider, cls: type[Any]) -> bool:
    # by its true class: a mock with spec=Queue says of itself that it is one
    return provider.made_from is not None and issubclass(provider.made_from, cls)


def _pool_problems(processor: FoundProcessor) -> Iterator[ProcessPoolError]:
    try:
        pool_of(processor.cls, processor.spec)
    except ProcessPoolError as error:
        yield error


def _several(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """The keys with more than one value, and their values."""
    groups: dict[str, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return ((key, values) for key, values in groups.items() if len(values) > 1)
