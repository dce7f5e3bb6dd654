"""Every example of docs/modules.md runs, and does what the page says."""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bullworks.cli.application import command_line
from bullworks.cli.commands import Program
from bullworks.core import Application, create_application, module
from bullworks.settings import SettingsError, SettingsSource
from bullworks.workers import BullModule, get_queue_token
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import ROOT, examples_of
from tests.bullworks.docs.stage import Stage

PAGE = "docs/modules.md"
EXAMPLES = examples_of(PAGE)
log = logging.getLogger("example")

checks = Checks()


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage = Stage(example, redis_url, key_prefix)
    check = checks.by_name[example.name]
    await (check(stage, caplog) if check.__code__.co_argcount == 2 else check(stage))


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the example logged."""
    return [record.message for record in caplog.records if record.name == "example"]


@asynccontextmanager
async def running(root: type[Any], *imports: Any) -> AsyncIterator[Application]:
    """A running application of a page's module."""
    async with create_application(module(imports=[*imports, root])(type("Root", (), {}))) as app:
        yield app


@checks("in-one-look")
async def the_service_has_its_mail(stage: Stage) -> None:
    page = await stage.run()
    assert page.sender == "hello@example.com"


@checks("providers")
async def the_store_has_what_it_asked_for(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run(log=log)
    async with running(page.StoreModule) as app:
        store = app.get(page.Store)
        assert (store.connection, store.cache) == ("connected to db://localhost", {"warm": "yes"})
        assert (store.metrics, store.page) == (None, 100)
        assert store.clock() is app.get(page.Clock) is app.get("time")
        assert type(store.clock()) is page.UtcClock
        assert lines_of(caplog) == []
    assert lines_of(caplog) == ["disconnected"]


@checks("one-instance-a-job")
async def each_job_has_its_transaction(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run(log=log)
    root = BullModule.for_root(connection=stage.redis_url, prefix=stage.prefix)
    async with running(page.OrdersModule, root) as app:
        queue = app.get(get_queue_token("orders"))
        good = await stage.finished(await queue.add("order", {"tenant": "acme", "order": "good"}))
        bad = await stage.finished(await queue.add("order", {"tenant": "globex", "order": "bad"}))
        assert (good.returnvalue, bad.failed_reason) == (1, "no such order")
    assert lines_of(caplog) == [
        "acme: committed ['good']",
        "acme is done",
        "globex: rolled back ['bad']",
        "globex is done",
    ]


@checks("requests-of-your-own")
async def each_request_has_its_user(stage: Stage) -> None:
    page = await stage.run()
    async with running(page.ApiModule) as app:
        api = app.get(page.Api)
        assert [await api.handle(user) for user in ("ada", "grace")] == ["hello ada", "hello grace"]


@checks("dynamic-modules")
async def modules_take_arguments_and_import_each_other(stage: Stage) -> None:
    page = await stage.run()
    async with running(page.AppModule) as app:
        assert app.get("orders") == (["ada"], 60)


@checks("lazy-modules")
async def reports_are_loaded_once_and_when_they_are_asked_for(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run(log=log)
    async with running(page.AppModule) as app:
        assert lines_of(caplog) == []
        assert [await app.get(page.Api).report() for _ in range(2)] == ["report", "report"]
        assert lines_of(caplog) == ["reports are ready"]


@checks("durable-providers")
async def a_tenant_s_jobs_share_its_database(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run(log=log)
    root = BullModule.for_root(connection=stage.redis_url, prefix=stage.prefix)
    async with running(page.InvoicesModule, root) as app:
        queue = app.get(get_queue_token("invoices"))
        done = [
            await stage.finished(await queue.add("invoice", {"tenant": tenant, "number": number}))
            for number, tenant in enumerate(("acme", "acme", "globex"))
        ]
        assert [job.returnvalue for job in done] == ["acme: 0", "acme: 1", "globex: 2"]
        assert lines_of(caplog) == ["connected for acme", "connected for globex"]
    assert sorted(lines_of(caplog)[2:]) == ["disconnected for acme", "disconnected for globex"]


@checks("options-from-a-class")
async def options_come_from_a_class(stage: Stage) -> None:
    page = await stage.run()
    async with running(page.AppModule) as app:
        queue = app.get(get_queue_token("email"))
        assert queue.default_job_options == {"attempts": 3}
        assert queue.connection.endpoint.describe() == stage.redis_url


@checks("named-connections")
async def the_report_is_made_elsewhere_once_it_is_warm(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run(log=log)
    async with running(page.AppModule) as app:
        assert lines_of(caplog) == ["caches are warm"]
        queue = app.get(get_queue_token("report"))
        assert (queue.keys.prefix, app.get(get_queue_token("email")).keys.prefix) == ("elsewhere", "bull")
        try:
            assert (await stage.finished(await queue.add("x", 7))).returnvalue == "report 7"
        finally:
            await queue.obliterate(force=True)


@checks("settings")
async def settings_are_injected_and_what_is_wrong_is_told(stage: Stage) -> None:
    page = await stage.run()
    assert page.recipients == ("ada@example.com", "grace@example.com")
    shown = re.search(r"\n((?:    .*\n)+)\nUnknown names in `.env`", (ROOT / PAGE).read_text())
    assert shown is not None
    with tempfile.TemporaryDirectory() as folder:
        env_file = Path(folder, ".env")
        env_file.write_text("REPORT_TIMEOUT_MS=soon\nREPORT_RECIPENTS=ada@example.com\nDATABASE_URL=x\n")
        with pytest.raises(SettingsError) as refused:
            await create_application(page.ReportsModule, settings=SettingsSource(env_file=env_file))
        assert str(refused.value).replace(str(env_file), ".env") == textwrap.dedent(shown[1]).strip()


@checks("commands")
async def the_command_adds_the_job(stage: Stage) -> None:
    page = await stage.run()
    root = module(imports=[BullModule.for_root(), page.ReportsModule])(type("Root", (), {}))
    settings = SettingsSource({"QUEUE_REDIS_URL": stage.redis_url, "QUEUE_PREFIX": stage.prefix})
    program = Program(root, settings)

    def type_it() -> None:
        with program.enter(), pytest.raises(SystemExit, match=r"^0$"):
            command_line(program, ["send-report"])(["send-report", "2026-11-24"])

    await asyncio.to_thread(type_it)  # a loop of its own, as in a process of its own
    async with stage.queue("reports") as queue:
        assert [job.data for job in await queue.get_jobs("waiting")] == [{"day": "2026-11-24"}]


@checks("dependency-injector")
async def containers_are_wired_overridden_and_imported(stage: Stage) -> None:
    page = await stage.run()
    page.app.container.unwire()
    assert (page.host, page.faked) == ("mail.example.com", "fake")


@checks("mistakes")
async def the_page_shows_what_is_told(stage: Stage) -> None:
    page = await stage.run()
    shown = re.search(r"\n\n((?:    .*\n)+)\nThe service's own wiring", (ROOT / PAGE).read_text())
    assert shown is not None
    assert page.told == "\n".join(line.removeprefix("    ") for line in shown[1].splitlines())
