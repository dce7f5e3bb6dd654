"""What can be done with a whole queue: a typed method for each script. Long work is done in chunks."""

import asyncio
from collections.abc import Sequence
from typing import Any

from app.bullmq.job_state import LIST_SUFFIXES, FinishedState
from app.bullmq.script_caller import ScriptCaller, load
from app.redis.server_error import ServerError

CLEAN = load("clean")
COUNT_JOBS = load("count_jobs")
DRAIN = load("drain")
PAUSE = load("pause")
REGISTER_QUEUE = load("register_queue")
RESUME = load("resume")
RETRY_JOBS = load("retry_jobs")

# Redis serves nobody else during a script: a chunk is some 5 ms.
JOBS_A_CALL = 1_000
# As many as Redis removes in one call by itself.
_EVENTS_A_TRIM = 10_000


class QueueScripts(ScriptCaller):
    """Administration and reading."""

    __slots__ = ()

    async def register_queue(self, version: str) -> bool:
        """Make the queue known. Returns whether it is new."""
        return bool(await self._run(REGISTER_QUEUE, version))

    async def pause(self) -> bool:
        """Returns whether it was running."""
        return bool(await self._run(PAUSE))

    async def resume(self) -> None:
        """Let workers take jobs, once what BullMQ 5 left in `paused` is in line."""
        left = 1
        # This ends: a call moves a chunk, far more than anybody could add to that list meanwhile.
        while left > 0:
            left = await self._run(RESUME, JOBS_A_CALL)

    async def is_paused(self) -> bool:
        """Whether workers are kept from taking jobs."""
        return bool(await self.connection.execute("HEXISTS", self.keys.of("meta"), "paused"))

    async def clean(self, suffix: str, grace_ms: int, limit: int) -> list[str]:
        """Remove up to `limit` jobs of a state, at least `grace_ms` old. Returns their ids."""
        removed: list[str] = []
        skip = 0
        while skip >= 0 and len(removed) < limit:
            room = min(limit - len(removed), JOBS_A_CALL)
            skip, *ids = await self._run(CLEAN, suffix, grace_ms, room, JOBS_A_CALL, skip)
            removed += [job_id.decode("utf-8", "replace") for job_id in ids]
        return removed

    async def drain(self, suffix: str) -> int:
        """Remove the jobs of a state that are there now. Returns how many."""
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
        """How many jobs each of the states holds."""
        counts: list[int] = await self._run(COUNT_JOBS, *suffixes)
        return counts

    async def retry_jobs(self, state: FinishedState, chunk: int, until_ms: int | None) -> int:
        """Move what finished until then, by default now, back to wait. Returns how many."""
        until: Any = "" if until_ms is None else until_ms
        moved: int
        total, taken = 0, chunk
        while taken == chunk:
            moved, taken, until = await self._run(RETRY_JOBS, state, chunk, until)
            total += moved
        return total

    async def ids(self, suffixes: Sequence[str], start: int, end: int, *, asc: bool) -> list[str]:
        """Ids `start` to `end`, both included, of each state, without repetition."""
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
        """The hash of each job, name after value, or why it cannot be read; many in one write."""
        found: list[tuple[str, Sequence[bytes] | ServerError]] = []
        for at in range(0, len(job_ids), JOBS_A_CALL):
            chunk = job_ids[at : at + JOBS_A_CALL]
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
        """Have about `max_len` events kept from now on; makes the queue known too."""
        meta = self.keys.of("meta")
        await asyncio.gather(
            self.connection.execute("HSET", meta, "opts.maxLenEvents", max_len),
            self.connection.execute("HSETNX", meta, "version", version),
        )

    async def client_list(self) -> str:
        """Redis's list of its clients."""
        listing: bytes = await self.connection.execute("CLIENT", "LIST", key=self.keys.base)
        return listing.decode("utf-8", "replace")
