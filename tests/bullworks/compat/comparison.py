"""Comparison: one scenario played by each side on an emptied database, and where they differ."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from tests.bullworks.compat import player
from tests.bullworks.compat.dump import clear, dump
from tests.bullworks.compat.node_player import NodePlayer
from tests.bullworks.compat.normaliser import Normaliser
from tests.bullworks.compat.player import Step

PREFIX = "bull"
NOTHING = "<nothing>"

_MARGIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a scenario: its answers by the number of the step, from 0, and the keys, evened out."""

    answers: list[Any]
    keys: dict[str, Any]

    def differences(self, other: Seen) -> dict[str, tuple[Any, Any]]:
        """Path -> (here, there); empty where both are the same."""
        return _differences("", {"answers": self.answers, **self.keys}, {"answers": other.answers, **other.keys})


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides, each with a database of its own on one server."""

    node: NodePlayer
    node_url: str
    python_url: str

    async def in_node(self, steps: list[Step]) -> Seen:
        return await self._see(self.node_url, steps, self.node.play)

    async def in_python(self, steps: list[Step]) -> Seen:
        return await self._see(self.python_url, steps, player.play)

    async def differences(self, steps: list[Step]) -> dict[str, tuple[Any, Any]]:
        """Path -> (npm bullmq's, ours)."""
        return (await self.in_node(steps)).differences(await self.in_python(steps))

    async def _see(self, url: str, steps: list[Step], play: Callable[..., Awaitable[list[Any]]]) -> Seen:
        clear(url)
        await _away_from_the_full_minute(steps)
        normaliser = Normaliser(int(time.time() * 1000))
        answers = await play(url, PREFIX, steps)
        return Seen(normaliser.answers(answers), normaliser.keys(dump(url)))


async def _away_from_the_full_minute(steps: list[Step]) -> None:
    """A scheduler's runs lie on full minutes: one that is set at such a moment has another offset than all others.

    The same holds for a moment that is as long before a full minute as an offset that the steps ask for.
    """
    repeats = [part for step in steps for part in step if isinstance(part, dict)]
    ahead_s = [0.0, *(repeat["offsetIn"] / 1000 for repeat in repeats if "offsetIn" in repeat)]
    for _ in ahead_s:
        for ahead in ahead_s:
            past_s = (time.time() + ahead + _MARGIN_S) % 60
            if past_s < 2 * _MARGIN_S:
                await asyncio.sleep(2 * _MARGIN_S - past_s)


def _differences(path: str, one: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return {path: _unmatched(one, other)}
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if not isinstance(one, dict) or not isinstance(other, dict):
        # True is 1 for Python; in JSON they are two.
        return {} if one == other and isinstance(one, bool) == isinstance(other, bool) else {path: (one, other)}
    found: dict[str, tuple[Any, Any]] = {}
    for key in dict.fromkeys([*one, *other]):
        below = f"{path}/{key}" if path else str(key)
        found |= _differences(below, one.get(key, NOTHING), other.get(key, NOTHING))
    return found


def _unmatched(one: list[Any], other: list[Any]) -> tuple[list[Any], list[Any]]:
    """What only one of two lists has, in order."""
    matcher = SequenceMatcher(None, [repr(part) for part in one], [repr(part) for part in other], autojunk=False)
    here: list[Any] = []
    there: list[Any] = []
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind != "equal":
            here += one[start:end]
            there += other[other_start:other_end]
    return here, there
