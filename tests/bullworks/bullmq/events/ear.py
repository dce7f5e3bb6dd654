"""Ear: what a QueueEvents told, and waiting until it has."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq import QueueEvents
from tests.bullworks.waiting import eventually


class Ear:
    """Listens to everything from the moment it is made."""

    def __init__(self, events: QueueEvents) -> None:
        self.heard: list[tuple[str, dict[str, Any], str]] = []
        self.errors: list[Exception] = []
        self.gaps: list[dict[str, str]] = []
        events.on_any(lambda name, args, event_id: self.heard.append((name, args, event_id)))
        events.on("error", self.errors.append)
        events.on("gap", self.gaps.append)

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.heard]

    @property
    def ids(self) -> list[str]:
        return [event_id for _, _, event_id in self.heard]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The arguments of each such event, in order."""
        return [args for name, args, _ in self.heard if name == event]

    async def until(self, event: str, count: int = 1, *, within_s: float = 10.0) -> list[dict[str, Any]]:
        await eventually(lambda: len(self.of(event)) >= count, within_s=within_s, what=f"{count} x {event}")
        return self.of(event)
