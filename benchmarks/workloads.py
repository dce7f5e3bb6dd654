"""What is measured: each workload as orders to a producer and to a worker."""

from dataclasses import dataclass

RATE, WORKER_US, REDIS_US = "jobs_per_s", "worker_us", "redis_us"
"""Jobs a second; CPU a job of the process that is measured, and of Redis, microseconds."""
RSS_MB, BYTES = "rss_mb", "bytes_a_job"
"""The measured process's peak memory; what a waiting job takes in Redis."""
P50_MS, P99_MS = "p50_ms", "p99_ms"
"""From before `add` to the start of the handler."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the tables."""

    name: str
    title: str
    kind: str
    """`drain`: a worker empties a queue; `add`, `bulk`: a producer fills one; `pace`: both, one job at a time."""
    shown: str = RATE
    concurrency: int = 100
    keep: bool = False
    handler_ms: int = 0
    jobs: int = 0
    """When not `--jobs`."""
    backlog: int = 0
    """Jobs in the queue when counting begins, at least."""
    prioritised: bool = False
    scales: bool = True
    """Slow peers are given fewer jobs."""

    @property
    def bullmq_only(self) -> bool:
        return self.backlog > 0

    @property
    def lower_is_better(self) -> bool:
        return self.shown in (P50_MS, P99_MS)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("drain-100", "drain, concurrency 100", "drain"),
        Workload("drain-10", "drain, concurrency 10", "drain", concurrency=10),
        Workload("drain-1", "drain, concurrency 1", "drain", concurrency=1),
        Workload("kept-100", "drain, completed jobs kept", "drain", keep=True),
        Workload("sleep-100", "handler awaits 10 ms, concurrency 100", "drain", handler_ms=10),
        Workload("add", "added one after the other", "add", concurrency=1, jobs=5_000),
        Workload("bulk", "added in bulk", "bulk", concurrency=1),
        Workload("latency", "pickup of one job every 20 ms", "pace", P50_MS, concurrency=1, jobs=200, scales=False),
        Workload("backlog-5k", "first 5,000 off a backlog of 5,000", "drain", jobs=5_000, backlog=5_000),
        Workload("backlog-300k", "first 5,000 off a backlog of 300,000", "drain", jobs=5_000, backlog=300_000),
        Workload("backlog-1m", "first 5,000 off a backlog of 1,000,000", "drain", jobs=5_000, backlog=1_000_000),
        Workload(
            "priority-1k", "prioritised adds, 1,000 waiting", "add",
            concurrency=1, jobs=2_000, backlog=1_000, prioritised=True,
        ),
        Workload(
            "priority-100k", "prioritised adds, 100,000 waiting", "add",
            concurrency=1, jobs=2_000, backlog=100_000, prioritised=True,
        ),
    )
}  # fmt: skip


def chosen(names: str) -> list[Workload]:
    """The workloads of a comma-separated list; empty: all.

    Raises:
        KeyError: there is none of that name.
    """
    return [WORKLOADS[name.strip()] for name in names.split(",")] if names.strip() else list(WORKLOADS.values())
