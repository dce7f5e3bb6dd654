"""WorkerHost: the class that processors inherit."""

from abc import ABC, abstractmethod
from typing import Any, Generic

from app.bullmq import Worker
from app.bullmq.job import D, R
from app.workers.errors import NoWorkerError


class WorkerHost(ABC, Generic[D, R]):
    """Processes the jobs of one queue; `@processor("name")` says which.

    `WorkerHost[EmailData, Receipt]` says what the jobs hold and what `process` returns; plain `WorkerHost` leaves
    it open.
    """

    _worker: Worker[D, R] | None = None

    @abstractmethod
    def process(self, job: Any) -> Any:
        """Do one job; what it returns is stored with the job, and what it raises makes it fail, or be tried again.

        Write `async def process(self, job: Job) -> Any`. A plain `def process(self, job: SyncJob) -> Any` runs in
        a thread.
        """

    @property
    def worker(self) -> Worker[D, R]:
        """The engine's worker that runs this host: to pause it, to see its active jobs.

        Raises:
            NoWorkerError: before the application's modules are initialised, or where the worker is not enabled.
        """
        if self._worker is None:
            raise NoWorkerError(type(self).__name__)
        return self._worker


def bind(host: WorkerHost[Any, Any], worker: Worker[Any, Any]) -> None:
    """Let the host know its worker."""
    host._worker = worker  # noqa: SLF001 - no method of it, so that users' classes cannot clash with one
