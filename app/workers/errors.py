"""What is wrong with processors and their queues. Raised at decoration or at the start, never at the first job."""

from collections.abc import Sequence

from app.core import CoreError


class WorkersError(CoreError):
    """Base of the errors of this package."""


class ProcessorClassError(WorkersError, TypeError):
    """A class is decorated with @processor and cannot process jobs."""

    def __init__(self, cls: str, queue: str, lacks: str) -> None:
        super().__init__(cls, queue, lacks)
        self.cls = cls
        self.queue = queue
        self.lacks = lacks

    def __str__(self) -> str:
        if self.lacks == "process":
            advice = "write `async def process(self, job: Job) -> Any` in it"
        else:
            advice = f"write `class {self.cls}(WorkerHost):`"
        return f'@processor("{self.queue}") on {self.cls}, which has no {self.lacks}; {advice}'


class UnknownWorkerEventError(WorkersError, ValueError):
    """A method listens to an event that workers do not have."""

    def __init__(self, event: str, near: str | None, known: Sequence[str]) -> None:
        super().__init__(event, near, tuple(known))
        self.event = event
        self.near = near
        self.known = tuple(known)

    def __str__(self) -> str:
        advice = f"did you mean {self.near!r}?" if self.near else f"there are: {', '.join(self.known)}"
        return f"@on_worker_event({self.event!r}): no such event; {advice}"


class NoWorkerError(WorkersError):
    """A host's worker was asked for where none runs for it."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host

    def __str__(self) -> str:
        return (
            f"{self.host} has no worker: there is one from on_application_bootstrap on, "
            "in processes that WORKERS_ENABLED and ENABLED_WORKERS let run it"
        )


class UnknownQueueError(WorkersError):
    """A processor is for a queue that no module registers."""

    def __init__(self, processor: str, queue: str, near: str | None, known: Sequence[str]) -> None:
        super().__init__(processor, queue, near, tuple(known))
        self.processor = processor
        self.queue = queue
        self.near = near
        self.known = tuple(known)

    def __str__(self) -> str:
        near = f"Did you mean {self.near!r}? " if self.near else ""
        return (
            f"{self.processor} processes the queue {self.queue!r}, which no module registers. {near}"
            f"Registered: {', '.join(self.known) or 'none'}. "
            f'Add WorkersModule.register_queue("{self.queue}") to imports, or queues=("{self.queue}",) to for_root().'
        )


class UnknownWorkerError(WorkersError):
    """ENABLED_WORKERS selects a worker that does not exist."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(tuple(names), tuple(known))
        self.names = tuple(names)
        self.known = tuple(known)

    def __str__(self) -> str:
        unknown = ", ".join(self.names)
        return f"ENABLED_WORKERS names {unknown}, which no worker is called. Workers: {', '.join(self.known) or 'none'}"


class SameWorkerNameError(WorkersError):
    """Two processors have one worker name, so ENABLED_WORKERS could not tell them apart."""

    def __init__(self, name: str, processors: Sequence[str]) -> None:
        super().__init__(name, tuple(processors))
        self.name = name
        self.processors = tuple(processors)

    def __str__(self) -> str:
        return (
            f"{' and '.join(self.processors)} are both the worker {self.name!r}. "
            "List the class in one module, or give one of them @processor(..., worker_name=...)"
        )


class QueueRegisteredTwiceError(WorkersError):
    """Two modules register one queue with different options."""

    def __init__(self, queue: str, modules: Sequence[str]) -> None:
        super().__init__(queue, tuple(modules))
        self.queue = queue
        self.modules = tuple(modules)

    def __str__(self) -> str:
        return (
            f"the queue {self.queue!r} is registered with different options: {' and '.join(self.modules)}. "
            "Register it with the same options everywhere, or once in a module that others import"
        )


class RootImportedTwiceError(WorkersError):
    """An application has two WorkersModule.for_root()."""

    def __init__(self, modules: Sequence[str]) -> None:
        super().__init__(tuple(modules))
        self.modules = tuple(modules)

    def __str__(self) -> str:
        return (
            f"WorkersModule.for_root() is imported twice: {' and '.join(self.modules)}. "
            "Import it once, in the root module; feature modules import WorkersModule.register_queue(...)"
        )


class ProcessorScopeError(WorkersError):
    """A processor is not built at the start, so its worker could never run."""

    def __init__(self, processor: str) -> None:
        super().__init__(processor)
        self.processor = processor

    def __str__(self) -> str:
        return (
            f"{self.processor} is lazy, or it or something it needs is TRANSIENT- or REQUEST-scoped; "
            "a processor is a singleton that is built at the start"
        )
