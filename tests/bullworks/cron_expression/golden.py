"""The golden table, and the npm cron-parser it came from."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bullworks.cron_expression import CronSchedule

NODE_FOLDER = Path(__file__).parents[1] / "node"
SCRIPT = NODE_FOLDER / "cron_golden.mjs"
GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))
LONGEST_S = 15.0


@dataclass(frozen=True, slots=True)
class Question:
    """An expression, asked for the runs after an instant."""

    expression: str
    tz: str
    start: str
    seed: str | None = None

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Question:
        return cls(entry["expression"], entry["tz"], entry["start"], entry.get("seed"))

    def __str__(self) -> str:
        return f"{self.expression} | {self.tz} | {self.start}"

    def our_runs(self, count: int) -> list[str]:
        """The next runs, as cron_golden.mjs writes them."""
        schedule = CronSchedule.parse(self.expression, tz=self.tz, hash_seed=self.seed)
        runs = schedule.runs_ms(milliseconds(self.start))
        return [text(run) for _, run in zip(range(count), runs, strict=False)]


def milliseconds(instant: str) -> int:
    """Of an ISO text with a zone."""
    return round(datetime.fromisoformat(instant).timestamp() * 1000)


def text(instant_ms: int) -> str:
    """2024-03-31T01:30:00Z, for an instant at a full second."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ask_node(questions: list[Question], count: int) -> list[dict[str, Any]]:
    """cron-parser's answers; skips the test where Node or npm bullmq is missing, and fails it with CI=true."""
    node = shutil.which("node")
    missing = "no node on PATH" if node is None else ""
    if not (NODE_FOLDER / "node_modules" / "bullmq").is_dir():
        missing = missing or f"npm bullmq is not installed: run `npm ci` in {NODE_FOLDER}"
    if missing or node is None:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    asked = [
        {"expression": question.expression, "tz": question.tz, "start": question.start, "seed": question.seed or ""}
        | {"count": count}
        for question in questions
    ]
    done = subprocess.run(
        [node, str(SCRIPT), "--answer"],
        input=json.dumps(asked),
        capture_output=True,
        encoding="utf-8",
        timeout=LONGEST_S,
        check=True,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
