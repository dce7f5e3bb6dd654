"""What several processes noted about one lock, and what must hold of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bullworks.reliability.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Hold:
    """One acquisition, as its holder believed in it; times are of the machine's monotonic clock, in seconds.

    Attributes:
        start_s: when it knew that it had the lock.
        end_s: when it began to release it, or the deadline after which it did not believe in it any more.
    """

    holder: str
    fence: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Write:
    """One write to what the lock protects, in the order in which that took or refused them."""

    fence: int
    accepted: bool


def note(ledger: Ledger, what: str, holder: str, fence: int, at_s: float) -> None:
    """One line of a holder: `granted`, `until` (the deadline from now on) or `ended`."""
    ledger.note(what, json.dumps([holder, fence, at_s]))


def holds_of(ledger: Ledger) -> list[Hold]:
    """The acquisitions in a ledger, by their start."""
    found: dict[tuple[str, int], Hold] = {}
    # Each holder's own lines are in order: the last deadline noted is the one that it believed in.
    for what, line in _lines(ledger.path):
        if what not in {"granted", "until", "ended"}:
            continue
        holder, fence, at_s = json.loads(line)
        key = (holder, fence)
        if what == "granted":
            assert key not in found, f"{holder} was granted the fence {fence} twice"
            found[key] = Hold(holder, fence, at_s, at_s)
        elif what == "until":
            found[key] = replace(found[key], end_s=at_s)
        else:
            found[key] = replace(found[key], end_s=min(at_s, found[key].end_s))
    return sorted(found.values(), key=lambda hold: hold.start_s)


def writes_of(ledger: Ledger) -> list[Write]:
    """The writes in a ledger, which the protected thing notes while it decides."""
    return [
        Write(int(line), what == "accepted") for what, line in _lines(ledger.path) if what in {"accepted", "refused"}
    ]


def problems_of(holds: Iterable[Hold], writes: Iterable[Write] = ()) -> list[str]:
    """All that must not be: two who believed in the lock at once, a fence given twice or falling, a late write."""
    problems: list[str] = []
    believed = [hold for hold in holds if hold.start_s < hold.end_s]
    fences: set[int] = set()
    for hold in holds:
        if hold.fence in fences:
            problems.append(f"the fence {hold.fence} was given twice")
        fences.add(hold.fence)
    highest = 0
    last: Hold | None = None  # of those so far, who believed the longest
    for hold in sorted(believed, key=lambda hold: hold.start_s):
        if last is not None and hold.start_s < last.end_s:
            overlap_ms = (min(hold.end_s, last.end_s) - hold.start_s) * 1000
            problems.append(f"{last.holder} and {hold.holder} both held it for {overlap_ms:.1f} ms")
        if hold.fence < highest:
            problems.append(f"the fence {hold.fence} came after {highest}")
        highest = max(highest, hold.fence)
        if last is None or hold.end_s > last.end_s:
            last = hold
    highest = 0
    for write in writes:
        if write.accepted and write.fence < highest:
            problems.append(f"a write with the fence {write.fence} came after one with {highest}")
        if write.accepted:
            highest = max(highest, write.fence)
    return problems


def _lines(path: Path) -> list[tuple[str, str]]:
    if not path.exists():
        return []
    split = [line.partition(" ") for line in path.read_text().splitlines()]
    return [(what, rest) for what, _, rest in split]
