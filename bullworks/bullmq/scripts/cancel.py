"""Cancelling jobs: the typed method for its script."""

import asyncio
from collections.abc import Sequence

from bullworks.bullmq.cancel.terms import CancelOutcome
from bullworks.bullmq.scripts.caller import ScriptCaller, load

CANCEL_JOBS = load("cancel_jobs")

_OUTCOMES: dict[int, CancelOutcome] = {0: "cancelled", 1: "requested", 2: "finished", -1: "missing", -8: "scheduled"}

REQUEST_KEPT_MS = 60_000
"""A worker that was away for longer reads of the request when it renews its locks."""

_JOBS_A_CALL = 100
# Where a job is in a list is looked for entry by entry, twice: so many entries are some 5 ms.
_LOOKS_A_CALL = 1_000_000


class CancelScripts(ScriptCaller):
    """The scripts of Queue.cancel and Job.cancel."""

    __slots__ = ()

    async def cancel_jobs(
        self, job_ids: Sequence[str], reason: str, *, removes: bool, children: bool
    ) -> list[CancelOutcome]:
        """Cancel jobs, in calls of some milliseconds each. Returns what came of each, in order.

        Args:
            reason: as `cancel.terms.stored_reason` has it.
            removes: those that do not run are removed, not kept as failed.
            children: the jobs below them are cancelled too.
        """
        flags = ("1" if removes else "", "1" if children else "")
        chunk = 1 if len(job_ids) == 1 else await self._cancels_at_once()
        outcomes: list[CancelOutcome] = []
        for at in range(0, len(job_ids), chunk):
            codes = await self._run(CANCEL_JOBS, reason, *flags, REQUEST_KEPT_MS, *job_ids[at : at + chunk])
            outcomes.extend(_OUTCOMES[code] for code in codes)
        return outcomes

    async def _cancels_at_once(self) -> int:
        """How many one call may look for in lists as long as they are now."""
        reads = [self.connection.execute("LLEN", self.keys.of(name)) for name in ("wait", "paused", "active")]
        lengths: list[int] = await asyncio.gather(*reads)
        return max(1, min(_JOBS_A_CALL, _LOOKS_A_CALL // (2 * sum(lengths) + 1)))
