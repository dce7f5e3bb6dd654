"""Charts of the last hour or day, drawn here as SVG: they need no script."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from bullworks.board.history import HistorySource, LatencyMetric, SeriesMetric, Tier
from bullworks.board.pages.rendering import duration_text
from bullworks.redis import RedisError

log = logging.getLogger(__name__)

Span = Literal["hour", "day"]
"""The last hour by minute, or the last day by hour."""

WIDTH, HEIGHT = 480, 120
"""Of a chart, in the units of its drawing: it is stretched to where it stands."""

PERCENTILES = (50.0, 95.0, 99.0)
_LINES = ("first", "second", "third")
"""How the style calls the lines, in the order of PERCENTILES."""
_SLOTS: Mapping[Span, tuple[Tier, int, int]] = {"hour": ("minute", 60_000, 60), "day": ("hour", 3_600_000, 24)}
"""What a span is made of: what each slot is, how long, how many."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: a count in a time slot."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart, as points of an SVG polyline."""

    kind: str
    points: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart with its bars, lines and axes.

    Attributes:
        legend: (how the style calls it, what it is).
        top: what the upper edge stands for.
        summary: the same in words.
    """

    title: str
    legend: Sequence[tuple[str, str]]
    top: str
    summary: str
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Charts:
    """The charts of one page.

    Attributes:
        begin_ms, end_ms: of the time that is shown.
        problem: why nothing can be drawn.
    """

    span: Span
    begin_ms: int
    end_ms: int
    drawn: Sequence[Chart] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Axis:
    """The time that a chart shows, slot by slot."""

    begin_ms: int
    slot_ms: int
    slots: int

    def slot(self, at_ms: int) -> int | None:
        at = (at_ms - self.begin_ms) // self.slot_ms
        return at if 0 <= at < self.slots else None

    def counts(self, series: Iterable[tuple[int, float]]) -> list[int]:
        counts = [0] * self.slots
        for at_ms, value in series:
            slot = self.slot(at_ms)
            if slot is not None:
                counts[slot] += int(value)
        return counts

    def clock(self, slot: int) -> str:
        return time.strftime("%H:%M", time.gmtime((self.begin_ms + slot * self.slot_ms) / 1000))


def span_of(asked: str | None) -> Span:
    """Choose the time span from a request's query: `day`, or else the last hour."""
    return next((span for span in get_args(Span) if span == asked), "hour")


async def read_charts(history: HistorySource, queue: str | None, span: Span) -> Charts:
    """Read throughput, run and wait times of a queue, or of all, in one round trip if the history is in Redis."""
    tier, slot_ms, slots = _SLOTS[span]
    now_ms = int(time.time() * 1000)
    axis = _Axis((now_ms // slot_ms - slots + 1) * slot_ms, slot_ms, slots)

    def series(metric: SeriesMetric) -> "asyncio.Future[Sequence[tuple[int, float]]]":
        asked = history.series(metric, queue=queue, from_ms=axis.begin_ms, to_ms=now_ms, granularity=tier)
        return asyncio.ensure_future(asked)

    def latency(metric: LatencyMetric) -> "asyncio.Future[_Latencies]":
        asked = history.latency(
            metric, queue=queue, from_ms=axis.begin_ms, to_ms=now_ms, granularity=tier, percentiles=PERCENTILES
        )
        return asyncio.ensure_future(asked)

    sought = (series("completed"), series("failed"), latency("runtime"), latency("waittime"))
    try:
        completed, failed, runs, waits = await asyncio.gather(*sought)
    except Exception as error:  # a user's own history may raise anything, and the page must still load
        await asyncio.gather(*sought, return_exceptions=True)
        log.warning("the history of %s cannot be read", queue or "all queues", exc_info=True, extra={"queue": queue})
        problem = str(error) if isinstance(error, RedisError) else "see the log of this service"
        return Charts(span=span, begin_ms=axis.begin_ms, end_ms=now_ms, problem=problem)
    return Charts(
        span=span,
        begin_ms=axis.begin_ms,
        end_ms=now_ms,
        drawn=(
            _throughput(axis, axis.counts(completed), axis.counts(failed), tier),
            _percentiles(axis, "Run time", runs),
            _percentiles(axis, "Wait time", waits),
        ),
    )


_Latencies = Sequence[tuple[int, int, Mapping[float, float]]]


def _throughput(axis: _Axis, completed: Sequence[int], failed: Sequence[int], tier: Tier) -> Chart:
    most = max(1, *(good + bad for good, bad in zip(completed, failed, strict=True)))
    width = WIDTH / axis.slots
    bars = []
    for slot, (good, bad) in enumerate(zip(completed, failed, strict=True)):
        title = f"{axis.clock(slot)}: {good} completed, {bad} failed"
        below = 0.0
        for kind, count in (("good", good), ("bad", bad)):
            if count:
                height = HEIGHT * count / most
                bars.append(Bar(kind, slot * width + 0.5, HEIGHT - below - height, width - 1, height, title))
                below += height
    return Chart(
        title="Throughput",
        legend=(("good", f"{sum(completed)} completed"), ("bad", f"{sum(failed)} failed")),
        top=f"{most} a {tier}",
        summary=f"{sum(completed)} jobs completed and {sum(failed)} failed; at most {most} a {tier}",
        bars=bars,
    )


def _percentiles(axis: _Axis, title: str, latencies: _Latencies) -> Chart:
    known = [(slot, values) for at_ms, count, values in latencies if count and (slot := axis.slot(at_ms)) is not None]
    top_ms = max((value for _, values in known for value in values.values()), default=0.0)
    lines = []
    legend = []
    for kind, percentile in zip(_LINES, PERCENTILES, strict=True):
        points = [(slot, values[percentile]) for slot, values in known if percentile in values]
        latest = duration_text(points[-1][1]) if points else "-"
        legend.append((kind, f"p{percentile:.0f} {latest}"))
        if points:
            lines.append(Line(kind, _polyline(axis, points, top_ms)))
    return Chart(
        title=title,
        legend=legend,
        top=duration_text(top_ms) if known else "-",
        summary=f"{title}, the latest: {', '.join(text for _, text in legend)}" if known else "nothing was recorded",
        lines=lines,
    )


def _polyline(axis: _Axis, points: Sequence[tuple[int, float]], top_ms: float) -> str:
    width = WIDTH / axis.slots
    if len(points) == 1:  # one point alone would not be seen
        slot, value = points[0]
        ends = [(slot * width, value), ((slot + 1) * width, value)]
    else:
        ends = [((slot + 0.5) * width, value) for slot, value in points]
    return " ".join(f"{x:.1f},{HEIGHT - HEIGHT * value / (top_ms or 1):.1f}" for x, value in ends)
