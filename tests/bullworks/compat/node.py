"""Running the scripts of tests/bullworks/node, which use the real npm bullmq."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PINNED_FOLDER = Path(__file__).parent.parent / "node"
FOLDER = Path(os.environ.get("BULLMQ_NODE_FOLDER") or PINNED_FOLDER)
"""Where the scripts and their node_modules are; `make upstream` sets the variable to a copy with another bullmq."""
QUEUE = "q"
"""The queue that a scenario is about, unless it says otherwise."""
LONGEST_S = 15.0


class NodeMissingError(Exception):
    """Node, or npm bullmq in tests/bullworks/node, is not installed; it says which."""


@dataclass(frozen=True, slots=True)
class Node:
    """Node.js, with what tests/bullworks/node/package.json asks for."""

    binary: str

    @classmethod
    def find(cls) -> Node:
        """Raises NodeMissingError where something is missing."""
        binary = shutil.which("node")
        if binary is None:
            raise NodeMissingError("no node on PATH: tests against npm bullmq cannot run")
        if not (FOLDER / "node_modules" / "bullmq").is_dir():
            raise NodeMissingError(f"npm bullmq is not installed: run `npm ci` in {FOLDER}")
        return cls(binary)

    def version(self) -> str:
        """Of Node and of bullmq."""
        done = subprocess.run([self.binary, "--version"], capture_output=True, text=True, timeout=LONGEST_S, check=True)
        package = json.loads((FOLDER / "node_modules" / "bullmq" / "package.json").read_text())
        return f"{done.stdout.strip()} with bullmq {package['version']}"

    async def ask(self, script: str, question: dict[str, Any]) -> Any:
        """Run a script of tests/bullworks/node: JSON in on stdin, JSON out on stdout."""
        process = await asyncio.create_subprocess_exec(
            self.binary,
            str(FOLDER / script),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(LONGEST_S):
                out, err = await process.communicate(json.dumps(question).encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    @asynccontextmanager
    async def serve(self, script: str, question: dict[str, Any]) -> AsyncIterator[asyncio.StreamReader]:
        """Run a script that prints `ready`, then lines, until its stdin ends."""
        process = await asyncio.create_subprocess_exec(
            self.binary,
            str(FOLDER / script),
            json.dumps(question),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(LONGEST_S):
                assert await process.stdout.readline() == b"ready\n"
            yield process.stdout
        finally:
            process.stdin.close()
            try:
                async with asyncio.timeout(LONGEST_S):
                    await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


async def in_node(node: Node, url: str, prefix: str, steps: list[list[Any]]) -> list[Any]:
    """What npm bullmq answers to each step of a scenario, by a process of its own."""
    answer = await node.ask("player.mjs", {"url": url, "prefix": prefix, "steps": steps})
    assert "broken" not in answer, answer["broken"]
    answers: list[Any] = answer["answers"]
    return answers
