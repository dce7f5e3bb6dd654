"""QueueGroups: what the groups of a queue hold, and what each of them may do at most."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Generic

from bullworks.bullmq.job.job import D, Job
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.group import GroupLimits, GroupRate
from bullworks.bullmq.queue.counts import line
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.wire import group_codec

_GROUPS_A_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class GroupSize:
    """A group and how many of its jobs have not ended; jobs that Node ended count until somebody looks."""

    id: str
    jobs: int


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """The jobs of a group that have not ended, by where they are.

    Attributes:
        parked: delayed, since the group's limits let none of them start now.
    """

    waiting: int
    parked: int
    delayed: int
    active: int
    waiting_children: int


class QueueGroups(Generic[D]):
    """The part of Queue about groups. All raise ServerError, ConnectionLostError and ConnectError, as `add` does."""

    name: str
    scripts: Scripts

    async def set_group_limits(
        self,
        group: str | None = None,
        *,
        concurrency: int | None = None,
        rate: GroupRate | None = None,
        max_size: int | None = None,
        weight: float | None = None,
        ordered: bool = False,
    ) -> None:
        """Let workers of this library keep a group to these limits, in place of what was set before.

        They hold in the whole fleet, for jobs that start from now on; workers of other languages do not know them.

        Args:
            group: whose; None: the defaults, for what a group has no limit of its own.
            concurrency: of its jobs that run at once, >= 1.
            rate: {"max", "duration"}: so many starts in any such time; up to 10,000 in up to a day.
            max_size: of its jobs that have not ended, >= 1; `add` raises GroupFullError then.
            weight: of its jobs in a turn, 0.001 .. 1000, where a job does not say.
            ordered: one after the other, each until it has ended: while one waits for its next attempt, no other runs.

        Raises:
            InvalidOptionError: a bad id or limit.
        """
        limits = GroupLimits.of(concurrency=concurrency, rate=rate, max_size=max_size, weight=weight, ordered=ordered)
        await self.scripts.store_limits(_group_or_all(group), group_codec.encode_limits(limits))
        await self._wake(group)

    async def get_group_limits(self, group: str | None = None) -> GroupLimits:
        """The limits that a group has of its own, or the defaults."""
        return group_codec.decode_limits(await self.scripts.read_limits(_group_or_all(group)))

    async def remove_group_limits(self, group: str | None = None) -> bool:
        """Let the defaults hold for a group again, or let there be none. Returns False if none were set."""
        had_some = await self.scripts.remove_limits(_group_or_all(group))
        await self._wake(group)
        return had_some

    async def pause_group(self, group: str) -> None:
        """Let no worker of this library start a job of the group until `resume_group`; those that run go on."""
        await self.scripts.pause_group(checks.text("group", group))

    async def resume_group(self, group: str) -> None:
        """Let its jobs start again, in their order and in turn with other groups."""
        await self.scripts.resume_group(checks.text("group", group))
        await self._wake(group)

    async def is_group_paused(self, group: str) -> bool:
        return await self.scripts.is_group_paused(checks.text("group", group))

    async def get_groups(self, start: int = 0, end: int = 99) -> list[GroupSize]:
        """Groups `start` to `end` that have jobs, both included, the one that has had the least first."""
        groups = await self.scripts.groups(start, end)
        sizes = await self.scripts.group_sizes(groups)
        return [GroupSize(group, jobs) for group, jobs in zip(groups, sizes, strict=True)]

    async def export_prometheus_group_metrics(
        self, start: int = 0, end: int = 99, labels: Mapping[str, str | int] | None = None
    ) -> str:
        """How many jobs each group has that have not ended, in Prometheus' text format: `bullworks_group_job_count`.

        Args:
            start, end: as of `get_groups`: each group is a line, and a time series where it is collected.
            labels: of every line, besides queue and group.
        """
        groups = await self.get_groups(start, end)
        return "\n".join(
            [
                "# HELP bullworks_group_job_count Number of jobs of a group that have not ended",
                "# TYPE bullworks_group_job_count gauge",
                *(
                    line(
                        "bullworks_group_job_count",
                        {"queue": self.name, "group": group.id, **(labels or {})},
                        group.jobs,
                    )
                    for group in groups
                ),
            ]
        )

    async def get_groups_count(self) -> int:
        """How many groups have jobs."""
        return await self.scripts.count_groups()

    async def get_group_counts(self, group: str) -> GroupCounts:
        """Count a group's jobs by where they are; looks at each of them, 500 in a step."""
        counts, _ = await self.scripts.look_at_group(checks.text("group", group))
        return GroupCounts(*counts)

    async def get_group_jobs(self, group: str, start: int = 0, end: int = 99) -> list[Job[D]]:
        """Jobs `start` to `end` of a group that have not ended, both included, in the order of their turns."""
        ids = await self.scripts.group_ids(checks.text("group", group), start, end)
        hashes = await self.scripts.hashes(ids)
        return [
            Job.from_reply(self.scripts, job_id, flat)
            for job_id, flat in hashes
            if flat and not isinstance(flat, Exception)
        ]

    async def tidy_groups(self) -> int:
        """Forget the jobs that workers of other languages have ended, and groups that have no others.

        What this library's workers end is forgotten at once; of the rest each `add` looks at a few. Harmless to repeat.

        Returns:
            How many jobs were forgotten.
        """
        groups = [group async for page in self._pages() for group in page]
        return sum([(await self.scripts.look_at_group(group))[1] for group in groups])

    async def _wake(self, group: str | None) -> None:
        """Look again at what a limit had parked."""
        if group is not None:
            await self.scripts.wake_groups([group])
            return
        async for page in self._pages():
            await self.scripts.wake_groups(page)

    async def _pages(self) -> AsyncIterator[list[str]]:
        start = 0
        while page := await self.scripts.groups(start, start + _GROUPS_A_PAGE - 1):
            yield page
            start += _GROUPS_A_PAGE


def _group_or_all(group: str | None) -> str:
    return "" if group is None else checks.text("group", group)
