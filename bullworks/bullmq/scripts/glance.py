"""What a dashboard asks of a queue: bounded reads that change nothing, each in one write.

Begun together, in one `gather` or several, they leave in one write; so does a script that comes after one of them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bullworks.bullmq.scripts.caller import ScriptCaller
from bullworks.bullmq.wire import codec


class QueueFigures(NamedTuple):
    """A queue's settings and how many schedulers it has; `rate_limit_ttl_ms` is 0 without a limit under way."""

    is_paused: bool
    concurrency: int | None
    rate_limit_ttl_ms: int
    schedulers: int


class Hold(NamedTuple):
    """The lock of an active job.

    Attributes:
        fields: those that were asked for and are there.
        token: the lock's; None if nobody holds it.
        left_ms: until the lock runs out.
        is_suspected: it counts as stalled unless its lock is renewed before the next check.
    """

    fields: dict[bytes, bytes]
    token: str | None
    left_ms: int
    is_suspected: bool


class Kin(NamedTuple):
    """Some fields of a job, and a part of its children: keys of their hashes, by how they ended.

    Attributes:
        counts: how many there are in all.
        ignored: why each of those failed.
    """

    fields: dict[bytes, bytes]
    counts: dict[str, int]
    processed: list[bytes]
    unprocessed: list[bytes]
    ignored: dict[bytes, bytes]
    failed: list[bytes]


class GlanceScripts(ScriptCaller):
    """Reads one queue for dashboards; a method raises ServerError where a key is of another type."""

    __slots__ = ()

    async def figures(self) -> QueueFigures:
        """Read the queue's settings, and count its schedulers."""
        meta, ttl_ms, schedulers = await self.connection.together(
            ("HMGET", self.keys.of("meta"), "paused", "concurrency"),
            ("PTTL", self.keys.of("limiter")),
            ("ZCARD", self.keys.of("repeat")),
        )
        concurrency = None if meta[1] is None else int(float(meta[1]))
        return QueueFigures(meta[0] is not None, concurrency, max(ttl_ms, 0), schedulers)

    async def fields(self, job_id: str, names: Sequence[bytes]) -> dict[bytes, bytes]:
        """Read some fields of a job; the absent ones are left out."""
        return _present(names, await self.connection.execute("HMGET", self.keys.of(job_id), *names))

    async def fields_and_sizes(
        self, job_id: str, names: Sequence[bytes], measured: Sequence[bytes]
    ) -> tuple[dict[bytes, bytes], dict[bytes, int]]:
        """Some fields of a job, as far as they are there, and how many bytes others have, 0 for none."""
        key = self.keys.of(job_id)
        found, *sizes = await self.connection.together(
            ("HMGET", key, *names), *(("HSTRLEN", key, name) for name in measured)
        )
        return _present(names, found), dict(zip(measured, sizes, strict=True))

    async def count_logs(self, job_id: str) -> int:
        """Count the lines of the job's log."""
        count: int = await self.connection.execute("LLEN", self.keys.logs(job_id))
        return count

    async def active(self, most: int) -> tuple[list[str], int]:
        """Read the ids of up to `most` active jobs, the last taken first, and count all."""
        key = self.keys.of("active")
        ids, count = await self.connection.together(("LRANGE", key, 0, most - 1), ("LLEN", key))
        return [job_id.decode("utf-8", "replace") for job_id in ids], count

    async def hold(self, job_id: str, names: Sequence[bytes]) -> Hold:
        """Read an active job's lock and some of its fields."""
        lock = self.keys.lock(job_id)
        found, token, ttl_ms, is_suspected = await self.connection.together(
            ("HMGET", self.keys.of(job_id), *names),
            ("GET", lock),
            ("PTTL", lock),
            ("SISMEMBER", self.keys.of("stalled"), job_id),
        )
        held_by = None if token is None else token.decode("utf-8", "replace")
        return Hold(_present(names, found), held_by, max(ttl_ms, 0), bool(is_suspected))

    async def kin(self, job_id: str, names: Sequence[bytes], most: int) -> Kin:
        """Read some fields of a job, and up to about `most` of each kind of its children."""
        listed = self.keys.children(job_id)
        found, *replies = await self.connection.together(
            ("HMGET", self.keys.of(job_id), *names),
            ("HLEN", listed.processed),
            ("SCARD", listed.unprocessed),
            ("ZCARD", listed.failed),
            ("HLEN", listed.ignored),
            ("HSCAN", listed.processed, 0, "COUNT", most),
            ("SSCAN", listed.unprocessed, 0, "COUNT", most),
            ("HSCAN", listed.ignored, 0, "COUNT", most),
            ("ZRANGE", listed.failed, 0, most - 1),
        )
        processed, unprocessed, ignored = (reply[1] for reply in replies[4:7])
        return Kin(
            fields=_present(names, found),
            counts=dict(zip(("processed", "unprocessed", "failed", "ignored"), replies[:4], strict=True)),
            processed=processed[::2],
            unprocessed=unprocessed,
            ignored=dict(zip(ignored[::2], ignored[1::2], strict=True)),
            failed=replies[7],
        )

    async def iterations(
        self, due: Sequence[tuple[str, int]], previous: Sequence[str]
    ) -> tuple[list[bytes | None], list[bool]]:
        """When the pending jobs of schedulers were made, and whether their last ones are still there.

        Args:
            due: id of a scheduler, and when its pending job is due.
            previous: the id of the last job of each.
        """
        replies: list[Any] = await self.connection.together(
            *(
                ("HGET", f"{self.keys.scheduler(scheduler_id)}:{next_ms}", codec.TIMESTAMP)
                for scheduler_id, next_ms in due
            ),
            *(("EXISTS", self.keys.of(job_id)) for job_id in previous),
        )
        return replies[: len(due)], [bool(reply) for reply in replies[len(due) :]]

    async def ping(self) -> None:
        """Wait for a sign of life from the queue's server."""
        await self.connection.at(self.keys.base).execute("PING")

    async def server_info(self) -> dict[str, str]:
        """Read the INFO of the queue's server, by Redis's names."""
        listing: bytes = await self.connection.execute("INFO", key=self.keys.base)
        lines = listing.decode("utf-8", "replace").splitlines()
        return {name: value for name, _, value in (line.partition(":") for line in lines)}


def _present(names: Sequence[bytes], values: Sequence[bytes | None]) -> dict[bytes, bytes]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}
