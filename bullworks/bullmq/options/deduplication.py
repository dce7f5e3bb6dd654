"""Deduplication: while one job with an id of your own is there, others with it are not added."""

from dataclasses import dataclass
from typing import Any, TypedDict

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.options import checks


class DeduplicationOptions(TypedDict, total=False):
    """`deduplication={"id": ...}` of `Queue.add`. Source: BullMQ 6.7, DeduplicationOptions.

    Attributes:
        id: what is to be there once. Required.
        ttl: how long it stands, whatever becomes of its job; without, until its job has ended.
        extend: a further job with the id restarts the ttl.
        replace: a further job takes the place of one that is delayed.
        reschedule: a further job gives one that is delayed its own delay, and is dropped.
        keep_last_if_active: the latest job that comes while the id's job runs is added when that ends; no ttl.
    """

    id: str
    ttl: Duration
    extend: bool
    replace: bool
    reschedule: bool
    keep_last_if_active: bool


_FLAGS = ("extend", "replace", "reschedule", "keep_last_if_active")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduplication:
    """Deduplication options after validation; durations in ms."""

    id: str
    ttl_ms: int | None = None
    extend: bool = False
    replace: bool = False
    reschedule: bool = False
    keep_last_if_active: bool = False

    @classmethod
    def of(cls, value: object) -> "Deduplication":
        """Validate a user's deduplication options. Raises InvalidOptionError: no id, an unknown key, a wrong type."""
        if isinstance(value, Deduplication):
            return value
        given = checks.parts("deduplication", value, DeduplicationOptions.__annotations__)
        ttl = given.get("ttl")
        return cls(
            id=checks.text("deduplication.id", given.get("id")),
            ttl_ms=None if ttl is None else checked_ms("deduplication.ttl", ttl, least=1),
            **{
                flag: checks.flag(f"deduplication.{flag}", given[flag])
                for flag in _FLAGS
                if given.get(flag) is not None
            },
        )

    def to_script(self) -> dict[str, Any]:
        """Encode the options for lua/lib/deduplication.lua."""
        script: dict[str, Any] = {"id": self.id}
        if self.ttl_ms is not None:
            script["ttl"] = self.ttl_ms
        return script | {flag: True for flag in _FLAGS if getattr(self, flag)}
