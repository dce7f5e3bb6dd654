"""Who is measured: how each is started, what it promises, and which workloads it has no way to run."""

from dataclasses import dataclass, field

AT_LEAST_ONCE = "at least once"
AT_MOST_ONCE = "at most once"
BASE = "bullmq"
"""Ratios are to this one."""

_NO_BULK = "no call that adds many jobs"
_BULLMQ_ONLY = "measured for ours and npm bullmq only"
_POLLS = "takes as many jobs as handlers from each poll, every 0.5 s: 2 jobs/s here"
_ONE_JOB = "its worker process runs one job at a time"
_SAME = "the scripts are those of Bullworks without it"


@dataclass(frozen=True, slots=True)
class Peer:
    """A library in one way of using it."""

    name: str
    title: str
    module: str
    """Of benchmarks/adapters; `.mjs`: a program for Node."""
    guarantee: str
    """When its worker is killed in a handler, as the adapter sets it up."""
    why: str
    """What decides that, in the sources of the installed version."""
    environment: str = ""
    """Its file in benchmarks/requirements; none: the project's own environment."""
    arguments: tuple[str, ...] = ()
    concurrencies: tuple[int, ...] = (100, 10, 1)
    warm: int = 1_000
    """Jobs before those that count."""
    share: float = 1.0
    """Of `--jobs`: a slow peer is given fewer, enough for some two seconds."""
    shares: dict[str, float] = field(default_factory=dict)
    """Workload -> the same, where its rate is another."""
    is_bullmq: bool = False
    """Its jobs lie in Redis as BullMQ's do: what is left can be checked, and backlogs and priorities are measured."""
    is_async: bool = True
    """Its adds are awaited."""
    lacks: dict[str, str] = field(default_factory=dict)
    """Workload -> why it is not run."""

    @property
    def is_ours(self) -> bool:
        return self.module == "bullworks"

    def lack(self, workload: str, concurrency: int, *, bullmq_only: bool) -> str | None:
        """Why this peer does not run that workload; nothing when it does."""
        if workload in self.lacks:
            return self.lacks[workload]
        if bullmq_only and not self.is_bullmq:
            return _BULLMQ_ONLY
        return None if concurrency in self.concurrencies else _ONE_JOB


_LOCKS = "a lock that is renewed (`lockDuration` 30 s); a stalled job goes back to wait (`maxStalledCount` 1)"
_GROWTH = ("backlog-5k", "backlog-300k", "backlog-1m", "priority-1k", "priority-100k")

PEERS = {
    peer.name: peer
    for peer in (
        Peer("bullworks", "Bullworks", "bullworks", AT_LEAST_ONCE, _LOCKS, warm=2_000, is_bullmq=True),
        Peer(
            "bullworks-fast", "Bullworks, extra `fast`", "bullworks", AT_LEAST_ONCE, _LOCKS,
            arguments=("--fast",), warm=2_000, is_bullmq=True, lacks=dict.fromkeys(_GROWTH, _SAME),
        ),
        # V8 has compiled what is hot after some 20,000 jobs; a cold Node looks half as fast
        Peer("bullmq", "npm bullmq", "bullmq.mjs", AT_LEAST_ONCE, _LOCKS, warm=20_000, is_bullmq=True),
        Peer(
            "bullmq-py", "PyPI bullmq, a pool", "bullmq_py", AT_LEAST_ONCE, _LOCKS,
            environment="bullmq-py", arguments=("--pool",), share=0.5, shares={"drain-1": 0.2},
        ),
        Peer(
            "bullmq-py-url", "PyPI bullmq, a URL", "bullmq_py", AT_LEAST_ONCE, _LOCKS,
            environment="bullmq-py", share=0.25,
        ),
        Peer(
            "taskiq", "taskiq-redis, streams", "taskiq", AT_LEAST_ONCE,
            "XACK when the task has ended (`AcknowledgeType.WHEN_SAVED`, its default); XAUTOCLAIM after `idle_timeout` "
            "(10 min)",
            environment="taskiq", share=0.5, shares={"kept-100": 0.25}, lacks={"bulk": _NO_BULK},
        ),
        Peer(
            "dramatiq", "dramatiq", "dramatiq", AT_LEAST_ONCE,
            "acknowledged after the actor (`post_process_message`); dispatch.lua requeues what a worker held that sent "
            "no heartbeat for `heartbeat_timeout` (60 s), by chance (`maintenance_chance`)",
            environment="dramatiq", share=0.5, shares={"drain-1": 0.03}, is_async=False, lacks={"bulk": _NO_BULK},
        ),
        Peer(
            "arq", "arq", "arq", AT_LEAST_ONCE,
            "ZREM only when the job has ended; its in-progress key has a TTL of `job_timeout` + 10 s; `max_tries` 5",
            environment="arq", share=0.1, shares={"drain-10": 0.025}, warm=100,
            lacks={"bulk": _NO_BULK, "drain-1": _POLLS, "latency": _POLLS},
        ),
        Peer(
            "saq", "saq", "saq", AT_LEAST_ONCE,
            "`sweep` retries an active job that outlived `timeout` (10 s), as the adapter sets `retries=2` (its "
            "default, 1, is at most once)",
            environment="saq", share=0.3, shares={"drain-1": 0.1}, lacks={"bulk": _NO_BULK},
        ),
        Peer(
            "streaq", "streaq", "streaq", AT_LEAST_ONCE,
            "XACK when the task has ended; an entry idle for `idle_timeout` (60 s) is claimed by another worker; "
            "`max_tries` 3",
            environment="streaq", share=0.2,
        ),
        Peer(
            "celery", "celery, threads", "celery", AT_MOST_ONCE,
            "`task_acks_late` is False by default: acknowledged as the pool accepts the task (`on_accepted`); "
            "`visibility_timeout` (1 h) restores only what was not yet accepted",
            environment="celery", share=0.15, is_async=False, lacks={"bulk": _NO_BULK},
        ),
        Peer(
            "rq", "rq, SimpleWorker", "rq", AT_MOST_ONCE,
            "`StartedJobRegistry.cleanup` moves an abandoned job to `failed`, as there is no `Retry` by default",
            environment="rq", share=0.03, concurrencies=(1,), warm=200, is_async=False,
        ),
        Peer(
            "huey", "huey, threads", "huey", AT_MOST_ONCE,
            "`RedisStorage.dequeue` is a BRPOP: the task is gone from Redis before it runs",
            environment="huey", share=0.25, is_async=False, lacks={"bulk": _NO_BULK},
        ),
    )
}  # fmt: skip


def chosen(names: str) -> list[Peer]:
    """The peers of a comma-separated list; empty: all.

    Raises:
        KeyError: there is none of that name.
    """
    return [PEERS[name.strip()] for name in names.split(",")] if names.strip() else list(PEERS.values())
