"""Alive and ready: what strangers are told, and when."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from bullworks.bullmq import Job
from bullworks.core import Application
from bullworks.health import Readiness
from bullworks.web import WebServer
from bullworks.workers import WorkerHost, WorkersRegistrar, get_queue_token, processor
from tests.bullworks.health.conftest import EmailWorker, Serving, get
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import BUSY_S, eventually

pytestmark = pytest.mark.process


async def is_answer(app: Application, path: str, code: int) -> bool:
    answer = await get(app, path)
    assert answer.text == ("ok\n" if answer.status_code == 200 else "not ok\n")
    return answer.status_code == code


async def test_a_process_whose_workers_run_is_alive_and_ready(serving: Serving) -> None:
    async with serving(EmailWorker) as app:
        for path in ("/health/live", "/health/ready"):
            answer = await get(app, path)
            assert (answer.status_code, answer.text) == (200, "ok\n")
            assert answer.headers["cache-control"] == "no-store"


async def test_neither_a_name_of_the_host_nor_a_login_is_asked_for(serving: Serving) -> None:
    async with serving(EmailWorker) as app:
        assert (await get(app, "/health/ready", Host="10.1.2.3:8080")).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_only_reading_is_possible(serving: Serving, method: str) -> None:
    async with serving(EmailWorker) as app, httpx.AsyncClient(timeout=5) as client:
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert (await client.request(method, f"{app.get(WebServer).url}{path}")).status_code == 405


@pytest.mark.timeout(40)
async def test_without_redis_it_is_alive_but_not_ready_and_ready_again_once_it_is_back(
    serving: Serving, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bullworks.health"), RedisServer(tmp_path) as server:
        async with serving(EmailWorker, url=server.url) as app:
            assert await is_answer(app, "/health/ready", 200)
            server.stop()
            await eventually(lambda: is_answer(app, "/health/ready", 503))
            assert await is_answer(app, "/health/live", 200)
            assert (await get(app, "/health/ready")).text == "not ok\n"
            server.start()
            await eventually(lambda: is_answer(app, "/health/ready", 200), within_s=15)
    assert "not ready: Redis" in caplog.text
    assert "ready again" in caplog.text


@pytest.mark.timeout(40)
async def test_a_redis_that_hangs_is_not_ready_within_seconds(serving: Serving, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        async with serving(EmailWorker, url=server.url) as app:
            server.freeze()
            begun_s = time.monotonic()
            assert await is_answer(app, "/health/ready", 503)
            assert time.monotonic() - begun_s < 2 + BUSY_S
            assert await is_answer(app, "/health/live", 200)
            server.thaw()


async def test_a_backlog_makes_no_process_unready(serving: Serving) -> None:
    async with serving(EmailWorker) as app, serving(EmailWorker, workers_enabled=False) as idle:
        queue = app.get(get_queue_token("email"))
        await queue.pause()
        await queue.add("old", timestamp=1)
        assert await is_answer(app, "/health/ready", 200)
        assert await is_answer(idle, "/health/ready", 200)


async def test_a_job_that_hangs_ends_the_process_if_that_is_asked_for(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    release = asyncio.Event()

    @processor("email")
    class Stuck(WorkerHost):
        async def process(self, job: Job) -> None:
            await release.wait()

    async with serving(Stuck, max_run=100) as app, serving(workers_enabled=False) as patient:
        queue = app.get(get_queue_token("email"))
        assert await is_answer(app, "/health/live", 200)
        job = await queue.add("first")
        await eventually(lambda: is_answer(app, "/health/live", 503))
        assert await is_answer(app, "/health/live", 503)
        assert await is_answer(app, "/health/ready", 200)
        assert await is_answer(patient, "/health/live", 200)
        (line,) = [record.message for record in caplog.records if "not alive" in record.message]
        assert f"job {job.id} of queue email has run for" in line
        release.set()
        await eventually(lambda: is_answer(app, "/health/live", 200))


async def test_a_worker_that_was_closed_is_not_ready(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(EmailWorker) as app:
        await app.get(EmailWorker).worker.close(0)
        assert await is_answer(app, "/health/ready", 503)
    assert "the worker of queue email does not run" in caplog.text


async def test_workers_that_wait_to_be_registered_are_none_yet(serving: Serving) -> None:
    async with serving(EmailWorker, manual_registration=True) as app:
        assert await is_answer(app, "/health/ready", 200)
        await app.get(WorkersRegistrar).register()
        await eventually(lambda: is_answer(app, "/health/ready", 200))


async def test_while_it_shuts_down_it_is_alive_and_not_ready(serving: Serving) -> None:
    release, started = asyncio.Event(), asyncio.Event()

    @processor("email")
    class Slow(WorkerHost):
        async def process(self, job: Job) -> None:
            started.set()
            await release.wait()

    app = await serving(Slow)
    await app.get(get_queue_token("email")).add("x")
    await asyncio.wait_for(started.wait(), 10)
    closing = asyncio.create_task(app.close())
    try:
        await eventually(lambda: is_answer(app, "/health/ready", 503))
        assert await is_answer(app, "/health/live", 200)
    finally:
        release.set()
        await closing


async def test_however_many_ask_redis_is_asked_once_a_second(serving: Serving) -> None:
    async with serving(EmailWorker) as app:
        readiness: Any = app.get(Readiness)
        asked: list[float] = []
        problems = readiness.problems

        async def counting() -> list[str]:
            asked.append(time.monotonic())
            return await problems()

        readiness.problems = counting
        answers = await asyncio.gather(*(readiness.is_ready() for _ in range(200)))
        assert (set(answers), len(asked)) == ({True}, 1)


async def test_who_gives_up_waiting_does_not_take_the_answer_from_the_others(serving: Serving) -> None:
    async with serving(EmailWorker) as app:
        readiness = app.get(Readiness)
        first, second = (asyncio.create_task(readiness.is_ready()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await asyncio.wait_for(second, 5) is True
