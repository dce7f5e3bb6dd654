"""`.ci/audit.py` believes no "nothing found" from a service that did not answer."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {"name": "redis", "version": "8.1.0", "vulns": []}
UNANSWERED = {"name": "rich", "skip_reason": "Dependency not found"}
VULNERABLE = {"name": "x", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(audit: ModuleType, monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str = "") -> int:
    def answer(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, stdout=stdout, stderr=stderr)

    monkeypatch.setattr(audit.subprocess, "run", answer)
    monkeypatch.setattr(sys, "argv", ["audit.py", "base.lock"])
    with pytest.raises(SystemExit) as ended:
        audit.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([CLEAN], 0, "1 packages, 0 known vulnerabilities"),
        ([CLEAN, UNANSWERED], 0, "NOT AUDITED, the service answered for 1 of 2"),
        ([VULNERABLE], 1, "x 1: CVE-1, fixed in ['2']"),
    ],
)
def test_each_answer_is_told(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    packages: list[dict[str, Any]],
    code: int,
    said: str,
) -> None:
    assert run(audit, monkeypatch, json.dumps({"dependencies": packages})) == code
    assert said in capsys.readouterr().out


def test_no_answer_at_all_is_told(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(audit, monkeypatch, "", "Traceback\nConnectionError: no route") == 0
    assert "NOT AUDITED, the service answered for 0 of 0: ConnectionError: no route" in capsys.readouterr().out
