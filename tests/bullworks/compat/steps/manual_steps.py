"""Steps of somebody who takes jobs and ends them by hand, as tests/bullworks/node/steps/manual.mjs has them."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq import UnrecoverableError
from tests.bullworks.compat.steps.world import TOKEN, World


class ManualSteps(World):
    async def worker(self, options: dict[str, Any]) -> None:
        await self.worker_by_hand(options)

    async def take(self, token: str = TOKEN) -> str | None:
        return self.hold(await (await self.worker_by_hand()).get_next_job(token, block=False))

    async def complete(self, value: Any, opts: dict[str, Any] | None = None) -> str | None:
        job, token, fetch_next = self._of(opts)
        return self.hold(await job.move_to_completed(value, token, fetch_next=fetch_next))

    async def fail(self, reason: str, opts: dict[str, Any] | None = None) -> str | None:
        job, token, fetch_next = self._of(opts)
        return self.hold(await job.move_to_failed(Exception(reason), token, fetch_next=fetch_next))

    async def failForGood(self, reason: str, opts: dict[str, Any] | None = None) -> None:
        job, token, _ = self._of(opts)
        await job.move_to_failed(UnrecoverableError(reason), token)

    async def moveToDelayed(self, timestamp: int, opts: dict[str, Any] | None = None) -> None:
        job, token, _ = self._of(opts)
        await job.move_to_delayed(timestamp, token)

    async def moveToWait(self, opts: dict[str, Any] | None = None) -> None:
        job, token, _ = self._of(opts)
        await job.move_to_wait(token)

    async def moveToWaitingChildren(self, opts: dict[str, Any] | None = None) -> bool:
        job, token, _ = self._of(opts)
        return await job.move_to_waiting_children(token, child=(opts or {}).get("child"))

    async def extendLock(self, duration: int, opts: dict[str, Any] | None = None) -> bool:
        job, token, _ = self._of(opts)
        return await job.extend_lock(token, duration)

    async def stalledCheck(self) -> None:
        await (await self.worker_by_hand()).run_stalled_check()

    async def held(self) -> dict[str, Any]:
        job = self.taken(None)
        return {
            "delay": job.delay,
            "attemptsMade": job.attempts_made,
            "failedReason": job.failed_reason,
            "returnvalue": job.returnvalue,
            "isFinished": job.finished_on is not None,
        }

    async def heard(self) -> list[list[str]]:
        """What the worker by hand has told its listeners."""
        return list(self._heard)

    def _of(self, opts: dict[str, Any] | None) -> tuple[Any, str, bool]:
        given = opts or {}
        return self.taken(given.get("job")), given.get("token", TOKEN), given.get("fetchNext", False)
