"""Finds queues, flow producers, processors and listeners in an application, and what is wrong with them."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bullworks.bullmq import FlowProducer, ProcessPool, Queue
from bullworks.core import DiscoveredProvider, Discovery, ProviderKind, Scope, marked_methods
from bullworks.schedule.explorer import marks_of
from bullworks.settings import SettingsError
from bullworks.suggestion import suggestion
from bullworks.workers.enhancers.adding import AddPlaces, ProcessorPlaces
from bullworks.workers.enhancers.decorators import has_enhancers
from bullworks.workers.enhancers.placing import (
    Companion,
    Placed,
    app_enhancer,
    app_problems,
    class_places,
    method_places,
    place_problems,
    pool_problems,
)
from bullworks.workers.errors import (
    ConfigKeyError,
    HostScopeError,
    LateHostError,
    PayloadTypeError,
    ProcessPoolError,
    RegisteredTwiceError,
    RequestEventsError,
    RootImportedTwiceError,
    SameWorkerNameError,
    UnknownQueueError,
    UnknownWorkerError,
    WorkersError,
)
from bullworks.workers.events_host import QueueEventsHost
from bullworks.workers.events_listener import LISTENER, ListenerSpec
from bullworks.workers.host import WorkerHost
from bullworks.workers.options import RootOptions, complete_from
from bullworks.workers.processing import pool_of
from bullworks.workers.processor import PROCESSOR, ProcessorSpec, worker_name_of
from bullworks.workers.queues import InProcessQueue
from bullworks.workers.selection import Selection
from bullworks.workers.tokens import ROOT_OPTIONS, FlowProducerToken, QueueToken, SetupToken
from bullworks.workers.worker_event import WORKER_EVENT

K = TypeVar("K")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundProcessor:
    """A processor of the application.

    Args:
        cls: the decorated class.
        host: its instance; None where it is not built, or not yet.
        path: the modules from the root to its own, then its class.
        scope: REQUEST: each job has an instance of its own.
        is_eager: it is, or will be, built at the start.
        resolve: gives the instance of a job.
        companion: the provider of a class that its decorators name.
    """

    cls: type[Any]
    host: WorkerHost[Any, Any] | None
    spec: ProcessorSpec
    path: str
    scope: Scope
    is_eager: bool
    resolve: Callable[[], Awaitable[Any]]
    companion: Companion

    @property
    def methods(self) -> Mapping[str | None, str]:
        """The host's methods by the names of jobs; under None for all."""
        return dict(self.spec.methods.items()) or {None: "process"}


@dataclass(frozen=True, slots=True)
class FoundListener:
    """A queue events listener of the application."""

    host: QueueEventsHost | None
    spec: ListenerSpec
    path: str
    scope: Scope
    is_eager: bool


def check(discovery: Discovery) -> Iterator[Exception]:
    """List the problems that are known before anything is built."""
    found = Explorer.explore(discovery)
    yield from found.problems()
    try:
        selections = [complete_from(options, discovery.settings).selection for options in found.options]
    except SettingsError:  # reported by the check of the settings of the whole application
        return
    except Exception as error:  # noqa: BLE001 - reported with the other problems; it would end the start a moment later
        yield error
        return
    for selection in selections:
        yield from found.unknown_workers(selection)


