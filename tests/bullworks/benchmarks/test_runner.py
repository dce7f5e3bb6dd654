"""The runner of the benchmarks measures, and ends what it started; no figure is asserted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import run as runner
from benchmarks.peers import PEERS
from benchmarks.plan import plan
from benchmarks.program import Program, ProgramError
from benchmarks.redis_process import RedisProcess
from benchmarks.results import Results
from benchmarks.workloads import WORKLOADS
from tests.bullworks.waiting import wait_until

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "benchmarks"]
SMALL = ["--peers", "bullworks", "--jobs", "200", "--warm", "0"]
HELLO = 'print(\'@bench {"say": "hello", "versions": {}}\', flush=True)'


def members_of(folder: Path) -> list[int]:
    """Processes whose temporary files are there, or that were started by one with it."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"TMPDIR={folder}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.timeout(60)
def test_a_small_run_of_our_own_is_measured_and_reported(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    command = [*COMMAND, *SMALL, "--workloads", "drain-100,two-noop", "--rounds", "1", "--results", str(results)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Bullworks" in run.stdout
    assert "jobs/s" in run.stdout
    assert "left" in run.stderr
    measured = json.loads(results.read_text())["figures"]
    assert len(measured["drain-100"]["bullworks"]) == 3
    assert measured["two-noop"]["bullworks"][0]["jobs"] == 400


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_run_that_is_interrupted_ends_all_it_started_and_reports_what_it_has(tmp_path: Path) -> None:
    results, temporary = tmp_path / "results.json", tmp_path / "temporary"
    temporary.mkdir()
    command = [*COMMAND, *SMALL, "--workloads", "drain-100", "--rounds", "1000", "--results", str(results)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        try:
            wait_until(results.is_file, within_s=30, what="the first results")
            run.send_signal(signal.SIGINT)
            told, _ = run.communicate(timeout=30)
        finally:
            run.kill()
    assert run.returncode == 128 + signal.SIGINT
    assert "ended by SIGINT" in told
    assert "| Bullworks |" in told
    # What was killed is gone once its parent, or the system, has taken notice.
    wait_until(lambda: not members_of(temporary), what="all that the run started to be gone")
    assert list(temporary.iterdir()) == []


@pytest.mark.timeout(60)
def test_a_peer_that_crashes_is_named_and_the_run_goes_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, npm = PEERS["bullworks"], PEERS["bullmq"]
    real = runner.command_of
    crashing = [sys.executable, "-c", f"{HELLO}; raise SystemExit('no such option')"]
    monkeypatch.setattr(runner, "command_of", lambda peer, role: crashing if peer is npm else real(peer, role))
    results = Results("", "", "", 1, 100, [ours.name, npm.name], ["drain-100"])
    lines: list[str] = []
    with RedisProcess() as server:
        slots = plan([npm, ours], [WORKLOADS["drain-100"]], 1)
        runner.run(server, slots, results, warm=0, save_as=tmp_path / "r.json", tell=lines.append)
    assert len(results.figures["drain-100"]["bullworks"]) == 3
    assert results.lacks["drain-100"]["bullmq"].startswith("failed: ")
    assert sum("FAILED" in line for line in lines) == 1


def test_a_program_that_hangs_is_given_up_and_ended_with_its_last_words() -> None:
    hangs = [
        sys.executable,
        "-c",
        f"import sys, threading\n{HELLO}\nprint('stuck', flush=True)\nthreading.Event().wait()",
    ]
    with Program(hangs) as program:
        pid = program.pid
        with pytest.raises(ProgramError, match="did not say 'ready' within 0 s"):
            program.answer("ready", 0.2)
        program.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_unknown_peer_is_an_error_that_names_it_and_says_where_they_are_listed() -> None:
    run = subprocess.run(
        [*COMMAND, "--peers", "sidekiq"], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )
    assert run.returncode != 0
    assert "sidekiq" in run.stderr
    assert "--help" in run.stderr


def test_the_list_tells_peers_and_workloads() -> None:
    run = subprocess.run([*COMMAND, "--list"], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    assert all(f"  {name} " in run.stdout for name in [*PEERS, *WORKLOADS])
