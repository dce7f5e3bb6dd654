"""Decorated methods in an application: what is registered, and everything that is wrong at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bullworks.core import Application, Scope, create_application, dynamic_module, injectable, provide
from bullworks.schedule import (
    BadExpressionError,
    CronExpression,
    FromSettings,
    JobOptionError,
    JobScopeError,
    NoRedisForCronsError,
    SameJobNameError,
    ScheduleModule,
    SchedulerRegistry,
    SchedulesDifferError,
    cron,
    interval,
    timeout,
)
from bullworks.settings import Settings
from tests.bullworks.waiting import eventually

Create = Callable[..., Application]


def problems_of(failure: BaseException) -> Iterator[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        for part in failure.exceptions:
            yield from problems_of(part)
    else:
        yield failure


async def refused(application: Application) -> list[BaseException]:
    """What the start is refused with."""
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - one error or a group, which is looked into
        await application
    return list(problems_of(refusal.value))


class Base:
    @cron("0 1 * * *")
    def inherited(self) -> None: ...

    @cron("0 2 * * *")
    def overridden(self) -> None: ...


class Worker(Base):
    def __init__(self) -> None:
        self.ran: list[str] = []

    def overridden(self) -> None: ...

    @cron("0 3 * * *")
    @cron(CronExpression.EVERY_HOUR, name="hourly")
    def twice(self) -> None: ...

    @cron("0 4 * * *", disabled=True)
    def disabled(self) -> None: ...

    @cron("0 5 * * *")
    @staticmethod
    def static() -> None: ...

    @interval("poll", timedelta(seconds=5))
    def poll(self) -> None: ...

    @interval(10)
    async def often(self) -> None:
        self.ran.append("often")

    @timeout(0)
    def soon(self, mark: str = "soon") -> None:
        self.ran.append(mark)


async def test_methods_are_registered_under_their_own_names_or_their_methods(application: Create) -> None:
    async with await application(Worker) as app:
        registry = app.get(SchedulerRegistry)
        jobs = registry.get_cron_jobs()
        assert {name: job.expression for name, job in jobs.items()} == {
            "hourly": "0 0-23/1 * * *",
            "Worker.twice": "0 3 * * *",
            "Worker.disabled": "0 4 * * *",
            "Worker.static": "0 5 * * *",
            "Worker.inherited": "0 1 * * *",
        }
        assert [name for name, job in jobs.items() if not job.is_active] == ["Worker.disabled"]
        assert registry.get_intervals() == ["poll", "Worker.often"]
        worker = app.get(Worker)
        await eventually(lambda: "soon" in worker.ran and worker.ran.count("often") > 2)
        assert registry.get_timeouts() == []


async def test_two_classes_of_one_name_have_a_cron_each(application: Create) -> None:
    def another() -> type[Any]:
        class Worker:
            @cron("0 1 * * *")
            def work(self) -> None: ...

        return Worker

    async with await application(another(), provide("other", use_class=another())) as app:
        assert list(app.get(SchedulerRegistry).get_cron_jobs()) == ["Worker.work", "Worker.work#2"]


async def test_another_token_for_an_instance_does_not_run_it_twice(application: Create) -> None:
    shared = Worker()
    providers = [provide(Worker, use_value=shared), provide("other", use_value=shared)]
    alias = provide("alias", use_existing=Worker)
    async with await application(*providers, alias) as app:
        assert len(app.get(SchedulerRegistry).get_cron_jobs()) == 5


async def test_a_replaced_provider_has_no_crons(application: Create) -> None:
    app = application(Worker)
    app.container.worker.override(SimpleNamespace())
    async with await app:
        assert app.get(SchedulerRegistry).get_cron_jobs() == {}


class Bad:
    @cron("61 * * * *")
    def minute(self) -> None: ...

    @cron("0 0 31 2 *")
    def date(self) -> None: ...

    @cron("0 9 * * *", time_zone="Mars/Olympus")
    def zone(self) -> None: ...

    @cron("0 9 * * *", distributed=True)
    def unnamed(self) -> None: ...

    @cron("1 9 * * *", name="twin")
    def one(self) -> None: ...

    @cron("2 9 * * *", name="twin")
    def other(self) -> None: ...

    @cron("3 9 * * *", name="brace{")
    def brace(self) -> None: ...

    @cron("4 9 * * *", wait_for_completion="yes")  # type: ignore[arg-type]
    def flag(self) -> None: ...

    @cron("5 9 * * *", threshold=-1)
    def threshold(self) -> None: ...

    @cron("6 9 * * *")
    def needy(self, what: str) -> None: ...

    @interval(0)
    def interval(self) -> None: ...

    @timeout("late", -1)
    def timeout(self) -> None: ...


async def test_all_that_is_wrong_is_told_at_once_with_class_method_and_expression(application: Create) -> None:
    problems = {str(problem): type(problem) for problem in await refused(application(Bad))}
    expected = {
        ("Bad.minute, @cron('61 * * * *')", "minute: 61 is not within 0-59"): BadExpressionError,
        ("Bad.date, @cron('0 0 31 2 *')", "day of month"): BadExpressionError,
        ("Bad.zone, @cron('0 9 * * *')", "unknown time zone 'Mars/Olympus'"): BadExpressionError,
        ("Bad.unnamed, @cron('0 9 * * *')", "distributed=True needs a name"): JobOptionError,
        ("Bad.one, @cron('1 9 * * *')", "Bad.other, @cron('2 9 * * *') are both the cron 'twin'"): SameJobNameError,
        ("Bad.brace, @cron('3 9 * * *')", "no braces"): JobOptionError,
        ("Bad.flag, @cron('4 9 * * *')", "wait_for_completion must be True or False, not 'yes'"): JobOptionError,
        ("Bad.threshold, @cron('5 9 * * *')", "threshold must be 0 .."): JobOptionError,
        ("Bad.needy, @cron('6 9 * * *')", "it is called without arguments, but needs what"): JobOptionError,
        ("Bad.interval, @interval(0)", "it must be 1 .."): JobOptionError,
        ("Bad.timeout, @timeout(-1)", "it must be 0 .."): JobOptionError,
    }
    assert len(problems) == len(expected)
    for (where, reason), kind in expected.items():
        assert [found for text, found in problems.items() if where in text and reason in text] == [kind], where


@pytest.mark.parametrize("binding", ["lazy", "transient", "request"])
async def test_a_class_that_is_not_built_at_the_start_has_no_crons(application: Create, binding: str) -> None:
    class Late:
        @cron("0 9 * * *")
        def work(self) -> None: ...

    scope = {"transient": Scope.TRANSIENT, "request": Scope.REQUEST}.get(binding, Scope.SINGLETON)
    (problem,) = await refused(application(injectable(scope=scope, lazy=binding == "lazy")(Late)))
    assert isinstance(problem, JobScopeError)
    assert str(problem).startswith("Late.work, @cron('0 9 * * *'): Late is lazy, or ")


async def test_a_distributed_cron_needs_redis(application: Create) -> None:
    class Shared:
        @cron("0 9 * * *", name="shared", distributed=True)
        def work(self) -> None: ...

        @cron("0 9 * * *", name="off", distributed=True, disabled=True)
        def off(self) -> None: ...

    (problem,) = await refused(application(Shared))
    assert isinstance(problem, NoRedisForCronsError)
    assert str(problem).startswith("shared: distributed=True needs Redis")


class ReportSettings(Settings):
    report_cron: str = "0 7 * * *"
    report_name: str | None = None
    report_every: int = 9_000
    report_disabled: bool = True


async def test_options_come_from_functions_and_settings(application: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORT_CRON", "0 6 * * *")

    class Deferred:
        @cron(
            FromSettings(ReportSettings, "report_cron"), name=FromSettings(ReportSettings, "report_name", default="r")
        )
        def by_field(self) -> None: ...

        @cron(
            lambda: "0 8 * * *",
            time_zone=lambda: "Asia/Tokyo",
            disabled=lambda settings: settings[ReportSettings].report_disabled,
        )
        def by_function(self) -> None: ...

        @interval("every", FromSettings(ReportSettings, "report_every"))
        def often(self) -> None: ...

    async with await application(Deferred) as app:
        registry = app.get(SchedulerRegistry)
        assert registry.get_cron_job("r").expression == "0 6 * * *"
        by_function = registry.get_cron_job("Deferred.by_function")
        assert (by_function.expression, by_function.time_zone, by_function.is_active) == (
            "0 8 * * *",
            "Asia/Tokyo",
            False,
        )
        assert registry.get_interval("every").duration_ms == 9_000


def test_a_setting_that_is_not_there_is_refused_at_decoration() -> None:
    with pytest.raises(TypeError, match=r"ReportSettings has no field 'report_corn'; it has report_cron, "):
        FromSettings(ReportSettings, "report_corn")
    with pytest.raises(TypeError, match=r"takes a settings class and the name of its field, not 'report\.cron'"):
        FromSettings("report.cron", "x")  # type: ignore[arg-type]


async def test_a_setting_that_cannot_be_used_is_named_with_the_method(
    application: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BadSettings(Settings):
        bad_cron: str = "0 0 31 2 *"
        bad_every: int = 1

    monkeypatch.setenv("BAD_EVERY", "often")

    class Deferred:
        @cron(FromSettings(ReportSettings, "report_name"))
        def unset(self) -> None: ...

        @cron("0 9 * * *", threshold=lambda: 1 // 0)
        def failing(self) -> None: ...

        @cron(FromSettings(ReportSettings, "report_cron"), name=lambda settings: settings[BadSettings].bad_cron)
        def wrong(self) -> None: ...

    texts = sorted(str(problem) for problem in await refused(application(Deferred)))
    assert texts[0].startswith("Deferred.failing, @cron('0 9 * * *'): threshold could not be read: ")
    assert texts[1].endswith("expression could not be read: REPORT_NAME is not set, and has no default here")
    assert "Deferred.wrong" in texts[2]
    assert "BAD_EVERY='often'" in texts[2]
    monkeypatch.delenv("BAD_EVERY")

    class Impossible:
        @cron(FromSettings(BadSettings, "bad_cron"))
        def bad(self) -> None: ...

    (problem,) = await refused(application(Impossible))
    assert str(problem).startswith(
        "Impossible.bad, @cron(FromSettings(BadSettings, 'bad_cron')): cron expression '0 0 31 2 *'"
    )


async def test_kinds_can_be_switched_off(application: Create) -> None:
    async with await application(Worker, cron_jobs=False, intervals=False, timeouts=False) as app:
        registry = app.get(SchedulerRegistry)
        assert (registry.get_cron_jobs(), registry.get_intervals(), registry.get_timeouts()) == ({}, [], [])


async def test_the_module_imported_several_times_is_one_schedule() -> None:
    class Inner: ...

    class Root: ...

    told: list[str] = []
    inner = dynamic_module(Inner, imports=[ScheduleModule.for_root()], providers=[Worker])
    outer = ScheduleModule.for_root(on_error=lambda error, job: told.append(f"{job}: {error}"))
    async with await create_application(dynamic_module(Root, imports=[outer, inner])) as app:
        registry = app.get(SchedulerRegistry)
        assert len(registry.get_cron_jobs()) == 5

        def fail() -> None:
            raise ValueError("no")

        registry.add_timeout("once", fail, 0)
        await eventually(lambda: told == ["timeout once: no"])


async def test_different_options_in_two_places_are_an_error() -> None:
    class Inner: ...

    class Root: ...

    inner = dynamic_module(Inner, imports=[ScheduleModule.for_root(timeouts=False)])
    root = dynamic_module(Root, imports=[ScheduleModule.for_root(intervals=False), inner])
    (problem,) = await refused(create_application(root))
    assert isinstance(problem, SchedulesDifferError)
    assert "has different options in " in str(problem)


async def test_a_setting_that_turns_bad_between_the_checks_and_the_start_ends_it(application: Create) -> None:
    expressions = iter(["0 1 * * *", "bad", "bad"])

    class Deferred:
        @cron(lambda: next(expressions))
        def work(self) -> None: ...

    (problem,) = await refused(application(Deferred))
    assert isinstance(problem, BadExpressionError)


async def test_a_datetime_stands_for_one_run(application: Create) -> None:
    ran = asyncio.Event()

    class Once:
        @cron(lambda: datetime.now().astimezone() + timedelta(milliseconds=60))
        async def work(self) -> None:
            ran.set()

    async with await application(Once):
        await asyncio.wait_for(ran.wait(), 5)
