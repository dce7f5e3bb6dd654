"""Normaliser: what two runs of one scenario have in common, with what they cannot have replaced.

- A time within a day of the run becomes its distance from the start in steps of 10 s: `<+0>`, `<+360>`.
  Another one stands as it is: a scenario named it, or a calendar did.
- A generated uuid becomes its number in order of appearance, in the answers first, then in the events.
- What is left of a delay is rounded up to whole seconds, that of a calendar's time not at all compared; nor is the
  offset of a scheduler, which is where its first run lay between two others.
- Members with equal scores, and sets, are sorted afterwards: by uuid or millisecond they are in any order.
- `meta.version` is left out: it names who wrote it.
"""

from __future__ import annotations

import re
from typing import Any

_TIME = re.compile(r"(?<!\d)\d{13}(?!\d)")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Redis' clock is in ms, as ours: what was read first may still seem the later one.
_BEFORE_MS = 2_000
_DAY_MS = 86_400_000
_STEP_MS = 10_000
# A delayed job's score is its time, shifted by 12 bits, and its number among those of the same ms.
_DELAYED = 4096


class Normaliser:
    """One run's.

    Args:
        started_ms: when it began, ms since the epoch.
    """

    def __init__(self, started_ms: int) -> None:
        self._started_ms = started_ms
        self._uuids: dict[str, int] = {}

    def answers(self, answers: list[Any]) -> list[Any]:
        """Of each step; of an error only what it means."""
        plain = [{"error": a["error"]} if isinstance(a, dict) and "error" in a else a for a in answers]
        return [self._value(answer) for answer in plain]

    def keys(self, keys: dict[str, list[Any]]) -> dict[str, Any]:
        """Of a dump; after the answers."""
        for key in sorted(keys, key=lambda key: (keys[key][0] != "stream", key)):
            self._count(keys[key][2])
        evened = {self._text(key): self._key(key, *keys[key]) for key in sorted(keys)}
        assert len(evened) == len(keys), f"normaliser out made two keys one: {sorted(keys)}"
        return evened

    def _key(self, key: str, kind: str, ttl: int | None, content: Any) -> list[Any]:
        if kind == "zset":
            is_delayed = key.endswith(":delayed")
            members = [[self._text(member), self._score(score, is_delayed=is_delayed)] for member, score in content]
            return [kind, ttl, sorted(members, key=lambda pair: (str(pair[1]), pair[0]))]
        if kind == "set":
            return [kind, ttl, sorted(self._text(member) for member in content)]
        if kind == "hash" and key.endswith(":meta"):
            content = {name: value for name, value in content.items() if name != "version"}
        return [kind, ttl, self._value(content)]

    def _value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {self._text(key): self._value(part, key) for key, part in value.items()}
        if isinstance(value, list):
            return [self._value(part, name) for part in value]
        if isinstance(value, str):
            return str(self._number_in(name, int(value))) if value.isdecimal() else self._text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number_in(name, value)
        return value

    def _text(self, text: str) -> str:
        text = _TIME.sub(lambda match: str(self._time(int(match[0]))), text)
        return _UUID.sub(lambda match: f"<uuid {self._uuids.setdefault(match[0], len(self._uuids))}>", text)

    def _count(self, value: Any) -> None:
        """Give each uuid within its number."""
        for uuid in _UUID.findall(repr(value)):
            self._uuids.setdefault(uuid, len(self._uuids))

    def _time(self, value: float) -> Any:
        after_ms = value - self._started_ms
        return f"<{int(after_ms + _BEFORE_MS) // _STEP_MS * 10:+}>" if abs(after_ms) <= _DAY_MS else value

    def _number_in(self, name: str, value: float) -> Any:
        evened = self._time(value)
        if evened != value:
            return evened
        if name == "offset":
            return "<offset>" if value else 0
        if name == "delay" and value > 1_000:
            return "<long>" if value > _DAY_MS else -(-int(value) // 1_000) * 1_000
        return value

    def _score(self, score: float, *, is_delayed: bool) -> Any:
        if not is_delayed:
            return self._time(score)
        ms, number = divmod(int(score), _DELAYED)
        evened = self._time(ms)
        # Which jobs are of the same ms is chance, but for times that the scenario names.
        return [ms, number] if evened == ms else evened
