"""How many finished jobs a queue keeps, and for how long."""

from dataclasses import dataclass
from typing import Any, TypedDict

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks


class RetentionOptions(TypedDict, total=False):
    """A `Retention` as BullMQ writes it: `age` in seconds, `count` and `limit` in jobs."""

    age: int
    count: int
    limit: int


RetentionValue = bool | int | RetentionOptions


@dataclass(frozen=True, slots=True)
class Retention:
    """How many finished jobs are kept, and for how long; None means unlimited.

    Attributes:
        count: the newest jobs that are kept, >= 0; 0 removes at once.
        age_s: seconds for which a job is kept, >= 0.
        limit: jobs that one finish may remove by age, >= 1.
    """

    count: int | None = None
    age_s: int | None = None
    limit: int | None = None

    @classmethod
    def of(cls, value: object, option: str) -> "Retention":
        """Validate a user's retention: True (remove at once), False (keep all), a count, or a dict.

        Raises:
            InvalidOptionError: it is none of these, or out of range.
        """
        if isinstance(value, Retention):
            return value
        if isinstance(value, bool):
            return cls(count=0) if value else cls()
        if isinstance(value, int):
            return cls(count=checks.whole(option, value))
        if not isinstance(value, dict):
            raise InvalidOptionError(option, f"must be a bool, a count or a dict with age, count, limit, not {value!r}")
        checks.parts(option, value, RetentionOptions.__annotations__)
        bounds = {key: checks.whole(f"{option}.{key}", bound) for key, bound in value.items() if bound is not None}
        return cls(bounds.get("count"), bounds.get("age"), bounds.get("limit"))

    def to_wire(self) -> bool | int | dict[str, int]:
        if self.age_s is None and self.limit is None:
            return False if self.count is None else self.count or True
        wire = {"age": self.age_s, "count": self.count, "limit": self.limit}
        return {key: bound for key, bound in wire.items() if bound is not None}

    def to_script(self) -> str:
        """Encode the retention for lua/lib/retention.lua."""
        if self.age_s is None:
            return "" if self.count is None else str(self.count)
        bounds: list[Any] = [self.count, self.age_s, self.limit]
        return "/".join("" if bound is None else str(bound) for bound in bounds)


KEEP_ALL = Retention()
