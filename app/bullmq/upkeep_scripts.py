"""Counting a queue, and changing all of it: a typed method for each script. Long work is done in chunks."""

import asyncio
import re
from collections.abc import Sequence

from app.bullmq.job_state import FinishedState
from app.bullmq.script_caller import ScriptCaller, load

COUNT_PRIORITIES = load("count_priorities")
OBLITERATE = load("obliterate")
PROMOTE_JOBS = load("promote_jobs")
REMOVE_ORPHANS = load("remove_orphans")

_MORE, _DONE = 1, 0
# Whether a list names a job is asked entry by entry: so many are looked at in one call, some 5 ms.
_LOOKS_A_CALL = 1_000_000
_ORPHANS_A_CALL = 500


class UpkeepScripts(ScriptCaller):
    """What QueueCounts and QueueUpkeep need."""

    __slots__ = ()

    async def promote_jobs(self, chunk: int) -> None:
        """Let the jobs that are delayed now wait."""
        left = await self._run(PROMOTE_JOBS, chunk)
        # What is added meanwhile is not waited for: a fast producer must not keep this busy for ever.
        for _ in range(-(-left // chunk)):
            if await self._run(PROMOTE_JOBS, chunk) == 0:
                break

    async def obliterate(self, chunk: int, *, force: bool) -> bool:
        """Remove a paused queue. False: it has active jobs, or somebody resumed it."""
        answer = _MORE
        # This ends: a call removes a chunk, far more than anybody could add to a paused queue meanwhile.
        while answer == _MORE:
            answer = await self._run(OBLITERATE, chunk, "1" if force else "")
        return bool(answer == _DONE)

    async def count_priorities(self, priorities: Sequence[int]) -> list[int]:
        """How many jobs wait with each of these priorities."""
        counts: list[int] = await self._run(COUNT_PRIORITIES, *priorities)
        return counts

    async def count_due_before(self, timestamp_ms: int) -> int:
        """Delayed jobs that are due before then."""
        count: int = await self.connection.execute("ZCOUNT", self.keys.of("delayed"), "-inf", f"({timestamp_ms * 4096}")
        return count

    async def read_metrics(self, kind: FinishedState, start: int, end: int) -> tuple[dict[str, int], list[int], int]:
        """What lua/lib/metrics.lua keeps: the totals by wire name, points `start` to `end`, and how many there are."""
        key = self.keys.of(f"metrics:{kind}")
        flat, points, count = await asyncio.gather(
            self.connection.execute("HGETALL", key),
            self.connection.execute("LRANGE", f"{key}:data", start, end),
            self.connection.execute("LLEN", f"{key}:data"),
        )
        totals = {name.decode(): int(float(value)) for name, value in zip(flat[::2], flat[1::2], strict=True)}
        return totals, [int(float(point)) for point in points], count

    async def remove_orphans(self, scanned: int, limit: int) -> int:
        """Remove jobs that no list or set names, `limit` at most. Returns how many.

        Args:
            scanned: keys looked at in one step, about.
        """
        removed, cursor = 0, 0
        while True:
            cursor, ids = await self._scan_jobs(cursor, scanned)
            chunk = await self._looks_at_once()
            while ids and removed < limit:
                part = ids[: min(chunk, limit - removed)]
                removed += int(await self._run(REMOVE_ORPHANS, *part))
                ids = ids[len(part) :]
            if cursor == 0 or removed >= limit:
                return removed

    async def _scan_jobs(self, cursor: int, scanned: int) -> tuple[int, list[str]]:
        """The next keys of jobs, or of what belongs to them: the cursor after them, and the jobs' ids."""
        pattern = re.sub(r"([\\*?\[\]])", r"\\\1", self.keys.base) + "*"
        following, keys = await self.connection.execute("SCAN", cursor, "MATCH", pattern, "COUNT", scanned)
        ids = [self.keys.job_id_of(key.decode()) for key in keys if _is_utf8(key)]
        return int(following), list(dict.fromkeys(job_id for job_id in ids if job_id is not None))

    async def _looks_at_once(self) -> int:
        """How many jobs one call may look for in the lists as long as they are now."""
        reads = [self.connection.execute("LLEN", self.keys.of(name)) for name in ("wait", "paused", "active")]
        lengths: list[int] = await asyncio.gather(*reads)
        return max(1, min(_ORPHANS_A_CALL, _LOOKS_A_CALL // (sum(lengths) + 1)))

    async def remove_deprecated_priority_key(self) -> bool:
        """Remove a key of BullMQ 3."""
        return bool(await self.connection.execute("DEL", self.keys.of("priority")))


def _is_utf8(key: bytes) -> bool:
    """No other key is of a job."""
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True
