"""Every example of docs/schedule.md runs, and does what the page says."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bullworks.core import Application, create_application, dynamic_module
from bullworks.schedule import ScheduleModule, SchedulerRegistry
from bullworks.settings import SettingsSource
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import examples_of
from tests.bullworks.docs.stage import Stage
from tests.bullworks.waiting import eventually

PAGE = "docs/schedule.md"
EXAMPLES = examples_of(PAGE)
log = logging.getLogger("example")

checks = Checks()


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(example, redis_url, key_prefix)
    check = checks.by_name[example.name]
    await (check(stage, caplog) if check.__code__.co_argcount == 2 else check(stage))


def with_schedule(*providers: Any, **options: Any) -> Application:
    class Root: ...

    imports = [ScheduleModule.for_root(**options)]
    return create_application(dynamic_module(Root, imports=imports, providers=providers))


@checks("module")
async def everything_is_registered(stage: Stage) -> None:
    page = await stage.run()
    async with await create_application(page.ReportsModule) as application:
        registry = application.get(SchedulerRegistry)
        assert registry.get_cron_job("daily-report").time_zone == "Europe/Paris"
        assert (registry.get_intervals(), registry.get_timeouts()) == (["poll"], ["Reports.warm_up"])


@checks("from-settings")
async def options_come_from_the_settings(stage: Stage) -> None:
    page = await stage.run()
    for cron, disabled, expected in (("15 4 * * *", "false", "15 4 * * *"), ("", "true", "0 3 * * *")):
        settings = SettingsSource({"CLEANUP_CRON": cron or None, "CLEANUP_DISABLED": disabled})
        root = dynamic_module(type("Root", (), {}), imports=[ScheduleModule.for_root()], providers=[page.Cleanup])
        async with await create_application(root, settings=settings) as application:
            job = application.get(SchedulerRegistry).get_cron_job("Cleanup.clean")
            assert (job.expression, job.is_active) == (expected, disabled == "false")


@checks("on-error")
async def the_hook_is_told(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run(log=log)

    class Root: ...

    async def fail() -> None:
        raise ValueError("no")

    async with await create_application(dynamic_module(Root, imports=[page.schedule])) as application:
        application.get(SchedulerRegistry).add_timeout("once", fail, 0)
        await eventually(lambda: "timeout once failed: ValueError('no')" in caplog.messages)


@checks("distributed")
async def it_is_claimed_in_redis(stage: Stage) -> None:
    page = await stage.run()
    async with await with_schedule(page.Billing, connection=stage.redis_url) as application:
        job = application.get(SchedulerRegistry).get_cron_job("billing")
        assert (job.distributed, job.is_active) == (True, True)


@checks("registry")
async def jobs_come_and_go_at_run_time(stage: Stage) -> None:
    page = await stage.run()
    async with await with_schedule(page.Plans) as application:
        registry, plans = application.get(SchedulerRegistry), application.get(page.Plans)
        plans.plan("acme", "0 9 * * MON")
        assert registry.get_cron_job("report-acme").is_active
        plans.forget("acme")
        assert not registry.does_exist("cron", "report-acme")
