"""The tables of docs/performance.md, from the results of a run."""

from benchmarks.goals import FLAT, GOALS, Goal
from benchmarks.peers import BASE, PEERS
from benchmarks.results import Results
from benchmarks.workloads import (
    BYTES,
    GROWTH,
    JOBS,
    P50_MS,
    P99_MS,
    RATE,
    REDIS_US,
    RSS_MB,
    SCRIPT_US,
    SECOND_PROCESS,
    WORKER_US,
    WORKLOADS,
)  # fmt: skip

_MISSING = "-"


def report(results: Results) -> str:
    """All of it as Markdown: what was run on, goals, a table for each workload, what was not run and why, versions."""
    rounds = "one round" if results.rounds == 1 else f"{results.rounds} rounds"
    head = f"{results.at}, {results.machine}; {results.server}; {rounds}; medians (lowest-highest)."
    if results.ended:
        head += f" **The run was ended {results.ended}: this is what was measured until then.**"
    grouped = {name for names in (*GROWTH.values(), *SECOND_PROCESS.values()) for name in names}
    shown = [name for name in results.workloads if results.figures.get(name) and name not in grouped]
    parts = [head, _goals(results), *(_workload(results, name) for name in shown), _growth(results)]
    parts += [_second_process(results), _memory(results), _lacks(results), _promises(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(heads: list[str], rows: list[list[str]], *, text_columns: int = 1) -> str:
    """A table in Markdown; the first columns are text, the others are numbers."""
    marks = ["---"] * text_columns + ["---:"] * (len(heads) - text_columns)
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, marks, *rows])


def number(value: float | None, digits: int = 0) -> str:
    return _MISSING if value is None else f"{value:,.{digits}f}"


def spread(results: Results, workload: str, peer: str, figure: str, digits: int = 0) -> str:
    """The median and, of several measurements, the lowest and the highest."""
    values = results.values(workload, peer, figure)
    median = number(results.median(workload, peer, figure), digits)
    return f"{median} ({number(min(values), digits)}-{number(max(values), digits)})" if len(values) > 1 else median


def verdict(goal: Goal, results: Results, ours: str) -> str:
    """The figure, who it was measured against, and whether the goal is reached."""
    found = goal.find(results, ours)
    if found is None:
        return _MISSING
    note = f" ({found.note})" if found.note else ""
    return f"{number(found.value, goal.digits)}{note}: " + ("reached" if goal.is_reached(found) else "**missed**")


def _goals(results: Results) -> str:
    ours = [name for name in results.peers if PEERS[name].is_ours]
    rows = []
    for goal in GOALS:
        cells = [verdict(goal, results, name) for name in ours]
        if any(cell != _MISSING for cell in cells):
            rows.append([goal.title, goal.text, *cells])
    if not rows:
        return ""
    return "**Goals**\n\n" + table([" ", "goal", *(PEERS[name].title for name in ours)], rows, text_columns=2)


def _workload(results: Results, name: str) -> str:
    workload = WORKLOADS[name]
    peers = [peer for peer in results.peers if results.figures[name].get(peer)]
    peers.sort(key=lambda peer: results.median(name, peer, workload.shown) or 0, reverse=not workload.lower_is_better)
    who = "worker" if workload.kind in ("drain", "pace") else "producer"
    heads = [f"{who}, us CPU a job", "redis, us CPU a job"]
    if workload.lower_is_better:
        heads = ["p50, ms", "p99, ms", *heads]
        shown = [(P50_MS, 2), (P99_MS, 2), (WORKER_US, 0), (REDIS_US, 0)]
    else:
        heads = ["jobs/s", *heads]
        shown = [(RATE, 0), (WORKER_US, 1), (REDIS_US, 1)]
    rows = []
    for peer in peers:
        cells = [spread(results, name, peer, figure, digits) for figure, digits in shown]
        ratio = results.ratio(name, peer, BASE, workload.shown)
        measured = results.figures[name][peer]
        size = f"{len(measured)} x {number(results.median(name, peer, JOBS))}"
        rows.append([PEERS[peer].title, *cells, number(ratio, 2), size])
    title = workload.title[0].upper() + workload.title[1:]
    return f"**{title}**\n\n{table([' ', *heads, 'x npm bullmq', 'jobs'], rows)}"


def _growth(results: Results) -> str:
    rows = []
    for title, names in GROWTH.items():
        for peer in results.peers:
            growth = results.growth(names, peer, REDIS_US)
            for name in names:
                if not results.figures.get(name, {}).get(peer):
                    continue
                cells = [spread(results, name, peer, figure, 1) for figure in (REDIS_US, SCRIPT_US, WORKER_US)]
                is_last = name == names[-1] and growth is not None
                flat = f"{growth:.2f}: {'flat' if (growth or 0) <= FLAT else 'grows'}" if is_last else ""
                rows.append([f"{title}: {WORKLOADS[name].backlog:,}", PEERS[peer].title, *cells, flat])
    heads = [" ", " ", "redis, us CPU a job", "in EVALSHA, us a job", "process, us CPU a job", "dearest / smallest"]
    return f"**Growth**\n\n{table(heads, rows, text_columns=2)}" if rows else ""


def _second_process(results: Results) -> str:
    rows = []
    for title, (one, two) in SECOND_PROCESS.items():
        for peer in results.peers:
            alone, both = (results.median(name, peer, RATE) for name in (one, two))
            if alone and both:
                cells = [spread(results, name, peer, RATE) for name in (one, two)]
                rows.append([f"{title}: {PEERS[peer].title}", *cells, number(both / alone, 2)])
    heads = [" ", "one process, jobs/s", "two, jobs/s", "two / one"]
    return f"**A second process, handlers of each kind, concurrency 100**\n\n{table(heads, rows)}" if rows else ""


def _memory(results: Results) -> str:
    rows = []
    for peer in results.peers:
        # drain-1: of a peer that runs one job at a time
        name = "drain-100" if results.values("drain-100", peer, RSS_MB) else "drain-1"
        if results.values(name, peer, RSS_MB):
            rows.append([PEERS[peer].title, *(spread(results, name, peer, figure) for figure in (RSS_MB, BYTES))])
    heads = [" ", "worker's peak RSS, MB", "redis, bytes a waiting job"]
    return f"**Memory**\n\n{table(heads, rows)}" if rows else ""


def _lacks(results: Results) -> str:
    by_peer: dict[tuple[str, str], list[str]] = {}
    for workload in results.workloads:
        for peer, why in results.lacks.get(workload, {}).items():
            by_peer.setdefault((why, peer), []).append(workload)
    by_why: dict[tuple[str, str], list[str]] = {}
    for (why, peer), names in by_peer.items():
        by_why.setdefault((why, ", ".join(names)), []).append(PEERS[peer].title)
    lines = [f"- {names}: {'; '.join(titles)}: {why}" for (why, names), titles in by_why.items()]
    return "**Not run**\n\n" + "\n".join(lines) if lines else ""


def _promises(results: Results) -> str:
    rows = []
    for name in results.peers:
        peer = PEERS[name]
        versions = ", ".join(f"{what} {version}" for what, version in results.versions.get(name, {}).items())
        rows.append([peer.title, peer.guarantee, peer.why, versions or _MISSING])
    heads = [" ", "a killed worker's job runs", "because", "versions"]
    return "**What each promises, and versions**\n\n" + table(heads, rows, text_columns=4)
