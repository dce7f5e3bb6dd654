"""The tutorial, typed in: what it says to generate and to write is a service whose own tests pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bullworks.cli.generate.generator import Generator
from bullworks.cli.generate.name import Name
from bullworks.cli.generate.service_folder import ServiceFolder
from bullworks.cli.scaffold import Project, write_project
from tests.bullworks.docs.examples import ROOT

PAGE = (ROOT / "docs/tutorial/order-service.md").read_text()
GENERATED = re.findall(r"^\.venv/bin/bullworks generate (module|worker) (\w+)$", PAGE, re.MULTILINE)
FILES = re.findall(r'^```python title="(.+?)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.process


def test_what_is_typed_in_passes_its_own_tests(tmp_path: Path) -> None:
    project, installed = tmp_path / "shop", tmp_path / "installed"
    write_project(Project(name="shop", checkout=ROOT), project)
    for kind, name in GENERATED:
        generator = Generator(ServiceFolder(project, "app", "app/app_module.py", "AppModule"))
        getattr(generator, kind)(Name.parse(name, "part"))
        generator.changes.write()
    for path, text in FILES:
        (project / path).write_text(text)
    (project / "tests/test_parcels_worker.py").unlink()
    installed.mkdir()
    (installed / "bullworks").symlink_to(ROOT / "bullworks", target_is_directory=True)
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/test_orders_worker.py", "tests/test_orders.py"],
        cwd=project,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
