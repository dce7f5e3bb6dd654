"""What is measured: each workload as orders to a producer and to a worker."""

from dataclasses import dataclass

from benchmarks.peers import BASE, Peer

RATE, WORKER_US, REDIS_US = "jobs_per_s", "worker_us", "redis_us"
"""Jobs a second; CPU a job of the process that is measured, and of Redis, microseconds."""
SCRIPT_US = "script_us"
"""Time in EVALSHA a job as Redis counts it, microseconds: for those whose every step is a script."""
RSS_MB, BYTES = "rss_mb", "bytes_a_job"
"""The measured process's peak memory; what a waiting job takes in Redis."""
P50_MS, P99_MS = "p50_ms", "p99_ms"
"""From before `add` to the start of the handler."""
JOBS, SECONDS = "jobs", "seconds"
"""How many were measured, and for how long."""

EVERYBODY, NOBODY = "everybody", "nobody"


@dataclass(frozen=True, slots=True)
class Workload:
    """One table of the report."""

    name: str
    title: str
    kind: str
    """`drain`: a worker empties a queue; `add`, `bulk`: a producer fills one; `pace`: both, one job at a time;
    `side`: workers side by side in processes of their own."""
    shown: str = RATE
    concurrency: int = 100
    keep: bool = False
    handler_ms: int = 0
    burn_us: int = 0
    """CPU that a handler burns."""
    processes: int = 1
    jobs: int = 0
    """When not `--jobs`."""
    backlog: int = 0
    """Jobs in the queue when counting begins, at least."""
    prioritised: bool = False
    scales: bool = True
    """Slow peers are given fewer jobs."""
    against: str = BASE
    """Whom a goal compares us with; the others run it in the first round only."""
    takes: int = 1
    """How often a round ours and npm bullmq are measured: what takes half a second is measured thrice."""
    repeats: int = 1
    """How often on a backlog that is filled up between: making a million jobs takes longest."""

    @property
    def bullmq_only(self) -> bool:
        return self.backlog > 0 or self.kind == "side"

    @property
    def lower_is_better(self) -> bool:
        return self.shown in (P50_MS, P99_MS)

    def compares(self, peer: Peer) -> bool:
        """Whether its figures decide about a goal."""
        return peer.is_ours or self.against in (EVERYBODY, peer.name)


def _off_backlog(name: str, backlog: int) -> Workload:
    title = f"first 5,000 off a backlog of {backlog:,}"
    return Workload(name, title, "drain", jobs=5_000, backlog=backlog, against=NOBODY, repeats=5)


def _prioritised(name: str, waiting: int) -> Workload:
    return Workload(
        name, f"prioritised adds, {waiting:,} waiting", "add",
        concurrency=1, jobs=2_000, backlog=waiting, prioritised=True, against=NOBODY, takes=3,
    )  # fmt: skip


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("drain-100", "drain, concurrency 100", "drain", against=EVERYBODY, takes=3),
        Workload("drain-10", "drain, concurrency 10", "drain", concurrency=10, takes=2),
        Workload("drain-1", "drain, concurrency 1", "drain", concurrency=1),
        Workload("kept-100", "drain, completed jobs kept", "drain", keep=True, takes=2),
        Workload("sleep-100", "handler awaits 10 ms, concurrency 100", "drain", handler_ms=10),
        Workload(
            "add", "added one after the other", "add",
            concurrency=1, jobs=5_000, scales=False, against=EVERYBODY, takes=2,
        ),
        Workload("bulk", "added in bulk", "bulk", concurrency=1, scales=False, takes=3),
        Workload(
            "latency", "pickup of one job every 20 ms", "pace", P50_MS,
            concurrency=1, jobs=200, scales=False, against=EVERYBODY,
        ),
        _off_backlog("backlog-5k", 5_000),
        _off_backlog("backlog-300k", 300_000),
        _off_backlog("backlog-1m", 1_000_000),
        _prioritised("priority-1k", 1_000),
        _prioritised("priority-100k", 100_000),
        Workload("one-noop", "no-op, one process", "side"),
        Workload("two-noop", "no-op, two processes", "side", processes=2),
        Workload("one-burn", "1 ms of CPU, one process", "side", burn_us=1_000, jobs=2_000),
        Workload("two-burn", "1 ms of CPU, two processes", "side", burn_us=1_000, jobs=2_000, processes=2),
    )
}  # fmt: skip

GROWTH = {
    "first 5,000 off a backlog": ("backlog-5k", "backlog-300k", "backlog-1m"),
    "prioritised adds": ("priority-1k", "priority-100k"),
}
"""The same at several sizes, smallest first: a job's cost shall not grow."""
SECOND_PROCESS = {"no-op": ("one-noop", "two-noop"), "1 ms of CPU": ("one-burn", "two-burn")}
"""The same by one process and by two."""


def chosen(names: str) -> list[Workload]:
    """The workloads of a comma-separated list; empty: all.

    Raises:
        KeyError: there is none of that name.
    """
    return [WORKLOADS[name.strip()] for name in names.split(",")] if names.strip() else list(WORKLOADS.values())
