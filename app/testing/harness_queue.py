"""HarnessQueue: the Queue that services get while a harness runs its jobs."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.bullmq.job import D
from app.bullmq.options import JobOptions
from app.core import ModuleRef
from app.testing.memory_events import MemoryEvents
from app.testing.memory_jobs import MemoryJobs
from app.testing.memory_scripts import MemoryScripts
from app.testing.nowhere import NowhereConnection
from app.workers.explorer import FoundProcessor
from app.workers.queues import InProcessQueue


class ProcessorSource(Protocol):
    """A testing module: where processors are."""

    @property
    def modules(self) -> ModuleRef: ...

    async def processors_of(self, queue_name: str) -> Sequence[FoundProcessor]:
        """Those of a queue, built anew where an override asks for it."""
        ...


class HarnessQueue(InProcessQueue[D]):
    """A Queue whose scripts are a MemoryScripts; all that it checks and encodes, it does as ever."""

    def __init__(
        self,
        name: str,
        jobs: MemoryJobs,
        work: Callable[[], None],
        default_job_options: JobOptions | None,
    ) -> None:
        connection = NowhereConnection(name)
        super().__init__(name, connection=connection, default_job_options=default_job_options)
        self.memory_scripts = MemoryScripts(jobs, connection, self.keys, MemoryEvents(self.keys, jobs, work))
        self.scripts = self.memory_scripts
        self.source: ProcessorSource | None = None
        """Set by the testing module that has the queue."""

    def __repr__(self) -> str:
        return f"<HarnessQueue {self.name!r}>"

    async def close(self) -> None:
        """Nothing is open."""
