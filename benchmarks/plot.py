"""A bar chart of a run's results, PNG and SVG: python plot.py results.json folder peers. Needs matplotlib only."""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams["svg.fonttype"] = "none"  # text stays text: smaller, and can be read aloud
mpl.rcParams["svg.hashsalt"] = "bullworks"  # the same results give the same file

import matplotlib.pyplot as plt  # noqa: E402

_PANELS = (
    ("drain-100", "jobs_per_s", "No-op jobs a second, one worker process, concurrency 100"),
    ("latency", "p50_ms", "Milliseconds from add to handler, median, idle worker"),
)
_OURS, _NODE, _OTHERS, _LOOSE = "#2f6fdb", "#6aa84f", "#9aa0a6", "#d6d9dc"


def bars(results: dict[str, Any], workload: str, figure: str) -> list[tuple[str, float]]:
    """Peers and their medians, best last, as horizontal bars are drawn from below."""
    measured = results["figures"].get(workload, {})
    medians = [(peer, statistics.median(figures[figure] for figures in rounds)) for peer, rounds in measured.items()]
    return sorted(medians, key=lambda bar: bar[1], reverse=figure.endswith("_ms"))


def colour(peer: str, guarantee: str) -> str:
    if peer.startswith("bullworks"):
        return _OURS
    if peer == "bullmq":
        return _NODE
    return _OTHERS if guarantee == "at least once" else _LOOSE


def draw(results: dict[str, Any], peers: dict[str, dict[str, str]], folder: Path) -> None:
    panels = [(bars(results, workload, figure), title) for workload, figure, title in _PANELS]
    panels = [(rows, title) for rows, title in panels if rows]
    height = sum(len(rows) for rows, _ in panels) * 0.3 + len(panels) * 0.8
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(8, height), squeeze=False, height_ratios=[len(rows) + 1 for rows, _ in panels]
    )
    for axis, (rows, title) in zip(axes[:, 0], panels, strict=True):
        labels = [
            f"{peers[peer]['title']} {peers[peer]['version']}".strip()
            + ("" if peers[peer]["guarantee"] == "at least once" else " *")
            for peer, _ in rows
        ]
        drawn = axis.barh(
            labels, [value for _, value in rows], color=[colour(peer, peers[peer]["guarantee"]) for peer, _ in rows]
        )
        axis.bar_label(
            drawn, [f"{value:,.0f}" if value >= 100 else f"{value:.2f}" for _, value in rows], padding=3, fontsize=8
        )
        axis.set_title(title, loc="left", fontsize=10)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.tick_params(labelsize=8)
        axis.set_xticks([])
        axis.margins(x=0.12)
    note = f"{results['at']}, {results['machine']}, {results['server']}. * at most once: a killed worker's job is lost"
    figure.suptitle("Bullworks beside its peers, every guarantee on", x=0.01, ha="left", fontsize=12)
    figure.text(0.01, 0.005, note, fontsize=7, color="#5f6368")
    figure.tight_layout(rect=(0, 0.02, 1, 0.99))
    # an opaque card: readable on light pages and on dark ones
    figure.set_facecolor("#ffffff")
    for suffix in ("png", "svg"):
        metadata = {"Date": None} if suffix == "svg" else None
        figure.savefig(folder / f"performance.{suffix}", dpi=110, metadata=metadata)


if __name__ == "__main__":
    path, target = Path(sys.argv[1]), Path(sys.argv[2])
    draw(json.loads(path.read_text()), json.loads(sys.argv[3]), target)
