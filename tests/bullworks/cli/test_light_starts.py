"""What programs do not import when they start; each of these costs between a hundredth and a quarter of a second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
APP = "tests.bullworks.cli.service:AppModule"
_SERVICE = ["fastapi", "jinja2", "prometheus_client", "bullworks.testing", "bullworks.cli.queue_commands"]
_ENGINE = [*_SERVICE, "redis", "croniter", "dependency_injector", "pydantic", "starlette", "uvicorn", "bullworks.core"]

_WORKER = f"""
import bullworks.cli.application, bullworks.cli.worker_command
from bullworks.cli.program import Program
Program({APP!r}).application()
"""
# One after the other in one process, so each may import what those before it did, and more.
STARTS: dict[str, tuple[str, list[str]]] = {
    "--version": ("run(['--version'])", [*_ENGINE, "asyncio", "typer", "rich"]),
    "guardian": ("import bullworks.redis.embedded.__main__", [*_ENGINE, "asyncio", "typer"]),
    "process of a pool": (
        "import bullworks.bullmq.process_pool.main",
        [*_ENGINE, "typer", "bullworks.bullmq.worker.worker", "bullworks.bullmq.queue.queue"],
    ),
    "--help": ("run(['--help'])", _ENGINE),
    "worker": (_WORKER, _SERVICE),
}
_SCRIPT = f"""
import contextlib, json, sys
from bullworks.cli import main
from bullworks.cli.remembered_help import RememberedHelp

def run(arguments):
    with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(SystemExit):
        main({APP!r}, arguments)

RememberedHelp({APP!r}).write({{"greet": "Say hello."}})
imported = {{}}
for name, (code, heavy) in {STARTS!r}.items():
    exec(code)
    imported[name] = [module for module in heavy if sys.modules.get(module)]
print(json.dumps(imported))
"""


def test_a_start_imports_what_it_needs_and_no_more(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == {name: [] for name in STARTS}, "import it where it is first used"
    assert "This service's commands" in done.stderr
