"""The keys of the history. Nothing else spells one. They hold the queues' prefix, and with it its {tag}."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

Tier = Literal["minute", "hour", "day"]
TIERS: tuple[Tier, ...] = ("minute", "hour", "day")

STEP_MS: dict[Tier, int] = {"minute": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS}
# How long each is kept. A busy queue takes some 200 bytes for each minute, hour or day: 290 KB, 150 KB and 80 KB.
KEPT_MS: dict[Tier, int] = {"minute": DAY_MS, "hour": 31 * DAY_MS, "day": 400 * DAY_MS}
# What one key holds, besides what is kept: its last field lives as long as it should, its first so much longer.
_SPAN_MS: dict[Tier, int] = {"minute": HOUR_MS, "hour": DAY_MS, "day": 31 * DAY_MS}
# No key holds less than that.
_KEY_STEP_MS: dict[Tier, int] = {"minute": HOUR_MS, "hour": DAY_MS, "day": DAY_MS}
# Of the key, and of the field in it.
_KEY_FORMAT: dict[Tier, str] = {"minute": "%Y-%m-%dT%H", "hour": "%Y-%m-%d", "day": "%Y-%m"}
_FIELD_FORMAT: dict[Tier, str] = {"minute": "%M", "hour": "%H", "day": "%d"}


@dataclass(frozen=True, slots=True)
class HistorySlot:
    """The place of one minute, hour or day in Redis.

    Args:
        key: of the hash.
        field: in it.
        at_ms: when it began.
    """

    key: str
    field: str
    at_ms: int


class HistoryKeys:
    """The history's keys under one prefix of queues.

    `<base>:queue:<name>:<tier>:<time>` is a hash of tallies, and `<base>:total:...` the same of all queues together;
    `...:ever` is one tally that does not expire while its queue is used; `<base>:queues` a sorted set of names.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._base = f"bullworks:board:history:{prefix}"

    @property
    def queues(self) -> str:
        return f"{self._base}:queues"

    def ever(self, queue: str | None) -> str:
        """Build the key of the all-time tally; queue None means all queues."""
        return f"{self._owner(queue)}:ever"

    def place(self, queue: str | None, tier: Tier, at_ms: int) -> HistorySlot:
        """Find the place of the minute, hour or day that contains a moment."""
        at_ms -= at_ms % STEP_MS[tier]
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        key = f"{self._owner(queue)}:{tier}:{at.strftime(_KEY_FORMAT[tier])}"
        return HistorySlot(key, at.strftime(_FIELD_FORMAT[tier]), at_ms)

    def places(self, queue: str | None, tier: Tier, from_ms: int, to_ms: int) -> Iterator[HistorySlot]:
        """List the places within a time span, the one containing its start included; oldest first."""
        at_ms = from_ms - from_ms % STEP_MS[tier]
        while at_ms < to_ms:
            yield self.place(queue, tier, at_ms)
            at_ms += STEP_MS[tier]

    def keys(self, queue: str | None, tier: Tier, from_ms: int, to_ms: int) -> Iterator[tuple[str, int]]:
        """List the keys of a time span, and when each begins; oldest first."""
        seen = ""
        for at_ms in range(from_ms - from_ms % _KEY_STEP_MS[tier], to_ms, _KEY_STEP_MS[tier]):
            key = self.place(queue, tier, at_ms).key
            if key != seen:  # a month has many days
                seen = key
                yield key, at_ms

    def _owner(self, queue: str | None) -> str:
        return f"{self._base}:total" if queue is None else f"{self._base}:queue:{queue}"


def lives_ms(tier: Tier) -> int:
    """How long a key lives after its last write, ms."""
    return KEPT_MS[tier] + _SPAN_MS[tier]
