"""What a run brought: every figure of every round, kept as JSON, and the medians of them."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.measure import Figures


@dataclass(slots=True)
class Results:
    """Filled while peers are measured; each of its parts is JSON."""

    at: str
    machine: str
    server: str
    rounds: int
    jobs: int
    peers: list[str]
    workloads: list[str]
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each peer and of what it stands on."""
    figures: dict[str, dict[str, list[Figures]]] = field(default_factory=dict)
    """Workload -> peer -> one for each round."""
    lacks: dict[str, dict[str, str]] = field(default_factory=dict)
    """Workload -> peer -> why it does not run it, or what went wrong."""

    def add(self, workload: str, peer: str, figures: Figures) -> None:
        self.figures.setdefault(workload, {}).setdefault(peer, []).append(figures)

    def miss(self, workload: str, peer: str, why: str) -> None:
        self.lacks.setdefault(workload, {})[peer] = why

    def median(self, workload: str, peer: str, figure: str) -> float | None:
        """Over the rounds; none when that was not measured."""
        rounds = self.figures.get(workload, {}).get(peer, [])
        values = [figures[figure] for figures in rounds if figure in figures]
        return statistics.median(values) if values else None

    def ratio(self, workload: str, peer: str, base: str, figure: str) -> float | None:
        """The peer's median through the base's; none when one of them is missing."""
        ours, theirs = self.median(workload, peer, figure), self.median(workload, base, figure)
        return ours / theirs if ours is not None and theirs else None

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        return cls(**json.loads(path.read_text()))
