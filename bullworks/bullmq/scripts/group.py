"""What can be done with the groups of a queue: a typed method for each script."""

from collections.abc import Sequence

from bullworks.bullmq.scripts.caller import ScriptCaller, load

LOOK_AT_GROUP = load("look_at_group")
WAKE_GROUPS = load("wake_groups")

_A_CALL = 500


class GroupScripts(ScriptCaller):
    """Groups by their ids; "" stands for the defaults of all."""

    __slots__ = ()

    async def store_limits(self, group: str, limits: bytes) -> None:
        """Let the group have these limits, as JSON."""
        await self.connection.execute("HSET", self._limits, f"l:{group}", limits)

    async def remove_limits(self, group: str) -> bool:
        """Drop the group's own limits. Returns whether it had some."""
        return bool(await self.connection.execute("HDEL", self._limits, f"l:{group}"))

    async def read_limits(self, group: str) -> bytes | None:
        """The JSON of the group's own limits."""
        stored: bytes | None = await self.connection.execute("HGET", self._limits, f"l:{group}")
        return stored

    async def pause_group(self, group: str) -> None:
        """Let none of its jobs start."""
        await self.connection.execute("HSET", self._limits, f"p:{group}", "1")

    async def resume_group(self, group: str) -> None:
        """Let its jobs start."""
        await self.connection.execute("HDEL", self._limits, f"p:{group}")

    async def is_group_paused(self, group: str) -> bool:
        return bool(await self.connection.execute("HEXISTS", self._limits, f"p:{group}"))

    async def wake_groups(self, groups: Sequence[str]) -> None:
        """Look at the first parked job of each again."""
        for at in range(0, len(groups), _A_CALL):
            await self._run(WAKE_GROUPS, *groups[at : at + _A_CALL])

    async def count_groups(self) -> int:
        """Groups that have jobs."""
        count: int = await self.connection.execute("ZCARD", self.keys.groups)
        return count

    async def groups(self, start: int, end: int) -> list[str]:
        """Groups `start` to `end`, both included, the one whose next round is the lowest first."""
        page = await self.connection.execute("ZRANGE", self.keys.groups, start, end)
        return [group.decode("utf-8", "replace") for group in page]

    async def group_sizes(self, groups: Sequence[str]) -> list[int]:
        """How many jobs each has that have not ended, as far as was told."""
        if not groups:
            return []
        return list(await self.connection.together(*(("ZCARD", self.keys.group(group)) for group in groups)))

    async def group_ids(self, group: str, start: int, end: int) -> list[str]:
        """Ids of its jobs, the next first."""
        page = await self.connection.execute("ZRANGE", self.keys.group(group), start, end)
        return [job_id.decode("utf-8", "replace") for job_id in page]

    async def look_at_group(self, group: str) -> tuple[list[int], int]:
        """Count all jobs of a group by where they are.

        Returns:
            How many wait, are parked, are delayed, are active, and wait for children; how many had ended, and are
            forgotten now.
        """
        totals, dropped, begin, looked = [0] * 5, 0, 0, _A_CALL
        while looked == _A_CALL:
            looked, begin, *counts = await self._run(LOOK_AT_GROUP, group, begin, _A_CALL)
            totals = [total + count for total, count in zip(totals, counts, strict=True)]
            dropped += looked - sum(counts)
        return totals, dropped

    @property
    def _limits(self) -> str:
        return self.keys.group_limits
