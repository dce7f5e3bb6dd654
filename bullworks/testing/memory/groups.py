"""What a harness knows of groups: whose turn it is. Their limits are not simulated."""

from math import floor
from typing import NoReturn

from bullworks.bullmq.scripts.group import GroupScripts
from bullworks.bullmq.wire import codec
from bullworks.testing.errors import NotSimulatedError
from bullworks.testing.memory.job import MemoryJob

# Priorities of rounds begin there, as in lua/lib/group_rank.lua.
_FIRST_ROUND = 2
_ENDED = frozenset({"completed", "failed"})


class MemoryRounds:
    """The turns of groups, as lua/lib/group_rank.lua gives them; priorities do not end here."""

    def __init__(self) -> None:
        self._now: float = 0
        self._origin = -_FIRST_ROUND
        self._next: dict[str, float] = {}
        self._members: dict[str, set[str]] = {}

    def join(self, job: MemoryJob, lowest: MemoryJob | None) -> None:
        """Give a job its group's next round as priority; one without a group keeps what it has.

        Args:
            lowest: of the jobs that wait with a priority the next one.
        """
        group = job.text(codec.GROUP)
        if not group:
            return
        if lowest is None:
            self._now = floor(max([self._now, *self._next.values()]))
            self._origin = self._now - _FIRST_ROUND
        elif lowest.text(codec.GROUP):
            self._now = max(self._now, lowest.number(codec.PRIORITY) + self._origin)
        round_ = max(self._now, self._next.get(group, 0.0))
        self._next[group] = round_ + 1 / float(job.text(codec.GROUP_WEIGHT) or 1)
        job.fields[codec.PRIORITY] = b"%d" % (floor(round_ + 1e-6) - self._origin)

    def moved(self, job: MemoryJob, state: str | None) -> None:
        """A job came to a line, or is gone; with a group's last one that has not ended its turns are forgotten."""
        group = job.text(codec.GROUP)
        if not group:
            return
        members = self._members.setdefault(group, set())
        if state is not None and state not in _ENDED:
            members.add(job.id)
            return
        members.discard(job.id)
        if not members:
            self._next.pop(group, None)
            del self._members[group]


class MemoryGroupScripts(GroupScripts):
    """Refuses what a harness does not know of groups, by name."""

    async def store_limits(self, group: str, limits: bytes) -> None:  # noqa: ARG002 - as GroupScripts has it
        self._refuse("limits of groups (set_group_limits)")

    async def remove_limits(self, group: str) -> bool:  # noqa: ARG002
        self._refuse("limits of groups (remove_group_limits)")

    async def read_limits(self, group: str) -> bytes | None:  # noqa: ARG002
        self._refuse("limits of groups (get_group_limits)")

    async def pause_group(self, group: str) -> None:  # noqa: ARG002
        self._refuse("pausing a group")

    async def resume_group(self, group: str) -> None:  # noqa: ARG002
        self._refuse("resuming a group")

    async def is_group_paused(self, group: str) -> bool:  # noqa: ARG002
        self._refuse("pausing a group")

    async def count_groups(self) -> int:
        self._refuse("listing groups (get_groups_count)")

    async def groups(self, start: int, end: int) -> list[str]:  # noqa: ARG002
        self._refuse("listing groups (get_groups, tidy_groups)")

    async def group_ids(self, group: str, start: int, end: int) -> list[str]:  # noqa: ARG002
        self._refuse("listing groups (get_group_jobs)")

    async def look_at_group(self, group: str) -> tuple[list[int], int]:  # noqa: ARG002
        self._refuse("counting groups (get_group_counts)")

    def _refuse(self, what: str) -> NoReturn:
        raise NotSimulatedError(self.keys.name, what)
