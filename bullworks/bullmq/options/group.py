"""Groups: which of those that share a queue a job belongs to, and what each of them may do at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Required, TypedDict

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError

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
    """The group that a job is added to, checked; weight None: the group's own."""

    id: str
    weight: float | None = None

    @classmethod
    def of(cls, value: object) -> "Group":
        """Check what a user gave. Raises InvalidOptionError: no id, an unknown key, a weight out of range."""
        if isinstance(value, Group):
            return value
        if not isinstance(value, dict):
            raise InvalidOptionError("group", f'must be {{"id": ...}}, not {value!r}')
        known = GroupOptions.__annotations__
        for key in value:
            if key not in known:
                raise InvalidOptionError.unknown(f"group.{key}", [f"group.{name}" for name in known])
        weight = value.get("weight")
        return cls(
            checked_group_id("group.id", value.get("id")),
            None if weight is None else _checked_weight("group.weight", weight),
        )

    def to_script(self) -> dict[str, Any]:
        """For lua/lib/group_join.lua."""
        return {"id": self.id} if self.weight is None else {"id": self.id, "weight": self.weight}


def without_group(options: Mapping[str, Any]) -> tuple[Mapping[str, Any], Group | None]:
    """The other options of a job, which many jobs share, and its group. Raises InvalidOptionError."""
    if "group" not in options:
        return options, None
    others = {name: value for name, value in options.items() if name != "group"}
    return others, None if options["group"] is None else Group.of(options["group"])


class GroupRate(TypedDict):
    """At most `max` jobs of a group are started in any `duration`; max 1 .. 10,000, duration up to a day."""

    max: int
    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLimits:
    """What a group may do at most; None: as the defaults say, or without limit.

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
        if not isinstance(ordered, bool):
            raise InvalidOptionError("ordered", f"must be True or False, not {ordered!r}")
        if ordered and concurrency not in {None, 1}:
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


def checked_group_id(option: str, value: object) -> str:
    """Raises InvalidOptionError: not a text, or empty, or none that UTF-8 can hold."""
    if not isinstance(value, str) or not value:
        raise InvalidOptionError(option, f"must be a non-empty string, not {value!r}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidOptionError(option, f"{value!r} cannot be written as UTF-8") from None
    return value


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
    most = _checked_whole("rate.max", rate["max"])
    if most is None or most > _MOST_STARTS:
        raise InvalidOptionError("rate.max", f"must be at most {_MOST_STARTS:,}, not {most}; take a shorter duration")
    duration_ms = checked_ms("rate.duration", rate["duration"], least=1)
    if duration_ms > _LONGEST_RATE_MS:
        raise InvalidOptionError("rate.duration", f"must be a day or less, not {duration_ms} ms")
    return most, duration_ms


def _checked_whole(option: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidOptionError(option, f"must be a whole number >= 1, not {value!r}")
    return value
