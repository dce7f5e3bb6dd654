"""Groups: which of those that share a queue a job belongs to, and what each of them may do at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Required, TypedDict

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks

# A rate remembers so many starts of a group.
_MOST_STARTS = 10_000
_LONGEST_RATE_MS = 24 * 60 * 60 * 1000
# A round is as long as the lightest group's share; past this, rounds would run out between two adds.
_LIGHTEST, _HEAVIEST = 0.001, 1_000


class GroupOptions(TypedDict, total=False):
    """`group={"id": ..., "weight": ...}` of `Queue.add`: whose job it is. Groups are served in turn.

    Attributes:
        id: of the tenant, customer, account ...; required, not empty.
        weight: how many of its jobs a turn has, 0.001 .. 1000; default: the group's own, or 1.
    """

    id: Required[str]
    weight: float


@dataclass(frozen=True, slots=True)
class Group:
    """The group that a job is added to, checked; a weight of None means the group's own."""

    id: str
    weight: float | None = None

    @classmethod
    def of(cls, value: object) -> "Group":
        """Check what a user gave. Raises InvalidOptionError: no id, an unknown key, a weight out of range."""
        if isinstance(value, Group):
            return value
        given = checks.parts("group", value, GroupOptions.__annotations__)
        weight = given.get("weight")
        return cls(
            checks.text("group.id", given.get("id")),
            None if weight is None else _checked_weight("group.weight", weight),
        )

    def to_script(self) -> dict[str, Any]:
        """Return the group as lua/lib/group_join.lua reads it."""
        return {"id": self.id} if self.weight is None else {"id": self.id, "weight": self.weight}


def without_group(options: Mapping[str, Any]) -> tuple[Mapping[str, Any], Group | None]:
    """The other options of a job, which many jobs share, and its group. Raises InvalidOptionError."""
    if "group" not in options:
        return options, None
    others = {name: value for name, value in options.items() if name != "group"}
    return others, None if options["group"] is None else Group.of(options["group"])


class GroupRate(TypedDict):
    """A limit of `max` starts of a group's jobs in any `duration`; max 1 .. 10,000, duration up to a day."""

    max: int
    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLimits:
    """Limits of a group; None means as the defaults say, or without limit.

    Attributes:
        concurrency: of its jobs that run at once.
        rate_max, rate_duration_ms: how many of its jobs are started in any such time.
        max_size: of its jobs that have not ended.
        weight: how many of its jobs a turn has.
        ordered: its jobs run one after the other, each until it has ended, all its attempts included.
    """

    concurrency: int | None = None
    rate_max: int | None = None
    rate_duration_ms: int | None = None
    max_size: int | None = None
    weight: float | None = None
    ordered: bool = False

    @classmethod
    def of(
        cls,
        *,
        concurrency: int | None = None,
        rate: GroupRate | None = None,
        max_size: int | None = None,
        weight: float | None = None,
        ordered: bool = False,
    ) -> "GroupLimits":
        """Check what a user gave. Raises InvalidOptionError: a wrong type, a value out of range."""
        if checks.flag("ordered", ordered) and concurrency not in {None, 1}:
            raise InvalidOptionError("concurrency", f"is 1 in an ordered group, not {concurrency!r}")
        rate_max, rate_duration_ms = _checked_rate(rate)
        return cls(
            concurrency=1 if ordered else _checked_whole("concurrency", concurrency),
            rate_max=rate_max,
            rate_duration_ms=rate_duration_ms,
            max_size=_checked_whole("max_size", max_size),
            weight=None if weight is None else _checked_weight("weight", weight),
            ordered=ordered,
        )


def _checked_weight(option: str, value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not isinstance(value, int | float) or not is_number or not _LIGHTEST <= value <= _HEAVIEST:
        raise InvalidOptionError(option, f"must be a number, {_LIGHTEST} .. {_HEAVIEST}, not {value!r}")
    return value


def _checked_rate(rate: object) -> tuple[int | None, int | None]:
    if rate is None:
        return None, None
    if not isinstance(rate, dict) or set(rate) != {"max", "duration"}:
        raise InvalidOptionError("rate", f'must be {{"max": jobs, "duration": ms}}, not {rate!r}')
    most = checks.whole("rate.max", rate["max"], 1, _MOST_STARTS)
    duration_ms = checked_ms("rate.duration", rate["duration"], least=1)
    if duration_ms > _LONGEST_RATE_MS:
        raise InvalidOptionError("rate.duration", f"must be a day or less, not {duration_ms} ms")
    return most, duration_ms


def _checked_whole(option: str, value: object) -> int | None:
    return None if value is None else checks.whole(option, value, 1)
