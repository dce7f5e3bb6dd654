"""All chosen peers through all chosen workloads, taking turns, on a server of their own."""

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import redis

from benchmarks.environments import command_of
from benchmarks.measure import jobs_of, measure
from benchmarks.peers import PEERS, Peer
from benchmarks.plan import Slot, time_left_s
from benchmarks.program import Program, ProgramError
from benchmarks.redis_process import RedisProcess
from benchmarks.results import Figures, Results
from benchmarks.side import LeftoverError

_FILLER = PEERS["bullworks"]
"""Makes the backlogs of npm bullmq too: the layout is the same, and a million jobs come sooner."""
_MOST_FAILURES = 3
"""Then a peer is left alone: one that hangs costs two minutes each time."""


def run(
    server: RedisProcess,
    slots: list[Slot],
    results: Results,
    *,
    warm: float,
    save_as: Path,
    tell: Callable[[str], None],
) -> None:
    """Measure; results are saved after each measurement, so that a run that is ended has left something.

    Args:
        warm: 1: as many jobs before those that count as each peer needs; less: that share of them.
        tell: is given a line for each measurement.

    Raises:
        redis.RedisError: the server has ended.
    """
    with contextlib.ExitStack() as stack:
        cast = _Cast(stack)
        taken_s: dict[tuple[str, str], float] = {}
        begun_s = time.monotonic()
        for number, slot in enumerate(slots, 1):
            slot_s = time.monotonic()
            line = _one(server, slot, results, cast, warm)
            results.save(save_as)
            now_s = time.monotonic()
            taken_s[slot.key] = now_s - slot_s
            left_s = time_left_s(slots[number:], taken_s)
            when = f"{number}/{len(slots)}  {(now_s - begun_s) / 60:.0f} min, about {left_s / 60:.0f} left"
            tell(f"{when}  round {slot.round}  {slot.workload.name:13} {slot.peer.name:14} {line}")


class _Cast:
    """The producers that run: one a peer, started when it is first wanted and again after it failed."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._producers: dict[str, Program] = {}
        self.failures: Counter[str] = Counter()
        self.failed: set[tuple[str, str]] = set()

    def producer(self, peer: Peer) -> Program:
        if peer.name not in self._producers:
            self._producers[peer.name] = self._stack.enter_context(Program(command_of(peer, "producer")))
        return self._producers[peer.name]

    def dismiss(self, peer: Peer) -> None:
        producer = self._producers.pop(peer.name, None)
        if producer is not None:
            producer.kill()


def _one(server: RedisProcess, slot: Slot, results: Results, cast: _Cast, warm: float) -> str:
    """Measure it, keep what came of it, and say so in a line."""
    peer, workload = slot.peer, slot.workload
    why = peer.lack(workload.name, workload.concurrency, bullmq_only=workload.bullmq_only)
    if slot.key in cast.failed:
        return "not run again: it failed"
    if why is None and cast.failures[peer.name] >= _MOST_FAILURES:
        why = f"not run: it had failed {_MOST_FAILURES} times elsewhere"
    if why is not None:
        results.miss(workload.name, peer.name, why)
        return f"not run: {why}"
    try:
        samples = _measured(server, slot, results, cast, warm)
    except (ProgramError, LeftoverError, subprocess.SubprocessError, OSError, redis.RedisError) as error:
        if not server.is_running:
            raise
        cast.dismiss(peer)
        cast.failures[peer.name] += 1
        cast.failed.add(slot.key)
        what = str(error).strip() or type(error).__name__
        print(what, file=sys.stderr)
        results.miss(workload.name, peer.name, f"failed: {what.splitlines()[0]}")
        return "FAILED"
    for figures in samples:
        results.add(workload.name, peer.name, figures)
    return "  ".join(f"{name} {value:,.1f}" for name, value in samples[-1].items())


def _measured(server: RedisProcess, slot: Slot, results: Results, cast: _Cast, warm: float) -> list[Figures]:
    worker_command = command_of(slot.peer, "worker")
    producer = cast.producer(slot.peer)
    results.versions[slot.peer.name] = producer.versions
    return measure(
        server,
        slot.peer,
        slot.workload,
        jobs=jobs_of(slot.peer, slot.workload, results.jobs),
        warm=round(slot.peer.warm * warm),
        producer=producer,
        worker_command=worker_command,
        filler=cast.producer(_FILLER) if slot.workload.bullmq_only else None,
    )
