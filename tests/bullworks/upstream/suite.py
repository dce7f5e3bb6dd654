"""A run of tests/bullworks/compat, the parity checks and the differential suite, against another release."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
SUITE = "tests/bullworks/compat"
# A hung Node ends by the tests' own limits long before; this ends a run in which all of them hang.
LONGEST_S = 1_800

_RED = re.compile(r"^(?:FAILED|ERROR) (?P<test>.+?)(?: - (?P<why>.*))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What pytest said: its last line, and each red test with the first line of its error.

    `passed` is pytest's own verdict: a run that broke off is not green, though no test of it is red.
    """

    passed: bool
    summary: str
    red: list[tuple[str, str]]


def run(folder: Path, arguments: list[str]) -> Outcome:
    """Run the suite with the npm bullmq of `folder`; missing programs fail instead of skipping.

    Args:
        folder: has our Node scripts and node_modules.
        arguments: more of them for pytest.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=line", "-rfE", SUITE, *arguments],
        cwd=ROOT,
        env={**os.environ, "BULLMQ_NODE_FOLDER": str(folder), "CI": "true"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    return read(done.stdout or done.stderr, passed=done.returncode == 0)


def read(output: str, *, passed: bool) -> Outcome:
    """Read the end of what pytest printed."""
    lines = output.strip().splitlines() or ["pytest printed nothing"]
    red = [(found["test"], found["why"] or "") for found in _RED.finditer(output)]
    return Outcome(passed, lines[-1].strip("= "), red)
