"""QueueCounts: how many jobs a queue has, had, and gets through."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.job.state import ALL_STATES, FINISHED_STATES, FinishedState, ListedState, checked_suffix
from bullworks.bullmq.options.job import CHECKS
from bullworks.bullmq.scripts.scripts import Scripts


@dataclass(frozen=True, slots=True)
class Metrics:
    """Completed or failed jobs per minute, as counted by workers with the option `metrics`.

    Attributes:
        total: all of them.
        data: of each minute that is over, the newest first, as many as were asked for; one in which nothing ended,
            and that no later job has closed, is not there yet.
        count: how many minutes there are in all.
        prev_total, prev_at_ms: the total when the newest of them was closed, and when that was; None means none was.
    """

    total: int
    data: list[int]
    count: int
    prev_total: int
    prev_at_ms: int | None


class QueueCounts:
    """The counting methods of Queue. All raise ServerError, ConnectionLostError and ConnectError, as `add` does."""

    name: str
    scripts: Scripts

    async def get_job_count_by_types(self, *states: ListedState) -> int:
        """Count the jobs in the given states together, or in all states without arguments.

        Raises:
            InvalidOptionError: an unknown state.
        """
        asked = dict.fromkeys(states or ALL_STATES)
        return sum(await self.scripts.count_jobs([checked_suffix(state) for state in asked]))

    async def get_waiting_count(self) -> int:
        """Count the jobs that wait without a priority; jobs that BullMQ 5 left in `paused` count after `resume`."""
        return await self.get_job_count_by_types("waiting")

    async def get_active_count(self) -> int:
        """Count the jobs that workers are processing."""
        return await self.get_job_count_by_types("active")

    async def get_prioritized_count(self) -> int:
        """Count the jobs that wait with a priority."""
        return await self.get_job_count_by_types("prioritized")

    async def get_delayed_count(self, timestamp: int | None = None) -> int:
        """Count the delayed jobs.

        Args:
            timestamp: only those that are due before it, ms since the epoch.
        """
        if timestamp is None:
            return await self.get_job_count_by_types("delayed")
        CHECKS["timestamp"]("timestamp", timestamp)
        return await self.scripts.count_due_before(timestamp)

    async def get_waiting_children_count(self) -> int:
        """Count the jobs that wait for their children."""
        return await self.get_job_count_by_types("waiting-children")

    async def get_completed_count(self) -> int:
        """Count the stored completed jobs."""
        return await self.get_job_count_by_types("completed")

    async def get_failed_count(self) -> int:
        """Count the stored jobs that failed for good."""
        return await self.get_job_count_by_types("failed")

    async def get_counts_per_priority(self, priorities: Iterable[int]) -> dict[int, int]:
        """Count the waiting jobs of each given priority; 0 means without a priority.

        Raises:
            InvalidOptionError: a priority out of range.
        """
        asked = list(dict.fromkeys(priorities))
        for priority in asked:
            CHECKS["priority"]("priority", priority)
        return dict(zip(asked, await self.scripts.count_priorities(asked), strict=True)) if asked else {}

    async def get_metrics(self, kind: FinishedState, start: int = 0, end: int = -1) -> Metrics:
        """Read how many jobs completed, or failed, in each of the last minutes.

        Args:
            start, end: of the minutes that are over, 0 the newest, both included, -1 the oldest.

        Raises:
            InvalidOptionError: another kind.
        """
        if kind not in FINISHED_STATES:
            raise InvalidOptionError("kind", f"must be 'completed' or 'failed', not {kind!r}")
        totals, points, count = await self.scripts.read_metrics(kind, start, end)
        return Metrics(totals.get("count", 0), points, count, totals.get("prevCount", 0), totals.get("prevTS"))

    async def export_prometheus_metrics(self, labels: Mapping[str, str | int] | None = None) -> str:
        """Export job counts of all states, and of finished jobs, in Prometheus' text format, named as in BullMQ.

        Args:
            labels: of every line, besides queue and state.
        """
        counts, completed, failed = await asyncio.gather(
            self.scripts.count_jobs([checked_suffix(state) for state in ALL_STATES]),
            self.get_metrics("completed", 0, 0),
            self.get_metrics("failed", 0, 0),
        )
        by_state: dict[str, int] = dict(zip(ALL_STATES, counts, strict=True))
        return exposition(self.name, by_state, completed.total, failed.total, labels or {})


def exposition(
    queue: str, counts: Mapping[str, int], completed: int, failed: int, labels: Mapping[str, str | int]
) -> str:
    """Format one gauge per state, and the counters of completed and of failed jobs.

    Args:
        labels: of every line; they come after `queue` and `state`.
    """
    lines = [
        "# HELP bullmq_job_count Number of jobs in the queue by state",
        "# TYPE bullmq_job_count gauge",
        *(line("bullmq_job_count", {"queue": queue, "state": state, **labels}, n) for state, n in counts.items()),
    ]
    for kind, total in (("completed", completed), ("failed", failed)):
        lines += (
            f"# HELP bullmq_job_{kind}_total Total number of {kind} jobs",
            f"# TYPE bullmq_job_{kind}_total counter",
            line(f"bullmq_job_{kind}_total", {"queue": queue, **labels}, total),
        )
    return "\n".join(lines)


def line(name: str, labels: Mapping[str, str | int], value: int) -> str:
    """One value in Prometheus' text format."""
    shown = ", ".join(f'{label}="{_escape(str(text))}"' for label, text in labels.items())
    return f"{name}{{{shown}}} {value}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
