"""Steps about job schedulers, as tests/bullworks/node/steps/schedulers.mjs has them."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq.options.job_scheduler import JobScheduler
from tests.bullworks.compat.steps.queue_steps import snake_state
from tests.bullworks.compat.steps.world import World, snake

_NAMES = {
    "key": "key",
    "name": "name",
    "next": "next",
    "iterationCount": "iteration_count",
    "limit": "limit",
    "startDate": "start_date",
    "endDate": "end_date",
    "tz": "tz",
    "pattern": "pattern",
    "every": "every",
    "offset": "offset",
}


class SchedulerSteps(World):
    async def upsert(self, scheduler_id: str, repeat: dict[str, Any], template: dict[str, Any] | None = None) -> str:
        # Its data is the user's: only the options go by other names here.
        given: Any = {**(template or {}), "opts": snake((template or {}).get("opts"))}
        return (await self.queue.upsert_job_scheduler(scheduler_id, await self._at(repeat), given)).id

    async def scheduler(self, scheduler_id: str) -> dict[str, Any] | None:
        return _described(await self.queue.get_job_scheduler(scheduler_id))

    async def schedulers(self, *page: Any) -> list[dict[str, Any] | None]:
        return [_described(scheduler) for scheduler in await self.queue.get_job_schedulers(*page)]

    async def schedulersCount(self) -> int:
        return await self.queue.get_job_schedulers_count()

    async def removeScheduler(self, scheduler_id: str) -> bool:
        return await self.queue.remove_job_scheduler(scheduler_id)

    async def promoteNext(self) -> None:
        (job,) = await self.queue.get_delayed(0, 0)
        await job.promote()

    async def removeNext(self, state: str) -> None:
        (job,) = await getattr(self.queue, f"get_{snake_state(state)}")(0, 0)
        await job.remove()

    async def _at(self, repeat: dict[str, Any]) -> Any:
        now_ms = await self.queue.scripts.now_ms()
        at = {name: value for name, value in repeat.items() if not name.endswith("In")}
        if "startIn" in repeat:
            at["startDate"] = now_ms + repeat["startIn"]
        if "endIn" in repeat:
            at["endDate"] = now_ms + repeat["endIn"]
        if "offsetIn" in repeat:
            at["offset"] = (now_ms + repeat["offsetIn"]) % repeat["every"]
        return snake(at)


def _described(scheduler: JobScheduler | None) -> dict[str, Any] | None:
    if scheduler is None:
        return None
    fields = {theirs: getattr(scheduler, ours) for theirs, ours in _NAMES.items()}
    template = scheduler.template
    known = {name: value for name, value in fields.items() if value is not None}
    return {**known, "data": template.data, "attempts": template.opts.attempts}
