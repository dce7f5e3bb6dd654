"""The order of a run: who is measured when, so that a busy minute of the machine hits everybody alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.peers import Peer
from benchmarks.workloads import Workload


@dataclass(frozen=True, slots=True)
class Slot:
    """One measurement of one peer."""

    round: int
    workload: Workload
    peer: Peer

    @property
    def key(self) -> tuple[str, str]:
        return self.workload.name, self.peer.name


def plan(peers: list[Peer], workloads: list[Workload], rounds: int) -> list[Slot]:
    """All of a run's measurements, in their order.

    Peers take turns, and each turn begins with another one; every second round goes through the workloads backwards. A
    peer that nothing is compared with in a workload runs it in the first round only; short measurements are taken
    several times a round, those of slow peers once.
    """
    slots: list[Slot] = []
    for number in range(1, rounds + 1):
        for workload in workloads if number % 2 else reversed(workloads):
            for take in range(workload.takes):
                first = (number - 1 + take) % len(peers)
                slots += [
                    Slot(number, workload, peer)
                    for peer in peers[first:] + peers[:first]
                    if (take == 0 or peer.is_bullmq) and (number == 1 or workload.compares(peer))
                ]
    return slots


def time_left_s(slots: Iterable[Slot], taken_s: Mapping[tuple[str, str], float]) -> float:
    """What the measurements still to come will take.

    Args:
        slots: those.
        taken_s: what a measurement of that workload and peer took, where there was one; others count as their mean.
    """
    mean_s = sum(taken_s.values()) / len(taken_s) if taken_s else 0.0
    return sum(taken_s.get(slot.key, mean_s) for slot in slots)
