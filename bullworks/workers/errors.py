"""What is wrong with processors and listeners. Raised at decoration or at the start, never at the first job."""

from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.core import CoreError


class WorkersError(CoreError):
    """Base of the errors of this package."""


@dataclass(eq=False)
class ProcessorClassError(WorkersError, TypeError):
    """A class with @processor cannot process jobs; `problem` says why, and what to write."""

    cls: str
    queue: str
    problem: str

    def __str__(self) -> str:
        return f'@processor("{self.queue}") on {self.cls}, {self.problem}'


@dataclass(eq=False)
class ListenerClassError(WorkersError, TypeError):
    """A class with @queue_events_listener cannot listen."""

    cls: str
    queue: str

    def __str__(self) -> str:
        return (
            f'@queue_events_listener("{self.queue}") on {self.cls}, which has no QueueEventsHost among its bases; '
            f"write `class {self.cls}(QueueEventsHost):`"
        )


@dataclass(eq=False)
class JobNameError(WorkersError, ValueError):
    """`@process` has no job names, or a name that another method of the class already has."""

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


@dataclass(eq=False)
class UnknownWorkerEventError(WorkersError, ValueError):
    """A method listens to an event that workers do not have."""

    decorator = "on_worker_event"
    problem = "no such event"

    event: str
    near: str | None
    known: Sequence[str]

    def __str__(self) -> str:
        advice = f"did you mean {self.near!r}?" if self.near else f"there are: {', '.join(self.known)}"
        return f"@{self.decorator}({self.event!r}): {self.problem}; {advice}"


class UnknownQueueEventError(UnknownWorkerEventError):
    """A method listens to an event that queues do not have."""

    decorator = "on_queue_event"
    problem = "no such event, but for one of your own, with custom=True"


@dataclass(eq=False)
class NoWorkerError(WorkersError):
    """A host's worker was requested where none runs for the host."""

    host: str

    def __str__(self) -> str:
        return (
            f"{self.host} has no worker: there is one from on_application_bootstrap on, "
            "in processes that WORKERS_ENABLED and ENABLED_WORKERS let run it"
        )


@dataclass(eq=False)
class NoQueueEventsError(WorkersError):
    """A host's queue events were requested while it listens to none."""

    host: str

    def __str__(self) -> str:
        return f"{self.host} has no queue events yet: they start once all modules are initialised, on a real queue"


@dataclass(eq=False)
class UnknownQueueError(WorkersError):
    """A processor or a listener names a queue that no module registers."""

    user: str
    use: str
    queue: str
    near: str | None
    known: Sequence[str]

    def __str__(self) -> str:
        near = f"Did you mean {self.near!r}? " if self.near else ""
        return (
            f"{self.user} {self.use} the queue {self.queue!r}, which no module registers. {near}"
            f"Registered: {', '.join(self.known) or 'none'}. "
            f'Add BullModule.register_queue("{self.queue}") to imports, or queues=("{self.queue}",) to for_root().'
        )


@dataclass(eq=False)
class UnknownWorkerError(WorkersError):
    """ENABLED_WORKERS selects a worker that does not exist."""

    names: Sequence[str]
    known: Sequence[str]

    def __str__(self) -> str:
        unknown = ", ".join(self.names)
        return f"ENABLED_WORKERS names the unknown worker {unknown}. Workers: {', '.join(self.known) or 'none'}"


@dataclass(eq=False)
class SameWorkerNameError(WorkersError):
    """Two processors have the same worker name, so ENABLED_WORKERS cannot distinguish them."""

    name: str
    processors: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{' and '.join(self.processors)} are both the worker {self.name!r}. "
            "List the class in one module, or give one of them @processor(..., worker_name=...)"
        )


@dataclass(eq=False)
class RegisteredTwiceError(WorkersError):
    """Two modules register one queue, or one flow producer, with different options."""

    what: str
    modules: Sequence[str]

    def __str__(self) -> str:
        return (
            f"the {self.what} is registered with different options: {' and '.join(self.modules)}. "
            "Register it with the same options everywhere, or once in a module that others import"
        )


@dataclass(eq=False)
class RootImportedTwiceError(WorkersError):
    """An application imports BullModule.for_root() twice, or twice with one config_key."""

    modules: Sequence[str]
    config_key: str | None = None

    def __str__(self) -> str:
        argument = "" if self.config_key is None else f'config_key="{self.config_key}"'
        return (
            f"BullModule.for_root({argument}) is imported twice: {' and '.join(self.modules)}. "
            "Import it once, in the root module; feature modules import BullModule.register_queue(...)"
        )


@dataclass(eq=False)
class HostScopeError(WorkersError):
    """A processor or a listener would never be built; `problem` says why, and what it may be."""

    host: str
    problem: str

    def __str__(self) -> str:
        return f"{self.host} {self.problem}"


@dataclass(eq=False)
class LateHostError(WorkersError):
    """A processor or a listener is in a module that is loaded into a running application."""

    host: str

    def __str__(self) -> str:
        return (
            f"{self.host} is in a module that LazyModuleLoader loads; processors and listeners are looked for at the "
            "start, so its module must be imported: give the lazy one what the processor calls"
        )


@dataclass(eq=False)
class RequestEventsError(WorkersError):
    """A REQUEST-scoped processor listens to worker events, which occur when no instance of it exists."""

    host: str
    methods: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.host} is REQUEST-scoped, itself or through something it needs: each job has its own instance, "
            f"and worker events have none to go to. Move {', '.join(self.methods)} to a @queue_events_listener, "
            "or take what is REQUEST-scoped as Lazy[...]"
        )


class NoJobError(WorkersError):
    """JOB was requested where no job is running."""

    def __str__(self) -> str:
        return (
            "JOB is the job of a REQUEST-scoped processor, and no such job runs here; "
            "in a test: provide(JOB, use_value=Job.stub(...))"
        )


@dataclass(eq=False)
class ConfigKeyError(WorkersError):
    """A processor or a listener names another connection than its queue is registered with."""

    user: str
    queue: str
    asked: str
    registered: str | None

    def __str__(self) -> str:
        has = "none" if self.registered is None else repr(self.registered)
        return (
            f"{self.user} has config_key={self.asked!r}, but the queue {self.queue!r} is registered with {has}. "
            f'Give both the same: BullModule.register_queue("{self.queue}", config_key="{self.asked}")'
        )


@dataclass(eq=False)
class PayloadTypeError(WorkersError):
    """A processor and its queue have different types of data, or of results.

    Args:
        processor, registration: the modules from the root to each of them.
        option: "data_type" or "result_type".
        processed, registered: the two types.
    """

    processor: str
    queue: str
    option: str
    processed: str
    registration: str
    registered: str

    def __str__(self) -> str:
        return (
            f"{self.processor} has {self.option}={self.processed}, but the queue {self.queue!r} is registered with "
            f"{self.option}={self.registered}, by {self.registration}. Give both the same, or leave it out of the "
            "processor, which then has its queue's"
        )


@dataclass(eq=False)
class ProcessPoolError(WorkersError):
    """A processor with `process_pool=` cannot run in processes; `problem` says why, and what to write."""

    processor: str
    problem: str

    def __str__(self) -> str:
        return f"{self.processor} has a process_pool, and {self.problem}"