@dataclass(slots=True)
class Explorer:
    """Finds an application's queues, flow producers and hosts, as far as they are built.

    Args:
        queues: the registered ones, by name. Where a test put something else in a queue's place it is None.
        own_queues, own_producers: those that the application made, and has to close.
        processors, listeners: of all modules.
        cron_workers: the names of classes with scheduled methods.
        options: which workers run, and where, as far as that is known before anything is built.
        enhancers: those for all jobs, of APP_GUARD and its like.
    """

    queues: dict[str, Queue[Any] | None] = field(default_factory=dict)
    own_queues: list[Queue[Any]] = field(default_factory=list)
    own_producers: list[FlowProducer] = field(default_factory=list)
    processors: list[FoundProcessor] = field(default_factory=list)
    listeners: list[FoundListener] = field(default_factory=list)
    cron_workers: set[str] = field(default_factory=set)
    options: list[RootOptions] = field(default_factory=list)
    enhancers: list[Placed] = field(default_factory=list)
    _decorated: list[tuple[type[Any], str, Companion]] = field(default_factory=list)
    _config_keys: dict[str, str | None] = field(default_factory=dict)
    _late: list[str] = field(default_factory=list)
    _types: dict[str, tuple[Any, Any, str]] = field(default_factory=dict)
    _roots: list[tuple[str | None, str]] = field(default_factory=list)
    _registrations: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def explore(cls, discovery: Discovery) -> "Explorer":
        """Search all providers of the application."""
        found = cls()
        for provider in discovery.providers():
            if isinstance(provider.token, QueueToken):
                found._queue(provider.token.queue_name, provider, _path_of(provider))
            elif isinstance(provider.token, FlowProducerToken):
                found._producer(provider.token.producer_name, provider, _path_of(provider))
            elif isinstance(provider.token, SetupToken):
                found._root(provider.token, provider)
            elif provider.token == ROOT_OPTIONS and isinstance(provider.instance, RootOptions):
                found.options.append(provider.instance)
            elif (enhancer := app_enhancer(provider)) is not None:
                found.enhancers.append(enhancer)
            elif provider.made_from is not None and provider.kind is not ProviderKind.ALIAS:
                found._host(provider.made_from, provider)
        return found

    def problems(self) -> Iterator[WorkersError]:
        """List every problem with processors and listeners."""
        for config_key, paths in _several(self._roots):
            yield RootImportedTwiceError(paths, config_key)
        for what, paths in _several(self._registrations):
            yield RegisteredTwiceError(what, paths)
        yield from map(LateHostError, self._late)
        for processor in self.processors:
            yield from self._queue_problems(processor, "processes")
            yield from self._type_problems(processor)
            yield from _processor_problems(processor)
        for listener in self.listeners:
            yield from self._queue_problems(listener, "listens to")
            yield from _listener_problems(listener)
        yield from self._enhancer_problems()
        for name, paths in _several((processor.spec.worker_name, processor.path) for processor in self.processors):
            yield SameWorkerNameError(name, paths)

    def places_of(self, processor: FoundProcessor, method: str) -> list[Placed]:
        """Return the enhancers of a processor's method: global ones, those of the class, those of the method."""
        of_class = class_places(processor.cls, processor.companion)
        return [*self.enhancers, *of_class, *method_places(processor.cls, method, processor.companion)]

    def add_places(self) -> AddPlaces:
        """Return the enhancers around adding to a queue."""
        by_queue: dict[str, list[ProcessorPlaces]] = {}
        for processor in self.processors:
            cls, companion, methods = processor.cls, processor.companion, processor.methods
            of_methods = {method: method_places(cls, method, companion) for method in set(methods.values())}
            places = ProcessorPlaces(cls, methods, class_places(cls, companion), of_methods)
            by_queue.setdefault(processor.spec.queue, []).append(places)
        return AddPlaces(self.enhancers, by_queue)

    def unknown_workers(self, selection: Selection) -> Iterator[WorkersError]:
        """List the names in ENABLED_WORKERS that no worker has."""
        known = sorted({processor.spec.worker_name for processor in self.processors} | self.cron_workers)
        unknown = selection.unknown(known)
        if unknown:
            yield UnknownWorkerError(unknown, known)

    def warn_of_competitors(self) -> None:
        """Warn about processors that share a queue: each job goes to whichever takes it first."""
        for queue, paths in _several((processor.spec.queue, processor.path) for processor in self.processors):
            log.warning(
                "the queue %s has %d processors, %s: each job goes to whichever takes it first",
                queue,
                len(paths),
                " and ".join(paths),
                extra={"queue": queue},
            )

    def _root(self, token: SetupToken, provider: DiscoveredProvider) -> None:
        self._roots.append((token.config_key, " > ".join(provider.path[:-1])))

    def _queue(self, name: str, provider: DiscoveredProvider, path: str) -> None:
        is_ours = _is_real(provider, Queue) and not _is_real(provider, InProcessQueue)
        queue = provider.instance if is_ours else None
        self.queues[name] = queue if isinstance(queue, Queue) else None
        if isinstance(queue, Queue) and not provider.is_given:
            self.own_queues.append(queue)
        if not provider.is_given and isinstance(provider.token, QueueToken):
            self._config_keys[name] = provider.token.config_key
            known = queue if isinstance(queue, Queue) else provider.token  # options of a function come with the queue
            self._types[name] = (known.data_type, known.result_type, path)
        self._registrations.append((f"queue {name!r}", path))

    def _producer(self, name: str, provider: DiscoveredProvider, path: str) -> None:
        producer = provider.instance
        if _is_real(provider, FlowProducer) and isinstance(producer, FlowProducer) and not provider.is_given:
            self.own_producers.append(producer)
        self._registrations.append((f"flow producer {name!r}", path))

    def _host(self, cls: type[Any], provider: DiscoveredProvider) -> None:
        marks: Mapping[str, Any] = vars(cls)
        if has_enhancers(cls):
            self._decorated.append((cls, _path_of(provider), provider.companion))
        processor, listener = marks.get(PROCESSOR), marks.get(LISTENER)
        if any(marks_of(cls)):
            self.cron_workers.add(worker_name_of(cls))
        if processor is None and listener is None:
            return
        if provider.is_late:
            self._late.append(_path_of(provider))
        path, instance, scope, is_eager = _path_of(provider), provider.instance, provider.scope, provider.is_eager
        if isinstance(processor, ProcessorSpec):
            host = instance if isinstance(instance, WorkerHost) else None
            self.processors.append(
                FoundProcessor(
                    cls, host, processor, path, scope, is_eager, provider.resolve, companion=provider.companion
                )
            )
        if isinstance(listener, ListenerSpec):
            events_host = instance if isinstance(instance, QueueEventsHost) else None
            self.listeners.append(FoundListener(events_host, listener, path, scope, is_eager))

    def _enhancer_problems(self) -> Iterator[WorkersError]:
        for enhancer in self.enhancers:
            yield from app_problems(enhancer)
        processors = {processor.cls: processor for processor in self.processors}
        for cls, path, companion in self._decorated:
            methods = processors[cls].methods.values() if cls in processors else ()
            yield from place_problems(cls, path, list(methods), companion)
        for processor in self.processors:
            if processor.spec.process_pool is not None:
                placed = [each for method in processor.methods.values() for each in self.places_of(processor, method)]
                yield from pool_problems(processor.path, placed)

    def _queue_problems(self, user: FoundProcessor | FoundListener, use: str) -> Iterator[WorkersError]:
        queue, asked = user.spec.queue, user.spec.config_key
        if queue not in self.queues:
            near = suggestion(queue, self.queues)
            yield UnknownQueueError(user.path, use, queue, near, sorted(self.queues))
        elif asked is not None and self._config_keys.get(queue, asked) != asked:
            yield ConfigKeyError(user.path, queue, asked, self._config_keys[queue])

    def _type_problems(self, processor: FoundProcessor) -> Iterator[WorkersError]:
        queue, spec = processor.spec.queue, processor.spec
        data_type, result_type, registration = self._types.get(queue, (None, None, ""))
        for option, its, registered in (
            ("data_type", spec.data_type, data_type),
            ("result_type", spec.result_type, result_type),
        ):
            if None not in (its, registered) and its != registered:
                names = _type_names(its, registered)
                yield PayloadTypeError(processor.path, queue, option, names[0], registration, names[1])


