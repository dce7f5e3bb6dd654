"""Scripts and reads about a job's parent, its children, and its deduplication id."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Any

from app.bullmq import payload
from app.bullmq.dependencies import ChildrenKind, Dependencies, DependenciesCount, Page, Pages
from app.bullmq.errors import JobNotFoundError, ParentError
from app.bullmq.script_caller import ScriptCaller, load
from app.redis.pipelined import Argument

REMOVE_CHILD_DEPENDENCY = load("remove_child_dependency")
REMOVE_DEDUPLICATION_KEY = load("remove_deduplication_key")
REMOVE_UNPROCESSED_CHILDREN = load("remove_unprocessed_children")

_SCANS: dict[ChildrenKind, tuple[str, str, str]] = {
    "processed": ("processed", "HSCAN", "HLEN"),
    "pending": ("dependencies", "SSCAN", "SCARD"),
}
# What one command may hold up everybody else for.
_CHILDREN_A_SCAN = 1_000


class FamilyScripts(ScriptCaller):
    """Of one queue; the keys of children may be other queues'."""

    __slots__ = ()

    async def dependencies(self, job_id: str) -> Dependencies:
        """All children of a job, at one moment: the four reads leave in one write."""
        key = self.keys.of(job_id)
        processed, unprocessed, ignored, failed = await self.connection.together(
            ("HGETALL", f"{key}:processed"),
            ("SMEMBERS", f"{key}:dependencies"),
            ("HGETALL", f"{key}:failed"),
            ("ZRANGE", f"{key}:unsuccessful", 0, -1),
        )
        return Dependencies(
            {child: payload.decode(value) for child, value in _pairs(processed)},
            [child.decode() for child in unprocessed],
            {child: value.decode("utf-8", "replace") for child, value in _pairs(ignored)},
            [child.decode() for child in failed],
        )

    async def dependency_pages(self, job_id: str, pages: Pages) -> Dependencies:
        """Some of them; the reads leave in one write."""
        key = self.keys.of(job_id)
        scans = {
            "processed": ("HSCAN", f"{key}:processed", pages.processed),
            "unprocessed": ("SSCAN", f"{key}:dependencies", pages.unprocessed),
            "ignored": ("HSCAN", f"{key}:failed", pages.ignored),
        }
        commands: dict[str, tuple[Argument, ...]] = {
            kind: (command, scanned, page.cursor, "COUNT", page.count)
            for kind, (command, scanned, page) in scans.items()
            if page is not None
        }
        replies, failed = await asyncio.gather(
            self.connection.together(*commands.values()), self._failed_page(f"{key}:unsuccessful", pages.failed)
        )
        found: dict[str, Any] = dict.fromkeys(scans) | dict(zip(commands, replies, strict=True))
        cursors = {kind: None if reply is None else int(reply[0]) for kind, reply in found.items()}
        return Dependencies(
            {child: payload.decode(value) for child, value in _pairs(_page(found["processed"]))},
            [child.decode() for child in dict.fromkeys(_page(found["unprocessed"]))],
            {child: value.decode("utf-8", "replace") for child, value in _pairs(_page(found["ignored"]))},
            [child.decode() for child in failed[1]],
            next_processed_cursor=cursors["processed"],
            next_unprocessed_cursor=cursors["unprocessed"],
            next_ignored_cursor=cursors["ignored"],
            next_failed_cursor=failed[0],
        )

    async def children_between(
        self, job_id: str, kind: ChildrenKind, start: int, end: int
    ) -> tuple[dict[str, bytes | None], int]:
        """Children `start` to `end`, both included, -1 for the last, with what they returned; and how many there are.

        They are in no order, but in the same one while none comes or goes.
        """
        suffix, scan, count = _SCANS[kind]
        key = f"{self.keys.of(job_id)}:{suffix}"
        total = int(await self.connection.execute(count, key))
        found: dict[str, bytes | None] = {}
        cursor = 0
        while True:
            cursor, flat = await self.connection.execute(scan, key, cursor, "COUNT", _CHILDREN_A_SCAN)
            cursor = int(cursor)
            found |= dict(_pairs(flat)) if kind == "processed" else {child.decode(): None for child in flat}
            if cursor == 0 or 0 <= end < len(found):
                break
        wanted = islice(found.items(), start, end + 1 if end >= 0 else None)
        return dict(wanted), total

    async def _failed_page(self, key: str, page: Page | None) -> tuple[int | None, list[bytes]]:
        """They are in order, so a cursor is a place."""
        if page is None:
            return None, []
        end = page.cursor + page.count
        # One more than is asked for, to know whether there is.
        children: list[bytes] = await self.connection.execute("ZRANGE", key, page.cursor, end)
        return (end if len(children) > page.count else 0), children[: page.count]

    async def dependencies_count(self, job_id: str) -> DependenciesCount:
        """How many there are; costs the same however many."""
        key = self.keys.of(job_id)
        return DependenciesCount(
            *await self.connection.together(
                ("HLEN", f"{key}:processed"),
                ("SCARD", f"{key}:dependencies"),
                ("HLEN", f"{key}:failed"),
                ("ZCARD", f"{key}:unsuccessful"),
            )
        )

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


def _page(reply: Sequence[Any] | None) -> list[bytes]:
    return [] if reply is None else list(reply[1])
