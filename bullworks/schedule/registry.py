"""SchedulerRegistry: the jobs of an application, by name."""

import asyncio
from collections.abc import Mapping
from typing import Literal, TypeVar

from bullworks.bullmq import Duration
from bullworks.schedule.clockwork.clock import Clock, SystemClock
from bullworks.schedule.clockwork.runner import Callback, ErrorHook, Runner
from bullworks.schedule.clockwork.shared_clock import SharedClock
from bullworks.schedule.clockwork.timetable import Timetable
from bullworks.schedule.cron_job import CronJob, JobRuntime
from bullworks.schedule.errors import JobNameTakenError, JobOptionError, UnknownJobError
from bullworks.schedule.journal.journal import Journal, LogJournal
from bullworks.schedule.journal.keys import checked_name
from bullworks.schedule.timed_job import IntervalJob, TimeoutJob

JobKind = Literal["cron", "interval", "timeout"]
J = TypeVar("J", CronJob, IntervalJob, TimeoutJob)


class SchedulerRegistry:
    """Finds, adds and deletes jobs; injectable. Added jobs run from the application's start to its end.

    Args:
        clock: the machine's unless given.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._crons: dict[str, CronJob] = {}
        self._intervals: dict[str, IntervalJob] = {}
        self._timeouts: dict[str, TimeoutJob] = {}
        self._runtime = JobRuntime(Timetable(clock or SystemClock()), Runner(), LogJournal())

    def does_exist(self, kind: JobKind, name: str) -> bool:
        """Whether there is a job of this kind and name."""
        jobs: Mapping[JobKind, Mapping[str, object]] = {
            "cron": self._crons,
            "interval": self._intervals,
            "timeout": self._timeouts,
        }
        return name in jobs[kind]

    def get_cron_job(self, name: str) -> CronJob:
        """Find a cron by name. Raises UnknownJobError."""
        return _find("cron", name, self._crons)

    def get_cron_jobs(self) -> dict[str, CronJob]:
        """List all crons, by name."""
        return dict(self._crons)

    def get_interval(self, name: str) -> IntervalJob:
        """Find an interval by name. Raises UnknownJobError."""
        return _find("interval", name, self._intervals)

    def get_intervals(self) -> list[str]:
        """List the names of all intervals."""
        return list(self._intervals)

    def get_timeout(self, name: str) -> TimeoutJob:
        """Find a timeout by name, unless it has run. Raises UnknownJobError."""
        return _find("timeout", name, self._timeouts)

    def get_timeouts(self) -> list[str]:
        """List the names of the timeouts that have not run yet."""
        return list(self._timeouts)

    def add_cron_job(self, name: str, job: CronJob) -> None:
        """Add a cron; it runs once started, before or after this call.

        Raises:
            JobNameTakenError: there is one of that name.
            JobOptionError: it can be no name.
        """
        try:
            checked_name(name)
        except ValueError as error:
            raise JobOptionError(repr(name), "add_cron_job", str(error)) from None
        job.has_own_name = True
        self.adopt(name, job)

    def add_interval(self, name: str, callback: Callback, every: Duration) -> IntervalJob:
        """Add an interval: call a function every given number of ms, or timedelta.

        Raises:
            JobNameTakenError: there is one of that name.
            JobOptionError: not a valid duration.
        """
        _check_free("interval", name, self._intervals)
        job = self._intervals[name] = IntervalJob(name, callback, every)
        job.attach(self._runtime)
        return job

    def add_timeout(self, name: str, callback: Callback, after: Duration) -> TimeoutJob:
        """Add a timeout: call a function once, after a number of ms, or a timedelta; then it is removed.

        Raises:
            JobNameTakenError: there is one of that name.
            JobOptionError: not a valid duration.
        """
        _check_free("timeout", name, self._timeouts)
        job = self._timeouts[name] = TimeoutJob(name, callback, after, lambda: self._timeouts.pop(name, None))
        job.attach(self._runtime)
        return job

    def delete_cron_job(self, name: str) -> None:
        """Stop and remove a cron; a run in progress finishes. Raises UnknownJobError."""
        job = self.get_cron_job(name)
        job.stop()
        job.attach(None)
        del self._crons[name]

    def delete_interval(self, name: str) -> None:
        """Stop and remove an interval; a run in progress finishes. Raises UnknownJobError."""
        self.get_interval(name).attach(None)
        del self._intervals[name]

    def delete_timeout(self, name: str) -> None:
        """Remove a timeout before it runs. Raises UnknownJobError."""
        self.get_timeout(name).attach(None)
        del self._timeouts[name]

    # What the scheduler calls.

    @property
    def clock(self) -> Clock:
        return self._runtime.timetable.clock

    @property
    def shared_clock(self) -> SharedClock:
        return self._runtime.timetable.shared

    def adopt(self, name: str, job: CronJob) -> None:
        """Add a cron under a name that may not be its own."""
        _check_free("cron", name, self._crons)
        job.name = name
        self._crons[name] = job
        job.attach(self._runtime)

    def use(self, journal: Journal, on_error: ErrorHook | None) -> None:
        """Set the journal for runs, and the hook for errors."""
        self._runtime.journal = journal
        self._runtime.runner.on_error = on_error

    def open(self) -> None:
        """Start running jobs."""
        self._runtime.timetable.start()
        jobs: list[CronJob | IntervalJob | TimeoutJob] = [
            *self._crons.values(),
            *self._intervals.values(),
            *self._timeouts.values(),
        ]
        for job in jobs:
            job.begin()

    async def close(self, grace_s: float, forced: asyncio.Event | None = None) -> None:
        """Start no more runs, and wait for those in progress within the grace time, or until forced."""
        await self._runtime.timetable.close()
        await self._runtime.runner.close(grace_s, forced)

    def clear(self) -> None:
        """Remove all jobs, and the objects whose methods they call, at the application's end."""
        for name in self.get_cron_jobs():
            self.delete_cron_job(name)
        for name in self.get_intervals():
            self.delete_interval(name)
        for name in self.get_timeouts():
            self.delete_timeout(name)
        self._runtime.timetable.clear()
        self.use(LogJournal(), None)


def _find(kind: JobKind, name: str, jobs: Mapping[str, J]) -> J:
    if name not in jobs:
        raise UnknownJobError(kind, name, sorted(jobs))
    return jobs[name]


def _check_free(kind: JobKind, name: str, jobs: Mapping[str, object]) -> None:
    if name in jobs:
        raise JobNameTakenError(kind, name)
