"""Crons beside workers: which run, whose connection they use, and how both end."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from bullworks.bullmq import Job
from bullworks.core import Application, create_application
from bullworks.redis.embedded.process import free_port
from bullworks.redis.errors import ConnectError
from bullworks.schedule import ScheduleModule, SchedulerRegistry, cron, interval
from bullworks.schedule.journal.records import read_record
from bullworks.workers import BullModule, UnknownWorkerError, WorkerHost, get_queue_token, processor
from bullworks.workers.tokens import CONNECTION
from tests.bullworks.waiting import eventually

Run = Callable[..., Application]


class TickerWorker:
    @cron("0 1 * * *")
    def tick(self) -> None: ...

    @interval("poll", 60_000)
    def poll(self) -> None: ...


class ReportService:
    @cron("0 2 * * *")
    def report(self) -> None: ...


@processor("email", worker_name="mailer")
class EmailWorker(WorkerHost):
    async def process(self, job: Job) -> str:
        return "ok"

    @cron("0 3 * * *")
    def clean(self) -> None: ...


ALL = (TickerWorker, ReportService, EmailWorker)


@pytest.fixture
def run(redis_url: str, key_prefix: str) -> Run:
    """An application of these providers, not started yet."""

    def create(*providers: Any, **options: Any) -> Application:
        given: dict[str, Any] = {"connection": redis_url, "prefix": key_prefix, **options}
        return create_application(BullModule.for_root(providers=providers, **given))

    return create


def active(app: Application) -> set[str]:
    registry = app.get(SchedulerRegistry)
    crons = {name for name, job in registry.get_cron_jobs().items() if job.is_active}
    return crons | set(registry.get_intervals())


@pytest.mark.parametrize(
    ("enabled", "expected"),
    [
        ("all", {"TickerWorker.tick", "poll", "ReportService.report", "EmailWorker.clean"}),
        ("ticker", {"TickerWorker.tick", "poll"}),
        ("mailer,report_service", {"ReportService.report", "EmailWorker.clean"}),
    ],
)
async def test_crons_run_where_their_worker_does(run: Run, enabled: str, expected: set[str]) -> None:
    async with await run(*ALL, queues=("email",), enabled_workers=enabled) as app:
        assert active(app) == expected
        assert len(app.get(SchedulerRegistry).get_cron_jobs()) == 3


async def test_with_workers_disabled_no_cron_runs(run: Run) -> None:
    async with await run(*ALL, queues=("email",), workers_enabled=False) as app:
        assert active(app) == set()


async def test_an_unknown_worker_is_told_the_workers_that_have_crons_too(run: Run) -> None:
    with pytest.raises(UnknownWorkerError) as unknown:
        await run(*ALL, queues=("email",), enabled_workers="tikcer")
    assert "Workers: mailer, report_service, ticker" in str(unknown.value)


async def test_a_bad_cron_is_told_beside_a_bad_worker(run: Run) -> None:
    class Bad:
        @cron("61 * * * *")
        def work(self) -> None: ...

    with pytest.raises(ExceptionGroup) as refused:
        await run(Bad, EmailWorker, enabled_workers="nobody")
    texts = [str(error) for error in refused.value.exceptions]
    assert any("Bad.work, @cron('61 * * * *')" in text for text in texts)
    assert any("nobody" in text for text in texts)
    assert any("'email'" in text for text in texts)


async def test_without_queues_and_distributed_crons_no_connection_is_opened(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("bullworks.redis.endpoint.Endpoint.open", refuse)
    async with await run(TickerWorker) as app:
        run_ = await app.get(SchedulerRegistry).get_cron_job("TickerWorker.tick").fire_on_tick()
        assert run_.error is None


async def test_runs_of_nameless_crons_are_written_down_where_there_is_a_connection_anyway(
    run: Run, key_prefix: str
) -> None:
    worker = type(f"Worker{key_prefix[-6:]}", (TickerWorker,), {})
    async with await run(worker, queues=("email",)) as app:
        job = app.get(SchedulerRegistry).get_cron_job(f"{worker.__name__}.tick")
        await job.fire_on_tick()
        connection = app.get(CONNECTION)

        async def is_written() -> bool:
            return (await read_record(connection, f"{worker.__name__}.tick")).result == "ok"

        await eventually(is_written)


async def test_a_named_cron_runs_though_redis_is_away_and_the_log_says_so(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []

    class Named:
        @cron("0 1 * * *", name="named")
        def work(self) -> None:
            ran.append(1)

    async with await run(Named, connection=f"redis://127.0.0.1:{free_port()}") as app:
        job = app.get(SchedulerRegistry).get_cron_job("named")
        for _ in range(3):
            assert (await job.fire_on_tick()).error is None
        await eventually(lambda: any("records of crons are waiting for Redis" in text for text in caplog.messages))
    assert len(ran) == 3
    assert sum("records of crons are waiting for Redis" in text for text in caplog.messages) == 1


async def test_a_distributed_cron_needs_redis_at_the_start(run: Run) -> None:
    class Shared:
        @cron("0 1 * * *", name="shared", distributed=True)
        def work(self) -> None: ...

    with pytest.raises(ConnectError):
        await run(Shared, connection=f"redis://127.0.0.1:{free_port()}")
    async with await run(Shared, connection=f"redis://127.0.0.1:{free_port()}", workers_enabled=False) as app:
        assert active(app) == set()


async def test_a_distributed_cron_runs_in_one_of_two_applications(run: Run, key_prefix: str) -> None:
    ran: list[int] = []

    class Shared:
        @cron("* * * * * *", name=key_prefix, distributed=True, threshold=900)
        async def work(self) -> None:
            ran.append(int(time.time()))  # not gmtime(): its clock is up to 4 ms late

    async with await run(Shared) as one, await run(Shared) as other:
        await eventually(lambda: len(set(ran)) >= 3, within_s=15)
        assert one.get(CONNECTION) is not other.get(CONNECTION)
    assert len(ran) == len(set(ran))


async def test_crons_and_jobs_end_within_one_grace_time(run: Run) -> None:
    began = [asyncio.Event(), asyncio.Event()]

    @processor("slow")
    class SlowWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            began[0].set()
            await asyncio.sleep(60)

        @cron("0 1 * * *", name="slow")
        async def tick(self) -> None:
            began[1].set()
            await asyncio.sleep(60)

    app = await run(SlowWorker, queues=("slow",), shutdown_grace=2_000)
    await app.get(get_queue_token("slow")).add("job", None)
    app.get(SchedulerRegistry).add_timeout("tick", app.get(SlowWorker).tick, 0)
    await asyncio.wait_for(asyncio.gather(*(event.wait() for event in began)), 10)
    begun_s = time.monotonic()
    await app.close()
    assert 1.9 < time.monotonic() - begun_s < 2 * 2


async def test_options_of_the_schedule_stand_beside_the_workers(run: Run) -> None:
    told: list[str] = []

    def fail() -> None:
        raise ValueError("no")

    def hook(error: Exception, job: str) -> None:
        told.append(f"{job}: {error}")

    async with await run(TickerWorker, imports=[ScheduleModule.for_root(on_error=hook, intervals=False)]) as app:
        registry = app.get(SchedulerRegistry)
        assert registry.get_intervals() == []
        registry.add_timeout("once", fail, 0)
        await eventually(lambda: told == ["timeout once: no"])
