"""`schedule list`, `misses` and `run`, with crons of a service made for the test."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from bullworks.cli import main
from bullworks.core import create_application, module
from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.schedule import CronJob, SchedulerRegistry, cron, interval, timeout
from bullworks.schedule.journal.scripts import CronScripts, Instance
from bullworks.workers import BullModule
from tests.bullworks.cli.conftest import Command

NAME = f"report-{uuid.uuid4().hex[:8]}"
MINUTE_MS = 60_000
runs: list[str] = []


class ReportWorker:
    """What the test's service has."""

    @cron("*/10 * * * *", name=NAME, distributed=True, time_zone="Europe/Paris")
    async def report(self) -> None:
        runs.append("report")

    @cron("0 0 1 1 *")
    def fail(self) -> None:
        raise ValueError("out of paper")

    @cron("0 0 1 1 *", disabled=True)
    def never(self) -> None:
        runs.append("never")

    @interval("poll", 5_000)
    def poll(self) -> None:
        runs.append("poll")

    @timeout(5_000)
    def warm_up(self) -> None:
        runs.append("warm_up")


@module(imports=[BullModule.for_root(queues=("reports",))], providers=[ReportWorker])
class ReportsService: ...


@pytest.fixture
def service() -> type[Any]:
    runs.clear()
    return ReportsService


def rows(command: Command) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in command("schedule", "list", "--json").json}


def test_list_shows_what_is_scheduled_before_anything_ran(command: Command) -> None:
    listed = rows(command)
    expected = {
        NAME: "*/10 * * * * Europe/Paris",
        "ReportWorker.fail": "0 0 1 1 *",
        "ReportWorker.never": "0 0 1 1 * (disabled)",
        "poll": "every 5000 ms",
        "ReportWorker.warm_up": "once after 5000 ms",
    }
    # other tests' crons have records on the server that all share
    assert {name: listed[name]["expression"] for name in expected} == expected
    assert listed[NAME]["next_run"].endswith("0:00Z")
    assert listed[NAME]["last_run"] is None
    assert listed["ReportWorker.never"]["next_run"] is None


def test_run_runs_a_cron_and_list_shows_how_it_went(command: Command) -> None:
    ran = command("schedule", "run", NAME)
    assert (ran.code, runs) == (0, ["report"])
    assert ran.out.startswith(f"Ran {NAME} in ")
    row = rows(command)[NAME]
    assert (row["result"], row["missed"]) == ("ok", 0)
    assert row["last_run"] is not None
    assert ":" in row["instance"]
    header, *lines = command("schedule", "list").out.splitlines()
    assert header.split()[:2] == ["name", "expression"]
    assert any(line.startswith(NAME) and " ok " in line for line in lines)


def test_run_says_that_a_cron_failed(command: Command) -> None:
    ran = command("schedule", "run", "ReportWorker.fail")
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("error: ReportWorker.fail failed after ")
    assert ran.err.splitlines()[-1].endswith("ValueError: out of paper")
    assert rows(command)["ReportWorker.fail"]["result"] == "failed: ValueError: out of paper"


def test_run_of_an_unknown_cron_names_the_near_one(command: Command) -> None:
    ran = command("schedule", "run", "ReportWorker.fial")
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == (
        "error: there is no cron 'ReportWorker.fial'. Did you mean 'ReportWorker.fail'?"
    )


def test_misses_are_listed_with_their_reason(command: Command, redis_url: str) -> None:
    assert command("schedule", "misses", NAME).out == f"{NAME} has missed nothing.\n"

    async def miss() -> None:
        connection = connection_to(Endpoint.of(redis_url))
        scripts = CronScripts(connection, Instance("token", "host:1"))
        await scripts.list_misses(NAME, [10 * MINUTE_MS], "came up late", is_distributed=True, gap_ms=600_000)
        await connection.close()

    asyncio.run(miss())
    assert command("schedule", "misses", NAME, "--json").json == [
        {"tick": "1970-01-01 00:10:00Z", "reason": "came up late", "instance": "host:1"}
    ]
    assert "came up late" in command("schedule", "misses", NAME).out
    assert rows(command)[NAME]["missed"] == 1


def test_misses_of_an_unknown_cron_is_an_error(command: Command) -> None:
    ran = command("schedule", "misses", f"{NAME}x")
    assert (ran.code, ran.err) == (1, f"error: there is no cron '{NAME}x'. Did you mean {NAME!r}?\n")


def test_a_cron_that_was_added_at_run_time_is_listed_too(command: Command) -> None:
    name = f"other-{uuid.uuid4().hex[:8]}"

    async def run() -> None:
        async with await create_application(ReportsService) as application:
            job = CronJob("0 5 * * *", lambda: runs.append(name))
            application.get(SchedulerRegistry).add_cron_job(name, job)
            await job.fire_on_tick()

    asyncio.run(run())
    row = rows(command)[name]
    assert (row["expression"], row["result"]) == ("0 5 * * *", "ok")


def test_a_bad_expression_is_told_by_its_method(capsys: pytest.CaptureFixture[str]) -> None:
    class BadWorker:
        @cron("61 * * * *")
        def bad(self) -> None: ...

    @module(imports=[BullModule.for_root()], providers=[BadWorker])
    class BadService: ...

    with pytest.raises(SystemExit) as ended:
        main(BadService, ["schedule", "list"])
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "BadWorker.bad, @cron('61 * * * *'): " in said
    assert "Traceback" not in said
