"""JobSink: who is told what of a worker's jobs, and when.

    took      Finisher's trip brought jobs
    started   Runner is about to call a job's handler; not of a job that is failed, or handed back, without being run
    ended     Runner has the job's outcome           moved    instead, where the handler put its job elsewhere
    freed     Runner's slot can have another job
    stored    Redis has the outcome                  refused  instead, where Redis will not take it
    lost      the reply to a fetch will not come

Each is called on the event loop, and returns without waiting. JobLifecycle acts on them. AttemptTracing is a sink
around it, where the worker has telemetry.
"""

from abc import abstractmethod
from typing import Protocol

from bullworks.bullmq.errors import QueueError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.scripts.worker import Fetched


class AttemptSink(Protocol):
    """Observer of the attempts that a Runner makes."""

    @abstractmethod
    def started(self, job: Job) -> None:
        """The job's handler runs now."""

    @abstractmethod
    def ended(self, outcome: Outcome) -> None:
        """The attempt is over, and this is to be stored; once for each job, unless `moved` is told of it."""

    @abstractmethod
    def moved(self, job: Job) -> None:
        """The job's handler put it elsewhere, which gave its lock up: there is nothing to store."""

    @abstractmethod
    def freed(self, job: Job) -> None:
        """The job's slot is free again; after `ended` or `moved`, and later where a thread outlives its attempt."""


class JobSink(AttemptSink, Protocol):
    """Observer of all that happens to a job between two visits to Redis."""

    @abstractmethod
    def took(self, fetched: Fetched, token: str) -> None:
        """Finisher fetched these jobs, and holds them with `token`."""

    @abstractmethod
    def lost(self, token: str) -> None:
        """Finisher fetched with `token`, and the reply will not come: jobs may be held that nobody knows of."""

    @abstractmethod
    def stored(self, outcome: Outcome) -> None:
        """Redis has the outcome."""

    @abstractmethod
    def refused(self, outcome: Outcome, error: QueueError) -> None:
        """Redis will not take the outcome: the job was removed, or another worker holds it."""
