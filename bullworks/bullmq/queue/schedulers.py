"""QueueSchedulers: the job schedulers of a queue."""

from collections.abc import Mapping
from typing import Any, Generic

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.job.job import D, Job
from bullworks.bullmq.options.job import JobOptions
from bullworks.bullmq.options.job_scheduler import JobScheduler, JobTemplate, NewScheduler, derived_id
from bullworks.bullmq.options.repeat import Repeat, RepeatOptions
from bullworks.bullmq.scripts.next_iteration import MOST_ALREADY_RUN
from bullworks.bullmq.scripts.scheduler import IterationExists
from bullworks.bullmq.scripts.scripts import META_VERSION, Scripts
from bullworks.bullmq.telemetry.interface import SpanKind
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.bullmq.wire import scheduler_codec


class QueueSchedulers(Generic[D]):
    """The job scheduler methods of Queue. All raise ServerError and the like, as `add` does."""

    scripts: Scripts
    tracing: Tracing | None
    default_job_options: JobOptions

    async def upsert_job_scheduler(
        self, scheduler_id: str, repeat: RepeatOptions, template: JobTemplate | None = None
    ) -> Job[D]:
        """Create or change a job scheduler; its pending job is replaced too.

        There is always one pending job; the next one is made when a worker takes it. One that nobody took in time runs
        late, once, however many times have passed. Saying the same again moves nothing, so a service may do it at each
        start.

        Args:
            scheduler_id: of your own.
            repeat: when they run, see RepeatOptions.
            template: what they are like, see JobTemplate.

        Returns:
            The pending job, `repeat:<scheduler_id>:<ms>`.

        Raises:
            InvalidOptionError: a bad option, or an end date before the first run.
            InvalidPayloadError: data that is not JSON, or not of the queue's `data_type`, or too large.
        """
        if isinstance(repeat, Mapping) and "key" in repeat:
            raise InvalidOptionError("repeat.key", "is scheduler_id here")
        checked = Repeat.of(repeat)
        return await self._upsert(self._new_scheduler(scheduler_id, checked, template or {}))

    async def get_job_scheduler(self, scheduler_id: str) -> JobScheduler | None:
        """Read a job scheduler by id; None if it does not exist."""
        next_ms = await self.scripts.scheduler_next_ms(scheduler_id)
        (fields,) = await self.scripts.scheduler_fields([scheduler_id])
        return (
            scheduler_codec.decode_scheduler(scheduler_id, fields, next_ms) if fields and next_ms is not None else None
        )

    async def get_job_schedulers(
        self,
        start: int = 0,
        end: int = -1,
        asc: bool = False,  # noqa: FBT001, FBT002 - Node's order of arguments
    ) -> list[JobScheduler]:
        """Read schedulers `start` to `end`, both included, the one due last first, or with `asc` last."""
        page = await self.scripts.scheduler_page(start, end, asc=asc)
        hashes = await self.scripts.scheduler_fields([key for key, _ in page])
        return [
            scheduler_codec.decode_scheduler(key, fields, next_ms)
            for (key, next_ms), fields in zip(page, hashes, strict=True)
            if fields
        ]

    async def get_job_schedulers_count(self) -> int:
        """Count the queue's job schedulers."""
        return await self.scripts.count_schedulers()

    async def remove_job_scheduler(self, scheduler_id: str) -> bool:
        """Remove a job scheduler and its pending job; an active job continues. False if it did not exist."""
        return await self.scripts.remove_scheduler(scheduler_id)

    async def _add_repeatable(self, name: str, data: Any, options: Mapping[str, Any]) -> Job[D]:
        """`Queue.add(..., repeat=)`: a scheduler of its own for each name and schedule."""
        repeat = options["repeat"]
        key = repeat.get("key") if isinstance(repeat, dict) else None
        checked = Repeat.of({part: repeat[part] for part in repeat if part != "key"} if key is not None else repeat)
        opts = {option: value for option, value in options.items() if option not in {"repeat", "job_id"}}
        scheduler_id = derived_id(name, options.get("job_id"), checked) if key is None else key
        template = {"name": name, "data": data, "opts": opts}
        return await self._upsert(self._new_scheduler(scheduler_id, checked, template))

    def _new_scheduler(self, scheduler_id: object, repeat: Repeat, template: Mapping[str, Any]) -> NewScheduler:
        scripts = self.scripts
        return NewScheduler.of(
            scheduler_id,
            repeat,
            template,
            self.default_job_options,
            queue_name=scripts.keys.name,
            types=scripts.payload_types,
        )

    async def _upsert(self, scheduler: NewScheduler) -> Job[D]:
        destination = f"{self.scripts.keys.name}.{scheduler.job.name}"
        with trace(self.tracing, "add", kind=SpanKind.PRODUCER, destination=destination) as span:
            job = await self._store_scheduler(scheduler, span.metadata)
            span.set_attributes(
                {TelemetryAttributes.JOB_SCHEDULER_ID: scheduler.id, TelemetryAttributes.JOB_ID: job.id}
            )
            return job

    async def _store_scheduler(self, scheduler: NewScheduler, metadata: str | None) -> Job[D]:
        repeat = scheduler.repeat
        after_ms = await self.scripts.now_ms()
        if repeat.end_ms is not None and repeat.end_ms <= after_ms:
            raise InvalidOptionError("repeat.end_date", "is past")
        for _ in range(MOST_ALREADY_RUN):
            first_ms = None
            if repeat.pattern is not None and not repeat.immediately:
                first_ms = repeat.run_after_ms(after_ms, scheduler.id)
                if first_ms is None or (repeat.end_ms is not None and first_ms > repeat.end_ms):
                    break
            stored = await self.scripts.upsert_scheduler(scheduler, META_VERSION, first_ms, metadata)
            if stored is None:
                break
            if not isinstance(stored, IterationExists):
                job_id, flat = stored
                return Job.from_reply(self.scripts, job_id, flat)
            after_ms = stored.due_ms
        raise InvalidOptionError("repeat", "gives no run" if repeat.end_ms is None else "gives no run before end_date")
