"""The tables of docs/performance.md, from the results of a run."""

from benchmarks.peers import BASE, PEERS
from benchmarks.results import Results
from benchmarks.workloads import BYTES, P50_MS, P99_MS, RATE, REDIS_US, RSS_MB, WORKER_US, WORKLOADS

_MISSING = "-"


def report(results: Results) -> str:
    """All of it as Markdown: what was run on, a table for each workload, what was not run and why, versions."""
    head = (
        f"{results.at}, {results.machine}; {results.server}; {_rounds(results.rounds)}, "
        f"{results.jobs:,} jobs where the row says nothing else (the slower peers fewer)."
    )
    parts = [head]
    parts += [_workload(results, name) for name in results.workloads if results.figures.get(name)]
    parts += [_memory(results), _lacks(results), _promises(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _rounds(count: int) -> str:
    return "one round" if count == 1 else f"medians of {count} rounds"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; the first column is text, the others are numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float | None, digits: int = 0) -> str:
    return _MISSING if value is None else f"{value:,.{digits}f}"


def _workload(results: Results, name: str) -> str:
    workload = WORKLOADS[name]
    peers = [peer for peer in results.peers if results.figures[name].get(peer)]
    peers.sort(key=lambda peer: results.median(name, peer, workload.shown) or 0, reverse=not workload.lower_is_better)
    who = "worker" if workload.kind in ("drain", "pace") else "producer"
    heads = [" ", f"{who}, us CPU a job", "redis, us CPU a job"]
    if workload.lower_is_better:
        heads[1:1] = ["p50, ms", "p99, ms"]
        shown = [(P50_MS, 2), (P99_MS, 2), (WORKER_US, 0), (REDIS_US, 0)]
    else:
        heads[1:1] = ["jobs/s"]
        shown = [(RATE, 0), (WORKER_US, 1), (REDIS_US, 1)]
    heads.append("x npm bullmq")
    rows = []
    for peer in peers:
        figures = [number(results.median(name, peer, figure), digits) for figure, digits in shown]
        ratio = results.ratio(name, peer, BASE, workload.shown)
        rows.append([PEERS[peer].title, *figures, number(ratio, 2)])
    return f"**{workload.title[0].upper()}{workload.title[1:]}**\n\n{table(heads, rows)}"


def _memory(results: Results) -> str:
    rows = []
    for peer in results.peers:
        rss_mb, bytes_a_job = (results.median("drain-100", peer, figure) for figure in (RSS_MB, BYTES))
        if rss_mb is None:
            # a peer that runs one job at a time
            rss_mb, bytes_a_job = (results.median("drain-1", peer, figure) for figure in (RSS_MB, BYTES))
        if rss_mb is not None:
            rows.append([PEERS[peer].title, number(rss_mb), number(bytes_a_job)])
    heads = [" ", "worker's peak RSS, MB", "redis, bytes a waiting job"]
    return f"**Memory**\n\n{table(heads, rows)}" if rows else ""


def _lacks(results: Results) -> str:
    whys: dict[tuple[str, str], list[str]] = {}
    for workload in results.workloads:
        for peer, why in results.lacks.get(workload, {}).items():
            whys.setdefault((peer, why), []).append(workload)
    if not whys:
        return ""
    lines = [f"- {PEERS[peer].title}: {', '.join(names)}: {why}" for (peer, why), names in whys.items()]
    return "**Not run**\n\n" + "\n".join(lines)


def _promises(results: Results) -> str:
    rows = [
        [
            PEERS[peer].title,
            PEERS[peer].guarantee,
            PEERS[peer].why,
            ", ".join(f"{name} {version}" for name, version in results.versions.get(peer, {}).items()),
        ]
        for peer in results.peers
    ]
    return "**What each promises, and versions**\n\n" + table([" ", "a job runs", "because", "versions"], rows).replace(
        "---:", "---"
    )
