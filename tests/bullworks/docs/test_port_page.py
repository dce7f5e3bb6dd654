"""The right columns of docs/port-of-the-guide.md are programs that do what the guide's code does."""

from __future__ import annotations

import inspect
import logging
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bullworks.core import create_application
from bullworks.settings import SettingsSource
from bullworks.workers import QueueSettings, WorkersSettings, get_queue_token
from tests.bullworks.docs import checks_of_crons, test_workers_page
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import ROOT, Example
from tests.bullworks.docs.stage import Stage

PAGE = "docs/port-of-the-guide.md"
BLOCK = re.compile(r"<!-- port: (?P<name>[a-z-]+) -->\n\| NestJS \| here \|\n\|---\|---\|\n(?P<rows>(?:\|.*\|\n)+)")
CELLS = re.compile(r"^\|(?P<left>(?:[^|\\]|\\.)*)\|(?P<right>(?:[^|\\]|\\.)*)\|$")

checks = Checks()
SHARED = (test_workers_page.checks.by_name | checks_of_crons.checks.by_name).items()
"""The checks of what docs/workers.md says in its own words; a port has to pass the same."""


def code_of(cell: str) -> str:
    """The code in a cell, between one or two backticks."""
    code = cell.strip().replace("\\|", "|")
    return code[3:-3] if code.startswith("``") else code[1:-1]


def ports() -> dict[str, list[tuple[str, str]]]:
    """The rows of each table, by its name."""
    tables = {}
    for block in BLOCK.finditer((ROOT / PAGE).read_text()):
        rows = [match for row in block["rows"].splitlines() if (match := CELLS.match(row)) is not None]
        assert len(rows) == block["rows"].count("\n")
        tables[block["name"]] = [(code_of(row["left"]), code_of(row["right"])) for row in rows]
    return tables


PORTS = ports()


def test_every_block_of_the_guide_is_there_and_every_row_has_a_port() -> None:
    assert len(PORTS) == 17
    lefts_alone = [left for rows in PORTS.values() for left, right in rows if not right]
    assert lefts_alone == [
        "    @InjectQueue('email')",
        "import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'",
        "import { FastifyAdapter } from '@bull-board/fastify'",
        "const serverAdapter = new FastifyAdapter()",
        "  serverAdapter,",
    ]


@pytest.mark.parametrize("name", PORTS)
async def test_port(
    name: str,
    redis_url: str,
    key_prefix: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    caplog.set_level(logging.INFO)
    code = "".join(f"{right}\n" for _, right in PORTS[name] if right)
    # a check may look at other examples of the page that it was written for
    stage = Stage(Example("docs/workers.md", name, code, 1), redis_url, key_prefix)
    check = (dict(SHARED) | checks.by_name)[name]
    given = {"stage": stage, "caplog": caplog, "tmp_path": tmp_path, "monkeypatch": monkeypatch}
    await check(**{parameter: given[parameter] for parameter in inspect.signature(check).parameters})


@checks("configuration")
async def the_env_file_is_read(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUEUE_REDIS_URL")
    file = tmp_path / ".env"
    file.write_text(stage.example.code)
    settings = SettingsSource(env_file=file)
    workers, queues = settings[WorkersSettings], settings[QueueSettings]
    assert (workers.workers_enabled, workers.enabled_workers) == (True, ("all",))
    assert queues.queue_redis_url is not None
    assert queues.queue_redis_url.get_secret_value() == "redis://localhost:6379"


@checks("worker-registration")
async def the_module_runs_with_the_url_of_the_environment(stage: Stage) -> None:
    workers = {
        "EmailWorker": (await stage.run_other("creating-a-worker")).EmailWorker,
        "TickerWorker": (await stage.run_other("cron-jobs")).TickerWorker,
    }
    page = await stage.run(**workers)
    async with create_application(page.WorkersModule.for_root()) as application:
        queues = [application.get(get_queue_token(name)) for name in ("email", "ticker")]
        assert {queue.connection.endpoint.describe() for queue in queues} == {stage.redis_url}
        for queue in queues:  # under the prefix that everything shares
            await queue.obliterate(force=True)


@checks("installing-the-board")
async def the_extra_is_there(stage: Stage) -> None:
    assert stage.example.code == 'pip install "bullworks[board]"\n'
    assert re.search(r"^board = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)


@checks("the-board")
async def both_queues_are_on_the_board(stage: Stage) -> None:
    mounted: dict[str, Any] = {}
    async with stage.queue("email") as email, stage.queue("ticker") as ticker:
        app = SimpleNamespace(mount=mounted.__setitem__)
        page = await stage.run(email_queue=email, ticker_queue=ticker, app=app)
        assert mounted == {"/admin/queues": page.board}
        assert [entry.queue.name for entry in page.board.board.queues] == ["email", "ticker"]


@checks("testing")
async def the_readers_test_passes(stage: Stage) -> None:
    page = await stage.run()
    case = page.TestEmailWorker()
    await inspect.unwrap(vars(page.TestEmailWorker)["before_each"])(case)
    await case.test_should_send_email()


def test_a_port_is_checked_as_the_page_that_tells_it_is() -> None:
    own = set(checks.by_name)
    assert own == {"configuration", "worker-registration", "installing-the-board", "the-board", "testing"}
    assert set(PORTS) - own <= {name for name, _ in SHARED}
