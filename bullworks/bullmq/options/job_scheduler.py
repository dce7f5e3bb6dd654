"""JobScheduler: makes one job after the other by itself. What it is asked to do, and what it looks like."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import TypedDict

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.job import JobOptions, JobOpts
from bullworks.bullmq.options.repeat import Repeat
from bullworks.bullmq.wire.payload_type import PayloadTypes

# What an iteration cannot be given: its id and times are its scheduler's, and no parent waits for it.
_NOT_OF_ITERATIONS = frozenset({"job_id", "delay", "timestamp", "deduplication", "group", "repeat", "parent"})
# The end of an iteration's own id: a scheduler with such an id would lie where another's job does.
_LIKE_AN_ITERATION = re.compile(r":\d+\Z")


class JobTemplate(TypedDict, total=False):
    """The name, data and options of the jobs that a scheduler creates.

    Attributes:
        name: default: the scheduler's id.
        data: JSON.
        opts: as of `Queue.add`, but for ids, times, parents and deduplication.
    """

    name: str
    data: Any
    opts: JobOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerTemplate:
    """A JobTemplate as stored with its scheduler."""

    data: Any = None
    opts: JobOpts = field(default_factory=JobOpts)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobScheduler:
    """A job scheduler as of when it was read. Times are ms since the epoch, durations ms.

    Attributes:
        key: its id.
        name: of its jobs.
        next: when its latest job is, or was, due: past where that waits for a worker, or was the last one.
        iteration_count: jobs made so far.
        offset: of `every`; 0 for a pattern.
        template: what its jobs are like.
    """

    key: str
    name: str
    next: int
    iteration_count: int | None = None
    pattern: str | None = None
    tz: str | None = None
    every: int | None = None
    offset: int | None = None
    limit: int | None = None
    start_date: int | None = None
    end_date: int | None = None
    template: SchedulerTemplate = field(default_factory=SchedulerTemplate)

    @property
    def id(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class NewScheduler:
    """A validated job scheduler, ready to store.

    Attributes:
        job: what each iteration is, but for id and times.
        has_data: data was given; None and {} count as not, as in Node.
    """

    id: str
    repeat: Repeat
    job: NewJob
    has_data: bool

    @classmethod
    def of(
        cls,
        scheduler_id: object,
        repeat: Repeat,
        template: Mapping[str, Any],
        defaults: Mapping[str, Any],
        *,
        queue_name: str,
        types: PayloadTypes | None,
    ) -> "NewScheduler":
        """Validate a user's job scheduler.

        Args:
            defaults: the queue's options for jobs that do not say otherwise.
            queue_name, types: as of NewJob.of.

        Raises:
            InvalidOptionError: a bad id, or a name or option that an iteration cannot have.
            InvalidPayloadError: data that is not JSON, or not of the queue's type, or too large.
        """
        checked_id = checks.text("scheduler_id", scheduler_id)
        if _LIKE_AN_ITERATION.search(checked_id):
            raise InvalidOptionError("scheduler_id", f"{scheduler_id!r} ends like the id of another scheduler's job")
        checks.parts("template", template, JobTemplate.__annotations__)
        options = template.get("opts") or {}
        for option in options:
            if option in _NOT_OF_ITERATIONS:
                raise InvalidOptionError(option, "cannot be given to a scheduler's jobs")
        inherited = {option: value for option, value in defaults.items() if option not in _NOT_OF_ITERATIONS}
        data = template.get("data")
        name = template.get("name", checked_id)
        opts = JobOpts.of({**inherited, **options})
        job = NewJob.of(name, {} if data is None else data, opts, queue_name=queue_name, types=types)
        if opts.expires is not None and opts.expires.at_ms is not None:
            raise InvalidOptionError("expires", "of a scheduler's jobs is a duration; give the scheduler an end_date")
        return cls(checked_id, repeat, job, data is not None and data != {})


def derived_id(name: object, job_id: object, repeat: Repeat) -> str:
    """Derive the id of the scheduler behind `Queue.add(repeat=)` from name, schedule, zone and end.

    Adding it again at each start of a service thus changes nothing.
    """
    parts = [name, job_id, repeat.pattern, repeat.every_ms, repeat.tz, repeat.end_ms]
    digest = hashlib.sha256(json.dumps(parts, default=repr).encode("utf-8", "replace")).hexdigest()
    return f"{name}-{digest[:12]}"
