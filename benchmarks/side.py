"""Several workers of one queue at once, each a process of its own: what another process brings."""

import contextlib
from typing import Any

from benchmarks.program import Program
from benchmarks.redis_process import RedisProcess
from benchmarks.results import Figures
from benchmarks.workloads import JOBS, RATE, REDIS_US, RSS_MB, SECONDS, WORKER_US

_LEAST_SPARE_JOBS = 5_000  # workers take jobs by the batch, and do not begin at once


class LeftoverError(RuntimeError):
    """Jobs are where none should be: what was measured is not what was meant."""


def backlog_of(processes: int, jobs: int, warm: int) -> int:
    """Enough that no worker is out of jobs before the slowest has counted its own."""
    return processes * (warm + 3 * jobs) + _LEAST_SPARE_JOBS


def side_by_side(
    server: RedisProcess, order: dict[str, Any], jobs: int, warm: int, worker_command: list[str], processes: int
) -> Figures:
    """Each worker counts `jobs` after its warm-up and goes on working until all have; rates add up.

    Raises:
        ProgramError: an adapter ended or did not answer.
        LeftoverError: the queue was empty before the last had counted.
    """
    queue = order["queue"]
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(Program(worker_command)) for _ in range(processes)]
        for worker in workers:
            worker.order(**order, do="work", jobs=jobs, warm=warm, stays=True)
        for worker in workers:
            worker.answer("ready")
        redis_s, waiting = server.cpu_s(), server.bullmq_counts(queue)["waiting"]
        dones = [worker.answer("done") for worker in workers]
        redis_s, left = server.cpu_s() - redis_s, server.bullmq_counts(queue)["waiting"]
    if not left:
        raise LeftoverError(f"the queue was empty before {processes} workers had counted {jobs} jobs each")
    return {
        JOBS: jobs * processes,
        SECONDS: max(done["seconds"] for done in dones),
        RATE: sum(jobs / done["seconds"] for done in dones),
        WORKER_US: sum(done["cpu_s"] for done in dones) / (jobs * processes) * 1e6,
        REDIS_US: redis_s / (waiting - left) * 1e6,
        RSS_MB: sum(done["rss_mb"] for done in dones),
    }
