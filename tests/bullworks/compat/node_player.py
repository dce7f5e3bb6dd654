"""NodePlayer: plays scenarios with npm bullmq, all in one long-lived process."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.line_process import LineProcess
from tests.bullworks.compat.player import Step, named


class NodePlayer:
    """Asks tests/bullworks/node/player.mjs."""

    def __init__(self, process: LineProcess) -> None:
        self._process = process

    async def play(self, url: str, prefix: str, steps: list[Step]) -> list[Any]:
        """What npm bullmq answers to each step."""
        answer = await self._process.ask({"url": url, "prefix": prefix, "steps": steps})
        return [named(given) for given in answer["answers"]]
