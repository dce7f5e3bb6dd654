"""What can be done with job schedulers: a typed method for each script."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bullworks.bullmq.options.job_scheduler import NewScheduler
from bullworks.bullmq.scripts.caller import ScriptCaller, load
from bullworks.bullmq.wire import scheduler_codec
from bullworks.bullmq.wire.scheduler_codec import Successor

UPSERT_SCHEDULER = load("upsert_scheduler")
NEXT_ITERATION = load("next_iteration")
REMOVE_SCHEDULER = load("remove_scheduler")

_ADDED, _ALREADY_RUN = 0, -1


@dataclass(frozen=True, slots=True)
class IterationExists:
    """The iteration exists already: it ran early, or belongs to another scheduler with that id."""

    due_ms: int


class SchedulerScripts(ScriptCaller):
    """The scripts about the job schedulers of one queue."""

    __slots__ = ()

    async def now_ms(self) -> int:
        """Read Redis's clock."""
        seconds, micros = await self.connection.execute("TIME", key=self.keys.base)
        return int(seconds) * 1000 + int(micros) // 1000

    async def upsert_scheduler(
        self, scheduler: NewScheduler, version: str, first_ms: int | None, metadata: str | None = None
    ) -> tuple[str, Sequence[bytes]] | IterationExists | None:
        """Store a scheduler.

        Args:
            first_ms: when a pattern's first iteration is due; None means now, or as `every` has it.
            metadata: where in a trace this is, for its iterations to carry.

        Returns:
            The id of its pending iteration, and its hash. None means `every` has none before the end date.
        """
        job, repeat = scheduler.job, scheduler.repeat
        answer = await self._run(
            UPSERT_SCHEDULER,
            version,
            scheduler.id,
            job.name,
            job.data if scheduler.has_data else "",
            scheduler_codec.encode_template(scheduler),
            scheduler_codec.encode_iteration(scheduler, metadata),
            job.opts.priority,
            "1" if job.opts.lifo else "",
            repeat.pattern or "",
            repeat.tz or "",
            *("" if value is None else value for value in (repeat.every_ms, repeat.offset_ms, repeat.limit)),
            *("" if value is None else value for value in (repeat.start_ms, repeat.end_ms, first_ms)),
        )
        return (answer[1].decode(), answer[2]) if answer[0] == _ADDED else _already_run(answer)

    async def next_iteration(
        self, job_id: str, scheduler_id: str, successor: Successor, due_ms: int | None
    ) -> str | IterationExists | None:
        """Store an iteration's successor, unless it exists already.

        Args:
            due_ms: when a pattern's is due; None where `every` says that.

        Returns:
            Its id. None: there is none, since the end date is near, another one is pending, or the scheduler is gone.
        """
        answer = await self._run(
            NEXT_ITERATION,
            job_id,
            scheduler_id,
            successor.opts,
            successor.priority,
            "1" if successor.lifo else "",
            "" if due_ms is None else due_ms,
        )
        return answer[1].decode() if answer[0] == _ADDED else _already_run(answer)

    async def remove_scheduler(self, scheduler_id: str) -> bool:
        """Remove a scheduler and its pending iteration. False if it did not exist."""
        return bool(await self._run(REMOVE_SCHEDULER, scheduler_id))

    async def scheduler_next_ms(self, scheduler_id: str) -> int | None:
        """Read when a scheduler's latest iteration is due; None if the scheduler does not exist."""
        score = await self.connection.execute("ZSCORE", self.keys.of("repeat"), scheduler_id)
        return None if score is None else int(float(score))

    async def scheduler_page(self, start: int, end: int, *, asc: bool) -> list[tuple[str, int]]:
        """Read scheduler ids `start` to `end`, both included, and when the latest iteration of each is due."""
        command = "ZRANGE" if asc else "ZREVRANGE"
        flat = iter(await self.connection.execute(command, self.keys.of("repeat"), start, end, "WITHSCORES"))
        return [(key.decode("utf-8", "replace"), int(float(score))) for key, score in zip(flat, flat, strict=True)]

    async def scheduler_fields(self, scheduler_ids: Sequence[str]) -> list[dict[bytes, bytes]]:
        """Read the hash of each scheduler; all reads leave in one write."""
        reads = [self.connection.execute("HGETALL", self.keys.scheduler(key)) for key in scheduler_ids]
        return [dict(zip(flat[::2], flat[1::2], strict=True)) for flat in await asyncio.gather(*reads)]

    async def count_schedulers(self) -> int:
        """Count the queue's job schedulers."""
        return int(await self.connection.execute("ZCARD", self.keys.of("repeat")))


def _already_run(answer: Sequence[Any]) -> IterationExists | None:
    return IterationExists(int(answer[1])) if answer[0] == _ALREADY_RUN else None
