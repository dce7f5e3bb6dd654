"""Scripts and reads about a job's parent, its children, and its deduplication id."""

from dataclasses import dataclass, field
from typing import Any

from app.bullmq import payload
from app.bullmq.errors import JobNotFoundError, ParentError
from app.bullmq.script_caller import ScriptCaller, load

REMOVE_CHILD_DEPENDENCY = load("remove_child_dependency")
REMOVE_DEDUPLICATION_KEY = load("remove_deduplication_key")
REMOVE_UNPROCESSED_CHILDREN = load("remove_unprocessed_children")


@dataclass(frozen=True, slots=True)
class Dependencies:
    """A job's children by their Redis keys.

    Attributes:
        processed: completed, with what they returned.
        unprocessed: those it waits for.
        ignored: failed ones that it went on without, with the reason.
        failed: failed ones that fail it too.
    """

    processed: dict[str, Any] = field(default_factory=dict)
    unprocessed: list[str] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DependenciesCount:
    """How many children of each kind; see Dependencies."""

    processed: int
    unprocessed: int
    ignored: int
    failed: int


class FamilyScripts(ScriptCaller):
    """Of one queue; the keys of children may be other queues'."""

    __slots__ = ()

    async def dependencies(self, job_id: str) -> Dependencies:
        """All children of a job, at one moment: the four reads leave in one write."""
        send, key = self.connection.send, self.keys.of(job_id)
        await self.connection.connect()
        reads = (
            send("HGETALL", f"{key}:processed"),
            send("SMEMBERS", f"{key}:dependencies"),
            send("HGETALL", f"{key}:failed"),
            send("ZRANGE", f"{key}:unsuccessful", 0, -1),
        )
        processed, unprocessed, ignored, failed = [await read for read in reads]
        return Dependencies(
            {child: payload.decode(value) for child, value in _pairs(processed)},
            [child.decode() for child in unprocessed],
            {child: value.decode("utf-8", "replace") for child, value in _pairs(ignored)},
            [child.decode() for child in failed],
        )

    async def dependencies_count(self, job_id: str) -> DependenciesCount:
        """How many there are; costs the same however many."""
        send, key = self.connection.send, self.keys.of(job_id)
        await self.connection.connect()
        reads = (
            send("HLEN", f"{key}:processed"),
            send("SCARD", f"{key}:dependencies"),
            send("HLEN", f"{key}:failed"),
            send("ZCARD", f"{key}:unsuccessful"),
        )
        return DependenciesCount(*[await read for read in reads])

    async def remove_child_dependency(self, job_id: str) -> bool:
        """Part a child from its parent. False: the parent did not wait for it.

        Raises:
            JobNotFoundError: there is no such child.
            ParentError: it has no parent, or that is gone.
        """
        code = await self._run(REMOVE_CHILD_DEPENDENCY, job_id)
        if code == -1:
            raise JobNotFoundError(job_id, "remove_child_dependency")
        if code < 0:
            raise ParentError(job_id, "its parent", "it has none, or that was removed")
        return bool(code)

    async def remove_unprocessed_children(self, job_id: str) -> int:
        """Remove the jobs below that have not finished and do not run. Returns how many."""
        return int(await self._run(REMOVE_UNPROCESSED_CHILDREN, job_id))

    async def deduplication_job_id(self, deduplication_id: str) -> str | None:
        """The job that owns a deduplication id."""
        owner = await self.connection.execute("GET", self.keys.deduplication(deduplication_id))
        return None if owner is None else str(owner.decode())

    async def remove_deduplication_key(self, deduplication_id: str, job_id: str = "") -> bool:
        """Free a deduplication id, if that job, or with '' any, owns it."""
        return bool(await self._run(REMOVE_DEDUPLICATION_KEY, deduplication_id, job_id))


def _pairs(flat: list[bytes]) -> list[tuple[str, bytes]]:
    parts = iter(flat)
    return [(child.decode(), value) for child, value in zip(parts, parts, strict=True)]
