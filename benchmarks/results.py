"""What a run brought: every figure of every measurement, kept as JSON, and medians and spreads of them."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

Figures = dict[str, float]


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
    """Workload -> peer -> one for each measurement."""
    lacks: dict[str, dict[str, str]] = field(default_factory=dict)
    """Workload -> peer -> why it does not run it, or what went wrong."""
    ended: str = ""
    """Why the run ended before it was complete, and where."""

    def add(self, workload: str, peer: str, figures: Figures) -> None:
        self.figures.setdefault(workload, {}).setdefault(peer, []).append(figures)

    def miss(self, workload: str, peer: str, why: str) -> None:
        self.lacks.setdefault(workload, {})[peer] = why

    def values(self, workload: str, peer: str, figure: str) -> list[float]:
        """Of each measurement."""
        measured = self.figures.get(workload, {}).get(peer, [])
        return [figures[figure] for figures in measured if figure in figures]

    def median(self, workload: str, peer: str, figure: str) -> float | None:
        """Over all measurements; none when that was not measured."""
        values = self.values(workload, peer, figure)
        return statistics.median(values) if values else None

    def ratio(self, workload: str, peer: str, base: str, figure: str) -> float | None:
        """The peer's median through the base's; none when one of them is missing."""
        ours, theirs = self.median(workload, peer, figure), self.median(workload, base, figure)
        return ours / theirs if ours is not None and theirs else None

    def growth(self, workloads: tuple[str, ...], peer: str, figure: str) -> float | None:
        """How many times its smallest size's median the dearest of the larger sizes is; none when a size is missing."""
        ratios = []
        for larger in workloads[1:]:
            small, large = self.median(workloads[0], peer, figure), self.median(larger, peer, figure)
            if not small or large is None:
                return None
            ratios.append(large / small)
        return max(ratios, default=None)

    def version(self, peer: str) -> str:
        """Of the library itself; what it runs on comes before it, what it stands on after."""
        named = self.versions.get(peer, {})
        return next((version for name, version in named.items() if name not in ("python", "node")), "")

    def save(self, path: Path) -> None:
        """Whoever is killed while saving leaves the file as it was."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        draft.write_text(json.dumps(asdict(self), indent=1) + "\n")
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Results":
        return cls(**json.loads(path.read_text()))