def _path_of(provider: DiscoveredProvider) -> str:
    return " > ".join(provider.path)


def _is_real(provider: DiscoveredProvider, cls: type[Any]) -> bool:
    # by its true class: a mock with spec=Queue says of itself that it is one
    return provider.made_from is not None and issubclass(provider.made_from, cls)


def _processor_problems(processor: FoundProcessor) -> Iterator[WorkersError]:
    if processor.scope is Scope.REQUEST:
        methods = [name for name, _ in marked_methods(processor.cls, WORKER_EVENT)]
        if methods:
            yield RequestEventsError(processor.path, methods)
        if processor.spec.process_pool is not None:
            problem = "is REQUEST-scoped, but its processes build one instance each; leave one of the two out"
            yield ProcessPoolError(processor.path, problem)
        if processor.spec.options.get("batch") is not None:
            problem = (
                "is REQUEST-scoped, itself or through something it needs, which makes an instance for each job; with "
                "batch= one call has many jobs: make it a singleton, and take what is REQUEST-scoped as Lazy[...]"
            )
            yield HostScopeError(processor.path, problem)
    elif not processor.is_eager:
        what = "TRANSIENT-scoped" if processor.scope is Scope.TRANSIENT else "lazy"
        problem = (
            f"is {what}; a processor is a singleton that is built at the start, or REQUEST-scoped: one for each job"
        )
        yield HostScopeError(processor.path, problem)
    elif processor.spec.process_pool is not None:
        try:
            pool_of(processor.cls, processor.spec, ProcessPool)
        except ProcessPoolError as error:
            yield error


def _listener_problems(listener: FoundListener) -> Iterator[WorkersError]:
    if listener.scope is Scope.REQUEST:
        problem = "is REQUEST-scoped, itself or through something it needs"
    elif not listener.is_eager:
        problem = "is TRANSIENT-scoped" if listener.scope is Scope.TRANSIENT else "is lazy"
    else:
        return
    yield HostScopeError(listener.path, f"{problem}; a listener is a singleton that is built at the start")


def _type_names(*types: Any) -> list[str]:
    """Their short names, or in full where those are the same."""
    names = [getattr(kind, "__name__", str(kind)) for kind in types]
    return names if len(set(names)) > 1 else [f"{kind.__module__}.{kind.__qualname__}" for kind in types]


def _several(pairs: Iterable[tuple[K, str]]) -> Iterator[tuple[K, list[str]]]:
    """The keys with more than one value, and their values."""
    groups: dict[K, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return ((key, values) for key, values in groups.items() if len(values) > 1)
