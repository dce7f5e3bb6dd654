"""The runner of the benchmarks measures, and reports what it measured; no figure is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(60)
def test_a_small_run_of_our_own_is_measured_and_reported(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--peers", "bullworks", "--workloads", "drain-100"]
    run = subprocess.run(
        [*command, "--jobs", "200", "--rounds", "1", "--warm", "0", "--results", str(results)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Bullworks" in run.stdout
    assert "jobs/s" in run.stdout
    assert json.loads(results.read_text())


def test_an_unknown_peer_is_an_error_that_names_it_and_says_where_they_are_listed() -> None:
    command = [sys.executable, "-m", "benchmarks", "--peers", "sidekiq"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode != 0
    assert "sidekiq" in run.stderr
    assert "--help" in run.stderr
