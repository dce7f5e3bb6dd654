"""LineProcess: a Node process that is asked line by line, in JSON."""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.bullworks.compat.node import FOLDER, Node

LONGEST_S = 15.0


class LineProcess:
    """Runs a script of tests/bullworks/node; starts with the first question, again after one was not answered."""

    def __init__(self, node: Node, script: str, log: Path) -> None:
        self._command = [node.binary, str(FOLDER / script)]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def ask(self, question: dict[str, Any]) -> Any:
        """The answer.

        Raises:
            AssertionError: it says that the question is at fault, or said nothing in time; with what stands in its log.
        """
        answer = json.loads(await asyncio.to_thread(self._ask, json.dumps(question).encode() + b"\n"))
        assert not isinstance(answer, dict) or "broken" not in answer, answer["broken"]
        return answer

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
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
                )
        return self._process
