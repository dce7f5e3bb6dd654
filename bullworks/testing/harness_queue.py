"""HarnessQueue: the Queue that services get while a harness runs its jobs."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

from bullworks.bullmq import JobOptions
from bullworks.bullmq.job.job import D
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.core import ModuleRef
from bullworks.testing.errors import NotSimulatedError
from bullworks.testing.memory.events import MemoryEvents
from bullworks.testing.memory.jobs import MemoryJobs
from bullworks.testing.memory.no_server import NoServerConnection
from bullworks.testing.memory.scripts import MemoryScripts
from bullworks.workers.enhancers.placing import Placed
from bullworks.workers.explorer import FoundProcessor
from bullworks.workers.queues import InProcessQueue


class ProcessorSource(Protocol):
    """A testing module, as the source of processors."""

    @property
    def modules(self) -> ModuleRef: ...

    async def processors_of(self, queue_name: str) -> Sequence[FoundProcessor]:
        """Return a queue's processors, rebuilt where an override requires it."""
        ...

    def places_of(self, processor: FoundProcessor, method: str) -> Sequence[Placed]:
        """The enhancers around a method of one of them."""
        ...


class HarnessQueue(InProcessQueue[D]):
    """A Queue over MemoryScripts; it validates and encodes as usual."""

    def __init__(
        self,
        name: str,
        jobs: MemoryJobs,
        work: Callable[[], None],
        *,
        default_job_options: JobOptions | None,
        data_type: type[D] | None,
        result_type: Any,
    ) -> None:
        connection = NoServerConnection(name)
        super().__init__(
            name,
            connection=connection,
            default_job_options=default_job_options,
            data_type=data_type,
            result_type=result_type,
        )
        payload_types = self.scripts.payload_types
        events = MemoryEvents(self.keys, jobs, work)
        self.memory_scripts = MemoryScripts(jobs, connection, self.keys, events)
        self.memory_scripts.payload_types = payload_types
        self.scripts = self.memory_scripts
        self.source: ProcessorSource | None = None
        """Set by the testing module that has the queue."""

    def _payload_types(self) -> PayloadTypes | None:
        return PayloadTypes.of(self.data_type, self.result_type)  # in memory nothing is sealed

    def use_types(self, data_type: Any, result_type: Any) -> None:
        """Take over the payload types of the processor, if the queue itself was given none."""
        self.data_type, self.result_type = self.data_type or data_type, self.result_type or result_type
        self.memory_scripts.payload_types = PayloadTypes.of(self.data_type, self.result_type)

    async def get_dependencies(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse with NotSimulatedError; Job.get_dependencies() lists all of a job's children."""
        raise NotSimulatedError(self.name, "Queue.get_dependencies, as it does Job.get_dependencies")

    def __repr__(self) -> str:
        return f"<HarnessQueue {self.name!r}>"

    async def close(self) -> None:
        """Do nothing: a harness queue has no connection."""
