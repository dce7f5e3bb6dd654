"""One peer through one workload once: figures, or why there are none."""

import math
import statistics
from typing import Any

from benchmarks.peers import Peer
from benchmarks.program import Program
from benchmarks.redis_process import RedisProcess
from benchmarks.results import Figures
from benchmarks.side import LeftoverError, backlog_of, side_by_side
from benchmarks.workloads import (
    BYTES,
    JOBS,
    P50_MS,
    P99_MS,
    RATE,
    REDIS_US,
    RSS_MB,
    SCRIPT_US,
    SECONDS,
    WORKER_US,
    Workload,
)

_QUEUE = "bench"
_GAP_MS = 20
_LEAST_JOBS = 20


def measure(
    server: RedisProcess,
    peer: Peer,
    workload: Workload,
    *,
    jobs: int,
    warm: int,
    producer: Program,
    worker_command: list[str],
    filler: Program | None = None,
) -> list[Figures]:
    """Run it on an empty server, as often as the workload repeats.

    Args:
        jobs: that count.
        warm: that come before them.
        producer: the peer's.
        worker_command: starts the peer's worker.
        filler: makes backlogs; a producer with the same layout in Redis.

    Raises:
        ProgramError: an adapter ended or did not answer.
        LeftoverError: see there.
    """
    server.flush()
    order: dict[str, Any] = {
        "url": server.url,
        "queue": _QUEUE,
        "keep": workload.keep,
        "concurrency": workload.concurrency,
        "handler_ms": workload.handler_ms,
        "burn_us": workload.burn_us,
        "prioritised": workload.prioritised,
    }
    if workload.kind in ("add", "bulk"):
        return [_produced(server, peer, workload, order, jobs, warm, producer, filler or producer)]
    # at least one: it tells that the worker is there
    warm = max(warm, 1)
    if workload.kind == "pace":
        return [_paced(server, peer, order, jobs, warm, producer, worker_command)]
    if workload.kind == "side":
        count = workload.processes
        _ask(filler or producer, {**order, "do": "fill", "jobs": backlog_of(count, jobs, warm)})
        return [side_by_side(server, order, jobs, warm, worker_command, count)]
    filled = warm + max(jobs, workload.backlog)
    figures = {BYTES: _fill(server, filler or producer, order, filled, jobs)}
    samples = []
    for number in range(workload.repeats):
        if number:
            _ask(filler or producer, {**order, "do": "fill", "jobs": filled - server.bullmq_counts(_QUEUE)["waiting"]})
        samples.append(figures | _drained(server, order, jobs, warm, worker_command))
        if peer.is_bullmq:
            _check(server, filled, warm + jobs, keeps=workload.keep)
    return samples


def _drained(server: RedisProcess, order: dict[str, Any], jobs: int, warm: int, worker_command: list[str]) -> Figures:
    with Program(worker_command) as worker:
        worker.order(**order, do="work", jobs=jobs, warm=warm)
        worker.answer("ready")
        redis_s, script_us = server.cpu_s(), server.script_us()
        done = worker.answer("done")
        redis_s, script_us = server.cpu_s() - redis_s, server.script_us() - script_us
    return _figures(done, jobs, redis_s) | {SCRIPT_US: script_us / jobs, RATE: jobs / done["seconds"]}


def _paced(
    server: RedisProcess,
    peer: Peer,
    order: dict[str, Any],
    jobs: int,
    warm: int,
    producer: Program,
    worker_command: list[str],
) -> Figures:
    """The warm-up is adds, one awaited after the other, to a worker that waits: what is measured, but in a hurry."""
    with Program(worker_command) as worker:
        worker.order(**order, do="work", jobs=jobs, warm=warm)
        _ask(producer, {**order, "do": "add", "jobs": warm})
        worker.answer("ready")
        redis_s = server.cpu_s()
        _ask(producer, {**order, "do": "pace", "jobs": jobs, "gap_ms": _GAP_MS})
        done = worker.answer("done")
        redis_s = server.cpu_s() - redis_s
    if peer.is_bullmq:
        _check(server, warm + jobs, warm + jobs, keeps=False)
    # those of the warm-up were not timed
    late_ms = done["late_ms"]
    return _figures(done, jobs, redis_s) | {P50_MS: statistics.median(late_ms), P99_MS: percentile(late_ms, 0.99)}


def _figures(done: dict[str, Any], jobs: int, redis_s: float) -> Figures:
    """What a process and the server used a job, of what the process said."""
    return {
        JOBS: jobs,
        SECONDS: done["seconds"],
        WORKER_US: done["cpu_s"] / jobs * 1e6,
        REDIS_US: redis_s / jobs * 1e6,
        RSS_MB: done["rss_mb"],
    }


def _produced(
    server: RedisProcess,
    peer: Peer,
    workload: Workload,
    order: dict[str, Any],
    jobs: int,
    warm: int,
    producer: Program,
    filler: Program,
) -> Figures:
    if workload.backlog:
        # elsewhere, so that the backlog is what its name says
        _ask(producer, {**order, "queue": "warm", "do": workload.kind, "jobs": max(warm, 1)})
        _ask(filler, {**order, "do": "fill", "jobs": workload.backlog})
        warm = 0
    producer.order(**order, do=workload.kind, jobs=jobs, warm=warm)
    producer.answer("ready")
    redis_s = server.cpu_s()
    done = producer.answer("done")
    redis_s = server.cpu_s() - redis_s
    if peer.is_bullmq:
        _check(server, workload.backlog + warm + jobs, 0, keeps=workload.keep)
    return _figures(done, jobs, redis_s) | {RATE: jobs / done["seconds"]}


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(len(ordered) * share) - 1))]


def jobs_of(peer: Peer, workload: Workload, jobs: int) -> int:
    """How many count, of `--jobs`; a workload's own number is never exceeded either."""
    wanted = min(workload.jobs or jobs, jobs)
    return max(_LEAST_JOBS, round(wanted * peer.shares.get(workload.name, peer.share) if workload.scales else wanted))


def _fill(server: RedisProcess, filler: Program, order: dict[str, Any], filled: int, weighed: int) -> float:
    """Fill the queue; what each of the first `weighed` jobs takes in Redis, bytes."""
    # the peer's scripts are loaded before anything is weighed
    _ask(filler, {**order, "do": "fill", "jobs": 1})
    server.flush()
    before = server.memory_bytes()
    weighed = min(weighed, filled)
    _ask(filler, {**order, "do": "fill", "jobs": weighed})
    taken = server.memory_bytes() - before
    if filled > weighed:
        _ask(filler, {**order, "do": "fill", "jobs": filled - weighed})
    return taken / weighed


def _ask(program: Program, order: dict[str, Any]) -> None:
    program.order(**order)
    program.answer("ready")
    program.answer("done")


def _check(server: RedisProcess, added: int, handled: int, *, keeps: bool) -> None:
    counts = server.bullmq_counts(_QUEUE)
    meant = {"waiting": added - handled, "active": 0, "completed": handled if keeps else 0, "failed": 0}
    # a worker that was told to close may have begun a few more
    begun = meant["waiting"] - counts["waiting"]
    if keeps:
        meant["completed"] += begun
    meant["waiting"] -= begun
    if counts != meant or not 0 <= begun <= added - handled:
        raise LeftoverError(f"{handled} of {added} jobs were handled, but there are {counts}")
