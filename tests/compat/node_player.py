"""NodePlayer: one long-lived Node process that plays scenarios with npm bullmq."""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.compat.node import FOLDER, Node
from tests.compat.player import Step, named

LONGEST_S = 15.0


class NodePlayer:
    """Runs tests/node/player.mjs and asks it, line by line. Starts with the first scenario; close it."""

    def __init__(self, node: Node, log: Path) -> None:
        self._node = node
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def play(self, url: str, prefix: str, steps: list[Step]) -> list[Any]:
        """What npm bullmq answers to each step.

        Raises:
            AssertionError: a step is none, or Node did not answer in time; with what it said.
        """
        question = json.dumps({"url": url, "prefix": prefix, "steps": steps}).encode() + b"\n"
        answer = json.loads(await asyncio.to_thread(self._ask, question))
        assert "broken" not in answer, answer["broken"]
        return [named(given) for given in answer["answers"]]

    def close(self) -> None:
        """End the process; fine if there is none."""
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate(timeout=LONGEST_S)
        self._process = None

    def _ask(self, question: bytes) -> bytes:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(question)
        process.stdin.flush()
        line, deadline_s = b"", time.monotonic() + LONGEST_S
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline_s - time.monotonic()))
            chunk = os.read(process.stdout.fileno(), 1 << 20) if readable else b""
            if not chunk:
                self.close()
                raise AssertionError(f"Node gave no answer within {LONGEST_S} s: {self._log.read_text()[-2000:]}")
            line += chunk
        return line

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            command = [self._node.binary, str(FOLDER / "player.mjs")]
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        return self._process
