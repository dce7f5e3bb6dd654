"""A job's parent, and what becomes of the parent where the child fails."""

from dataclasses import dataclass
from typing import Literal, TypedDict

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks

ChildFailure = Literal["fail_parent", "continue_parent", "ignore_dependency", "remove_dependency"]
"""How a parent takes the failure of a child; without one, it waits until the child is retried."""


class ParentOptions(TypedDict):
    """`parent={"id": ..., "queue": "bull:orders"}`: the parent's id, and its queue with the prefix, as in BullMQ."""

    id: str
    queue: str


@dataclass(frozen=True, slots=True)
class Parent:
    """A job's parent after validation."""

    id: str
    queue: str

    @property
    def key(self) -> str:
        """The Redis key of the parent's hash."""
        return f"{self.queue}:{self.id}"

    @classmethod
    def of(cls, value: object) -> "Parent":
        """Validate a user's parent option. Raises InvalidOptionError."""
        if isinstance(value, Parent):
            return value
        if not isinstance(value, dict) or set(value) != {"id", "queue"}:
            raise InvalidOptionError("parent", f"must be {{'id': ..., 'queue': '<prefix>:<name>'}}, not {value!r}")
        for key, part in value.items():
            checks.text(f"parent.{key}", part)
        if ":" not in value["queue"]:
            raise InvalidOptionError("parent.queue", f"needs the prefix too, as in 'bull:{value['queue']}'")
        return cls(value["id"], value["queue"])
