"""WorkerHost: the class that processors inherit."""

from typing import Generic

from bullworks.bullmq import Worker
from bullworks.bullmq.job.job import D, R
from bullworks.elsewhere import without_foreign_calls
from bullworks.workers.errors import NoWorkerError


@without_foreign_calls
class WorkerHost(Generic[D, R]):
    """Processes the jobs of one queue; `@processor("name")` says which.

    Write `async def process(self, job: Job) -> Any`, or `@process("job-name")` methods of that form: what one returns
    is stored with the job, and what it raises makes it fail, or be tried again. A plain `def`, of a SyncJob, runs in
    a thread. Any of them may take the job's CancelSignal besides. With `@processor(..., batch=Batch(size=100))` it is
    `async def process(self, jobs: list[Job])`, and returns None, or a result or an exception for each.

    `WorkerHost[EmailData, Receipt]` says what the jobs hold and what comes of them; plain `WorkerHost` leaves it open.
    """

    _worker: Worker[D, R] | None = None

    @property
    def worker(self) -> Worker[D, R]:
        """The engine's worker that runs this host: pause it, or list its active jobs.

        Raises:
            NoWorkerError: before the application's modules are initialised, or where the worker is not enabled.
        """
        if self._worker is None:
            raise NoWorkerError(type(self).__name__)
        return self._worker


def bind(host: WorkerHost[D, R], worker: Worker[D, R]) -> None:
    """Give a host its worker."""
    host._worker = worker  # noqa: SLF001 - no method of it, so that users' classes cannot clash with one
