"""What can be done with a whole queue: a typed method for each script. Long work is done in chunks."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from bullworks.bullmq.job.state import LIST_SUFFIXES, FinishedState
from bullworks.bullmq.scripts.caller import ScriptCaller, load
from bullworks.bullmq.wire import codec
from bullworks.redis import ServerError

CLEAN = load("clean")
COUNT_JOBS = load("count_jobs")
DRAIN = load("drain")
PAUSE = load("pause")
REGISTER_QUEUE = load("register_queue")
RESUME = load("resume")
RETRY_JOBS = load("retry_jobs")

# Redis serves no other client during a script: so many take 1 to 2 ms.
JOBS_A_CALL = 250
# Each read is a command of its own, so others are served in between.
_READS_A_WRITE = 1_000
# As many as Redis removes in one call by itself.
_EVENTS_A_TRIM = 10_000


class QueueScripts(ScriptCaller):
    """The scripts that administer and read one queue."""

    __slots__ = ()

    async def register_queue(self, version: str) -> bool:
        """Register the queue. Returns whether it is new."""
        return bool(await self._run(REGISTER_QUEUE, version))

    async def pause(self) -> bool:
        """Pause the queue. Returns whether it was running."""
        return bool(await self._run(PAUSE))

    async def resume(self) -> None:
        """Let workers take jobs, after moving what BullMQ 5 left in `paused` to wait."""
        left = 1
        # This ends: a call moves a chunk, far more than anybody could add to that list meanwhile.
        while left > 0:
            left = await self._run(RESUME, JOBS_A_CALL)

    async def is_paused(self) -> bool:
        """Whether the queue is paused."""
        return bool(await self.connection.execute("HEXISTS", self.keys.of("meta"), "paused"))

    async def clean(self, suffix: str, grace_ms: int, limit: int) -> list[str]:
        """Remove up to `limit` jobs in one state, the oldest first, at least `grace_ms` old.

        Returns:
            Their ids in the state's order: of a list the newest first, as in Node.
        """
        removed: list[str] = []
        skip = 0
        while skip >= 0 and len(removed) < limit:
            room = min(limit - len(removed), JOBS_A_CALL)
            skip, *ids = await self._run(CLEAN, suffix, grace_ms, room, JOBS_A_CALL, skip)
            removed += [job_id.decode("utf-8", "replace") for job_id in ids]
        if suffix in LIST_SUFFIXES:
            removed.reverse()
        return removed

    async def drain(self, suffix: str) -> int:
        """Remove the jobs that are now in one state. Returns how many."""
        removed: int
        kept: int
        removed, kept, left = await self._run(DRAIN, suffix, JOBS_A_CALL, 0)
        total, skip = removed, kept
        # What is added meanwhile is not waited for: a fast producer must not keep this busy for ever.
        while left > 0 and removed + kept > 0:
            removed, kept, _ = await self._run(DRAIN, suffix, min(left, JOBS_A_CALL), skip)
            total += removed
            skip += kept
            left -= removed + kept
        return total

    async def count_jobs(self, suffixes: Sequence[str]) -> list[int]:
        """Count the jobs in each of the given states."""
        counts: list[int] = await self._run(COUNT_JOBS, *suffixes)
        return counts

    async def retry_jobs(self, state: FinishedState, chunk: int, until_ms: int | None) -> int:
        """Move jobs that finished until a time, by default now, back to wait. Returns how many."""
        until: Any = "" if until_ms is None else until_ms
        moved: int
        total, taken = 0, chunk
        while taken == chunk:
            moved, taken, until = await self._run(RETRY_JOBS, state, chunk, until)
            total += moved
        return total

    async def ids(self, suffixes: Sequence[str], start: int, end: int, *, asc: bool) -> list[str]:
        """Read ids `start` to `end`, both included, of each state, without repetition."""
        pages = [self._page(suffix, start, end, asc=asc) for suffix in suffixes]
        found: dict[str, None] = {}
        replies = await asyncio.gather(*(self.connection.execute(*page) for page in pages))
        for suffix, reply in zip(suffixes, replies, strict=True):
            in_order = reversed(reply) if asc and suffix in LIST_SUFFIXES else reply
            found.update((job_id.decode("utf-8", "replace"), None) for job_id in in_order)
        return list(found)

    def _page(self, suffix: str, start: int, end: int, *, asc: bool) -> tuple[str, str, int, int]:
        key = self.keys.of(suffix)
        if suffix not in LIST_SUFFIXES:
            return ("ZRANGE" if asc else "ZREVRANGE", key, start, end)
        # A list's oldest is at its tail.
        return ("LRANGE", key, -end - 1, -start - 1) if asc else ("LRANGE", key, start, end)

    async def hashes(self, job_ids: Sequence[str]) -> list[tuple[str, Sequence[bytes] | ServerError]]:
        """Read the hash of each job, or the reason why it cannot be read; all in one write."""
        found: list[tuple[str, Sequence[bytes] | ServerError]] = []
        for at in range(0, len(job_ids), _READS_A_WRITE):
            chunk = job_ids[at : at + _READS_A_WRITE]
            reads = [self.connection.execute("HGETALL", self.keys.of(job_id)) for job_id in chunk]
            replies = await asyncio.gather(*reads, return_exceptions=True)
            for job_id, reply in zip(chunk, replies, strict=True):
                if isinstance(reply, BaseException) and not isinstance(reply, ServerError):
                    raise reply
                found.append((job_id, reply))
        return found

    async def trim_events(self, max_length: int) -> int:
        """Remove all but about the newest `max_length` events. Returns how many."""
        trimmed, total = _EVENTS_A_TRIM, 0
        # Whole nodes are removed, so a call may stay a little below its limit. Nobody adds as many meanwhile.
        while trimmed > _EVENTS_A_TRIM // 2:
            trimmed = await self.connection.execute(
                "XTRIM", self.keys.of("events"), "MAXLEN", "~", max_length, "LIMIT", _EVENTS_A_TRIM
            )
            total += trimmed
        return total

    async def store_max_len(self, max_len: int, version: str) -> None:
        """Keep about `max_len` events from now on; also registers the queue."""
        meta = self.keys.of("meta")
        await asyncio.gather(
            self.connection.execute("HSET", meta, codec.MAX_LEN_EVENTS, max_len),
            self.connection.execute("HSETNX", meta, "version", version),
        )

    async def client_list(self) -> str:
        """Read Redis's list of clients."""
        listing: bytes = await self.connection.execute("CLIENT", "LIST", key=self.keys.base)
        return listing.decode("utf-8", "replace")


