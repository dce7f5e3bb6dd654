"""The goals, and whether a run reached them: each is computed from its results, for us without and with `fast`."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers import AT_LEAST_ONCE, BASE, PEERS, Peer
from benchmarks.results import Results
from benchmarks.workloads import BYTES, GROWTH, P50_MS, P99_MS, RATE, REDIS_US, RSS_MB, WORKER_US, WORKLOADS

FLAT = 1.15
"""What grows by no more than that is flat."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured of a goal."""

    value: float
    note: str = ""
    """Who was the nearest, say."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A row of the table."""

    title: str
    wanted: float
    unit: str
    find: Callable[[Results, str], Found | None]
    """Given the results and one of us; none when it was not measured."""
    is_least: bool = True
    """The figure shall be at least what is wanted; else at most."""
    digits: int = 2

    words: str = ""
    """What the table says instead of number and unit."""

    @property
    def text(self) -> str:
        """As the table has it."""
        return self.words or f"{'>=' if self.is_least else '<='} {self.wanted:,g} {self.unit}"

    def is_reached(self, found: Found) -> bool:
        return found.value >= self.wanted if self.is_least else found.value <= self.wanted


def _to_base(workload: str) -> Callable[[Results, str], Found | None]:
    def find(results: Results, ours: str) -> Found | None:
        ratio = results.ratio(workload, ours, BASE, RATE)
        return None if ratio is None else Found(ratio)

    return find


def _to_nearest(workload: str, is_rival: Callable[[Peer], bool]) -> Callable[[Results, str], Found | None]:
    """How many times the fastest of those peers, each of which is to be beaten."""

    def find(results: Results, ours: str) -> Found | None:
        rivals = [peer for peer in PEERS.values() if not peer.is_ours and is_rival(peer)]
        ratios = [(results.ratio(workload, ours, peer.name, RATE), peer.title) for peer in rivals]
        known = [(ratio, title) for ratio, title in ratios if ratio is not None]
        return Found(*min(known)) if known else None

    return find


def _lowest(figure: str) -> Callable[[Results, str], Found | None]:
    """Our latency through the lowest of the async peers'."""

    def find(results: Results, ours: str) -> Found | None:
        rivals = [peer for peer in PEERS.values() if not peer.is_ours and peer.is_async]
        medians = [(results.median("latency", peer.name, figure), peer.title) for peer in rivals]
        known = [(median, title) for median, title in medians if median is not None]
        own = results.median("latency", ours, figure)
        if own is None or not known:
            return None
        lowest, title = min(known)
        return Found(own / lowest, f"{own:.2f} ms; {title} {lowest:.2f}")

    return find


def _absolute(workload: str, figure: str) -> Callable[[Results, str], Found | None]:
    def find(results: Results, ours: str) -> Found | None:
        median = results.median(workload, ours, figure)
        return None if median is None else Found(median)

    return find


def _grows(workloads: tuple[str, ...]) -> Callable[[Results, str], Found | None]:
    def find(results: Results, ours: str) -> Found | None:
        growth = results.growth(workloads, ours, REDIS_US)
        return None if growth is None else Found(growth)

    return find


def _rss(results: Results, ours: str) -> Found | None:
    """The most of all workloads of one worker."""
    names = [name for name in results.workloads if WORKLOADS[name].kind in ("drain", "pace")]
    medians = [(results.median(name, ours, RSS_MB), name) for name in names]
    known = [(median, name) for median, name in medians if median is not None]
    return Found(*max(known)) if known else None


def _bytes(results: Results, ours: str) -> Found | None:
    own, theirs = results.median("drain-100", ours, BYTES), results.median("drain-100", BASE, BYTES)
    return None if own is None or theirs is None else Found(own - theirs, f"{own:.0f}; npm {theirs:.0f}")


def _is_python_at_least_once(peer: Peer) -> bool:
    return peer.guarantee == AT_LEAST_ONCE and peer.name != BASE


GOALS = (
    Goal("drain, concurrency 100", 1.5, "x npm bullmq", _to_base("drain-100")),
    Goal(
        "drain, concurrency 100", 5, "x each at-least-once Python peer",
        _to_nearest("drain-100", _is_python_at_least_once), digits=1,
    ),
    Goal("drain, worker", 40, "us CPU a job", _absolute("drain-100", WORKER_US), is_least=False, digits=1),
    Goal("drain, redis", 28, "us CPU a job", _absolute("drain-100", REDIS_US), is_least=False, digits=1),
    Goal("drain, concurrency 10", 1.2, "x npm bullmq", _to_base("drain-10")),
    Goal("drain, concurrency 1", 1.0, "x npm bullmq", _to_base("drain-1")),
    Goal("completed jobs kept", 1.4, "x npm bullmq", _to_base("kept-100")),
    Goal("5,000 adds, one after the other", 1.2, "x every async peer", _to_nearest("add", lambda peer: peer.is_async)),
    Goal("20,000 adds in bulk", 2, "x npm bullmq", _to_base("bulk")),
    Goal("pickup latency, p50", 1, "x the lowest async peer", _lowest(P50_MS), is_least=False),
    Goal("pickup latency, p99", 1, "x the lowest async peer", _lowest(P99_MS), is_least=False),
    Goal("handler awaits 10 ms", 8_500, "jobs/s", _absolute("sleep-100", RATE), digits=0),
    *(
        Goal(f"{title}: growth of redis CPU", FLAT, "x the smallest size", _grows(workloads), is_least=False)
        for title, workloads in GROWTH.items()
    ),
    Goal("worker's peak RSS", 60, "MB", _rss, is_least=False, digits=0),
    # below, and bytes are whole
    Goal("a waiting job", -0.5, "bytes", _bytes, is_least=False, digits=1, words="fewer bytes than npm bullmq"),
)  # fmt: skip
