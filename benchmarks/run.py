"""All chosen peers through all chosen workloads, taking turns, on a server of their own."""

import contextlib
import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.environments import command_of
from benchmarks.measure import LeftoverError, jobs_of, measure
from benchmarks.peers import PEERS, Peer
from benchmarks.program import Program, ProgramError
from benchmarks.redis_process import RedisProcess
from benchmarks.results import Results
from benchmarks.workloads import Workload

_FILLER = PEERS["bullworks"]
"""Makes the backlogs of npm bullmq too: the layout is the same, and a million jobs come sooner."""


def run(
    peers: list[Peer],
    workloads: list[Workload],
    *,
    rounds: int,
    jobs: int,
    warm: float = 1.0,
    save_as: Path,
    tell: Callable[[str], None],
) -> Results:
    """Measure; the results are saved after each workload, so that a run that is ended has left something.

    Args:
        warm: 1: as many jobs before those that count as each peer needs; less: that share of them.
        tell: is given a line for each measurement.
    """
    with RedisProcess() as server, contextlib.ExitStack() as stack:
        results = Results(
            at=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
            machine=f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
            server=server.version,
            rounds=rounds,
            jobs=jobs,
            peers=[peer.name for peer in peers],
            workloads=[workload.name for workload in workloads],
        )
        cast = _Cast(stack)
        for number in range(1, rounds + 1):
            for workload in workloads:
                for peer in peers:
                    line = _one(server, peer, workload, results, cast, jobs, warm)
                    tell(f"{number}/{rounds}  {workload.name:14} {peer.name:16} {line}")
                results.save(save_as)
        return results


class _Cast:
    """The producers that run: one a peer, started when it is first wanted and again after it failed."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._producers: dict[str, Program] = {}

    def producer(self, peer: Peer) -> Program:
        if peer.name not in self._producers:
            self._producers[peer.name] = self._stack.enter_context(Program(command_of(peer, "producer")))
        return self._producers[peer.name]

    def dismiss(self, peer: Peer) -> None:
        self._producers.pop(peer.name, None)


def _one(
    server: RedisProcess, peer: Peer, workload: Workload, results: Results, cast: _Cast, jobs: int, warm: float
) -> str:
    """Measure it, keep what came of it, and say so in a line."""
    why = peer.lack(workload.name, workload.concurrency, bullmq_only=workload.bullmq_only)
    if why is not None:
        results.miss(workload.name, peer.name, why)
        return f"not run: {why}"
    try:
        worker_command = command_of(peer, "worker")
        producer = cast.producer(peer)
        results.versions[peer.name] = producer.versions
        figures = measure(
            server,
            peer,
            workload,
            jobs=jobs_of(peer, workload, jobs),
            warm=round(peer.warm * warm),
            producer=producer,
            worker_command=worker_command,
            filler=cast.producer(_FILLER) if workload.backlog else None,
        )
    except (ProgramError, LeftoverError, subprocess.SubprocessError) as error:
        cast.dismiss(peer)
        what = str(error).strip()
        print(what, file=sys.stderr)
        results.miss(workload.name, peer.name, f"failed: {what.splitlines()[0]}")
        return "FAILED"
    results.add(workload.name, peer.name, figures)
    return "  ".join(f"{name} {value:,.1f}" for name, value in figures.items())