MANUAL_LIMIT = 2**53 - 1
"""A count that no limit allows. Source: what npm bullmq 6.7's `rateLimit` stores."""


class LimitScripts(ScriptCaller):
    """The scripts and fields of the queue's limits; `meta` fields by their wire names."""

    __slots__ = ()

    async def rate_limit(self, duration_ms: int) -> None:
        """Start a manual rate limit: no worker takes a job until it ends."""
        await self.connection.execute("SET", self.keys.of("limiter"), MANUAL_LIMIT, "PX", duration_ms)

    async def read_limiter(self) -> tuple[int, int]:
        """Read the jobs counted against the limit, and its remaining ms: -2 if there is none, -1 if it never ends."""
        key = self.keys.of("limiter")
        used, ttl_ms = await asyncio.gather(self.connection.execute("GET", key), self.connection.execute("PTTL", key))
        return int(used or 0), ttl_ms

    async def remove_limiter(self) -> bool:
        """Reset the limiter. Returns whether there was one."""
        return bool(await self.connection.execute("DEL", self.keys.of("limiter")))

    async def read_meta(self) -> dict[str, str]:
        """Read all settings of the queue."""
        flat = [part.decode("utf-8", "replace") for part in await self.connection.execute("HGETALL", self._meta)]
        return dict(zip(flat[::2], flat[1::2], strict=True))

    async def set_meta(self, **settings: int) -> None:
        """Store settings that apply to every client of the queue."""
        await self.connection.execute("HSET", self._meta, *(part for pair in settings.items() for part in pair))

    async def remove_meta(self, *names: str) -> bool:
        """Remove settings. Returns whether one was set."""
        return bool(await self.connection.execute("HDEL", self._meta, *names))

    async def count_active(self) -> int:
        """Count the active jobs."""
        count: int = await self.connection.execute("LLEN", self.keys.of("active"))
        return count

    @property
    def _meta(self) -> str:
        return self.keys.of("meta")


COUNT_PRIORITIES = load("count_priorities")
OBLITERATE = load("obliterate")
PROMOTE_JOBS = load("promote_jobs")
REMOVE_ORPHANS = load("remove_orphans")

_MORE, _DONE = 1, 0
# Whether a list names a job is asked entry by entry: so many are looked at in one call, some 5 ms.
_LOOKS_A_CALL = 1_000_000
_ORPHANS_A_CALL = 500


class UpkeepScripts(ScriptCaller):
    """The scripts behind QueueCounts and QueueUpkeep."""

    __slots__ = ()

    async def promote_jobs(self, chunk: int) -> None:
        """Move the jobs that are delayed now to wait."""
        left = await self._run(PROMOTE_JOBS, chunk)
        # What is added meanwhile is not waited for: a fast producer must not keep this busy for ever.
        for _ in range(-(-left // chunk)):
            if await self._run(PROMOTE_JOBS, chunk) == 0:
                break

    async def obliterate(self, chunk: int, *, force: bool) -> bool:
        """Remove a paused queue. False if it has active jobs or was resumed meanwhile."""
        answer = _MORE
        # This ends: a call removes a chunk, far more than anybody could add to a paused queue meanwhile.
        while answer == _MORE:
            answer = await self._run(OBLITERATE, chunk, "1" if force else "")
        return bool(answer == _DONE)

    async def count_priorities(self, priorities: Sequence[int]) -> list[int]:
        """Count the waiting jobs of each given priority."""
        counts: list[int] = await self._run(COUNT_PRIORITIES, *priorities)
        return counts

    async def count_due_before(self, timestamp_ms: int) -> int:
        """Count the delayed jobs that are due before a time."""
        count: int = await self.connection.execute("ZCOUNT", self.keys.of("delayed"), "-inf", f"({timestamp_ms * 4096}")
        return count

    async def read_metrics(self, kind: FinishedState, start: int, end: int) -> tuple[dict[str, int], list[int], int]:
        """Read the metrics of lua/lib/metrics.lua: totals by wire name, points `start` to `end`, and their number."""
        key = self.keys.of(f"metrics:{kind}")
        flat, points, count = await asyncio.gather(
            self.connection.execute("HGETALL", key),
            self.connection.execute("LRANGE", f"{key}:data", start, end),
            self.connection.execute("LLEN", f"{key}:data"),
        )
        totals = {name.decode(): int(float(value)) for name, value in zip(flat[::2], flat[1::2], strict=True)}
        return totals, [int(float(point)) for point in points], count

    async def remove_orphans(self, scanned: int, limit: int) -> int:
        """Remove jobs that are in no list or set, at most `limit`. Returns how many.

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
        """Remove the priority key of BullMQ 3."""
        return bool(await self.connection.execute("DEL", self.keys.of("priority")))


def _is_utf8(key: bytes) -> bool:
    """No other key is of a job."""
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True
