"""`requirements/install.py`: the only code that runs on whatever Python a machine has."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "requirements" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_can_read_the_script() -> None:
    ast.parse((ROOT / "requirements" / "install.py").read_text(), feature_version=(3, 6))


def test_an_old_python_is_told_what_to_do(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(install, "answers", lambda name: name == "python3.12")
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or later; .* is 3\.9: .* PYTHON=python3\.12"):
        install.check_python()


def test_a_shim_that_does_not_start_is_no_python(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not install.answers("python3.99")
    assert not install.answers("python3.98")


def test_a_broken_environment_is_made_anew(install: ModuleType, tmp_path: Path) -> None:
    assert not install.has_right_python(tmp_path / "missing")
    python = install.python_of(tmp_path)
    python.parent.mkdir(parents=True)
    python.write_text("no program")
    assert not install.has_right_python(tmp_path)
    assert install.has_right_python(Path(sys.prefix))


def test_wrong_arguments_are_refused() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "requirements" / "install.py", "venv", "neither", "stamp"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("usage: ")
