"""A team deletes the sample features and workers: what is left starts, with --help, board and health."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.bullworks.orphans import end_with_tests
from tests.bullworks.waiting import wait_until

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
START_S = 60.0


def forget_missing(path: Path, root: Path) -> None:
    """Remove the imports of modules that are not there, and the lines of lists that name what they brought."""
    text = path.read_text()
    tree = ast.parse(text)
    lines = text.splitlines()
    gone: set[str] = set()
    drop: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("app."):
            target = root / node.module.replace(".", "/")
            if not target.with_suffix(".py").is_file() and not (target / "__init__.py").is_file():
                gone |= {alias.asname or alias.name for alias in node.names}
                drop |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple):
            for element in node.elts:
                if isinstance(element, ast.Name) and element.id in gone:
                    drop.add(element.lineno)
    path.write_text("\n".join(line for number, line in enumerate(lines, 1) if number not in drop) + "\n")


@pytest.fixture
def bare_project(tmp_path: Path) -> Path:
    """This project as it is after `rm -r app/modules/* app/workers/*_worker.py` and their lines in two modules."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("main.py", "pyproject.toml"):
        shutil.copy(ROOT / name, project / name)
    shutil.copytree(ROOT / "app", project / "app", ignore=shutil.ignore_patterns("__pycache__"))
    for feature in (project / "app" / "modules").iterdir():
        shutil.rmtree(feature) if feature.is_dir() else feature.unlink()
    for worker in (project / "app" / "workers").glob("*_worker.py"):
        worker.unlink()
    return project


@pytest.fixture
def environment(tmp_path: Path, redis_url: str, key_prefix: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PYTHONPATH": str(_framework_alone(tmp_path)),
        "QUEUE_REDIS_URL": redis_url,
        "QUEUE_PREFIX": key_prefix,
        "HTTP_PORT": "0",
        "COLUMNS": "200",
    }


def _framework_alone(tmp_path: Path) -> Path:
    """A folder on the path with the framework in it and no `app`, as an installed wheel is."""
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "bullworks").symlink_to(ROOT / "bullworks", target_is_directory=True)
    return folder


@pytest.fixture
def running(bare_project: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """The service of the bare project, and where it logs."""
    for name in ("app_module.py", "workers/workers_module.py"):
        forget_missing(bare_project / "app" / name, bare_project)
    log = tmp_path / "service.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "main.py"], cwd=bare_project, env=environment, stdout=output, stderr=output
        )
    end_with_tests(process)
    yield log
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def main_py(project: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "main.py", *arguments]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=START_S, check=False
    )


@pytest.mark.timeout(150)
def test_without_the_samples_the_service_starts_with_board_and_health(
    running: Path, bare_project: Path, environment: dict[str, str]
) -> None:
    def url() -> str | None:
        lines = [line for line in running.read_text().splitlines() if "serving http" in line]
        return lines[0].split("serving ")[1].split(": /")[0] if lines else None

    base = wait_until(url, within_s=START_S, what=f"the service: {running.read_text()}")
    assert base is not None
    with httpx.Client(base_url=base, timeout=10) as browser:
        assert browser.get("/health/ready").text == "ok\n"
        assert browser.get("/admin/queues/-/").status_code == 200
        assert [queue["name"] for queue in browser.get("/admin/queues/api/queues").json()["queues"]] != []
    shown = main_py(bare_project, environment, "--help")
    assert shown.returncode == 0, shown.stderr
    assert "worker" in shown.stdout
    assert "demo" not in shown.stdout
    assert shown.stderr == ""


@pytest.mark.timeout(150)
def test_with_their_lines_left_in_place_the_help_answers_and_the_start_names_the_line(
    bare_project: Path, environment: dict[str, str]
) -> None:
    shown = main_py(bare_project, environment, "--help")
    assert shown.returncode == 0
    assert "worker" in shown.stdout
    assert "The service's own commands cannot be listed" in shown.stderr
    started = main_py(bare_project, environment)
    assert started.returncode == 1
    where = bare_project / "app" / "app_module.py"
    number = next(n for n, line in enumerate(where.read_text().splitlines(), 1) if "app.modules." in line)
    assert f"{where}:{number}: there is no module 'app.modules.users'" in started.stderr
    assert "remove the import and its uses" in started.stderr
    assert "Traceback" not in started.stderr
