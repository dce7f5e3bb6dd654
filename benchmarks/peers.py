"""Who is measured: how each is started, what it promises, and which workloads it has no way to run."""

from dataclasses import dataclass, field

AT_LEAST_ONCE = "at least once"
AT_MOST_ONCE = "at most once"
BASE = "bullmq"
"""Ratios are to this one."""

_NO_BULK = "has no call that adds many jobs"
_BULLMQ_ONLY = "measured for ours and npm bullmq only"
_POLLS = "takes as many jobs as handlers from each poll, every 0.5 s: 2 jobs/s here"
_ONE_JOB = "its worker process runs one job at a time"


@dataclass(frozen=True, slots=True)
class Peer:
    """A library in one way of using it."""

    name: str
    title: str
    module: str
    """Of benchmarks/adapters; `.mjs`: a program for Node."""
    guarantee: str
    why: str
    """What that rests on: as its docs or source say."""
    environment: str = ""
    """Its file in benchmarks/requirements; none: the project's own environment."""
    arguments: tuple[str, ...] = ()
    concurrencies: tuple[int, ...] = (100, 10, 1)
    warm: int = 1_000
    """Jobs before those that count."""
    share: float = 1.0
    """Of `--jobs`: a slow peer is given fewer, which its rate does not depend on."""
    is_bullmq: bool = False
    """Its jobs lie in Redis as BullMQ's do: what is left can be checked, and backlogs and priorities are measured."""
    lacks: dict[str, str] = field(default_factory=dict)
    """Workload -> why it is not run."""

    def lack(self, workload: str, concurrency: int, *, bullmq_only: bool) -> str | None:
        """Why this peer does not run that workload; nothing when it does."""
        if workload in self.lacks:
            return self.lacks[workload]
        if bullmq_only and not self.is_bullmq:
            return _BULLMQ_ONLY
        return None if concurrency in self.concurrencies else _ONE_JOB


_LOCKS = "a job has a lock that is renewed; a stalled one goes back to wait"

PEERS = {
    peer.name: peer
    for peer in (
        Peer("bullworks", "Bullworks", "bullworks", AT_LEAST_ONCE, _LOCKS, warm=2_000, is_bullmq=True),
        Peer(
            "bullworks-fast", "Bullworks, extra `fast`", "bullworks", AT_LEAST_ONCE, _LOCKS,
            arguments=("--fast",), warm=2_000, is_bullmq=True,
        ),
        # V8 has compiled what is hot after some 20,000 jobs; a cold Node looks half as fast
        Peer("bullmq", "npm bullmq", "bullmq.mjs", AT_LEAST_ONCE, _LOCKS, warm=20_000, is_bullmq=True),
        Peer(
            "bullmq-py", "PyPI bullmq, a pool", "bullmq_py", AT_LEAST_ONCE, _LOCKS,
            environment="bullmq-py", arguments=("--pool",), share=0.5,
        ),
        Peer(
            "bullmq-py-url", "PyPI bullmq, a URL", "bullmq_py", AT_LEAST_ONCE, _LOCKS,
            environment="bullmq-py", share=0.25,
        ),
        Peer(
            "taskiq", "taskiq-redis, streams", "taskiq", AT_LEAST_ONCE,
            "acknowledged after the task; XAUTOCLAIM after `idle_timeout`", environment="taskiq", share=0.5,
            lacks={"bulk": _NO_BULK},
        ),
        Peer(
            "dramatiq", "dramatiq", "dramatiq", AT_LEAST_ONCE, "acknowledged after the actor; else requeued",
            environment="dramatiq", share=0.5, lacks={"bulk": _NO_BULK},
        ),
        Peer(
            "arq", "arq", "arq", AT_LEAST_ONCE, "a job stays queued until it ended, guarded by a key with a TTL",
            environment="arq", share=0.25, warm=100, lacks={"bulk": _NO_BULK, "drain-1": _POLLS, "latency": _POLLS},
        ),
        Peer(
            "saq", "saq", "saq", AT_LEAST_ONCE, "a sweeper requeues a stuck one, given `retries` of 2 or more",
            environment="saq", share=0.25, lacks={"bulk": _NO_BULK},
        ),
        Peer(
            "streaq", "streaq", "streaq", AT_LEAST_ONCE, "a stream, acknowledged after the task; idle: claimed",
            environment="streaq", share=0.25,
        ),
        Peer(
            "celery", "celery, threads", "celery", AT_MOST_ONCE, "acknowledged before the task, by default",
            environment="celery", share=0.25, lacks={"bulk": _NO_BULK},
        ),
        Peer(
            "rq", "rq, SimpleWorker", "rq", AT_MOST_ONCE, "a dead worker's job is moved to `failed`",
            environment="rq", share=0.1, concurrencies=(1,),
        ),
        Peer(
            "huey", "huey, threads", "huey", AT_MOST_ONCE, "popped from a list before the task",
            environment="huey", share=0.25, lacks={"bulk": _NO_BULK},
        ),
    )
}  # fmt: skip


def chosen(names: str) -> list[Peer]:
    """The peers of a comma-separated list; empty: all.

    Raises:
        KeyError: there is none of that name.
    """
    return [PEERS[name.strip()] for name in names.split(",")] if names.strip() else list(PEERS.values())
