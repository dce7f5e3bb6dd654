"""Every example of the README runs, and does what it says."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from bullworks.bullmq import Queue
from bullworks.core import create_application
from bullworks.workers import get_queue_token
from tests.bullworks.docs.examples import ROOT, Example, examples_of, new_module, run_example
from tests.bullworks.docs.service import MailService
from tests.bullworks.docs.stage import MAIL, Stage
from tests.bullworks.waiting import eventually

PAGE = "README.md"
EXAMPLES = {example.name: example for example in examples_of(PAGE)}


@pytest.fixture(autouse=True)
def environment(redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)


def stage_of(name: str, redis_url: str, key_prefix: str) -> Stage:
    example = EXAMPLES[name]
    assert isinstance(example, Example)
    return Stage(example, redis_url, key_prefix)


def test_every_example_is_one_of_these() -> None:
    assert list(EXAMPLES) == ["worker", "producer", "application", "testing", "engine"]


async def test_the_worker_sends_the_mail(redis_url: str, key_prefix: str) -> None:
    stage = stage_of("worker", redis_url, key_prefix)
    page = await stage.run()
    async with stage.application(page.EmailWorker, MailService, queues=("email",)) as application:
        job = await application.get(get_queue_token("email")).add("mail", MAIL)
        assert (await stage.finished(job)).returnvalue == {"sent": True}
        assert application.get(MailService).sent == [MAIL["email"]]


async def test_the_producer_adds_the_job(redis_url: str, key_prefix: str) -> None:
    stage = stage_of("producer", redis_url, key_prefix)
    page = await stage.run()
    async with stage.application(page.UserService, queues=("email",)) as application:
        await application.get(page.UserService).send_welcome_email("user@example.com")
        (job,) = await application.get(get_queue_token("email")).get_jobs("delayed")
        assert (job.opts.attempts, job.delay, job.priority) == (3, 5_000, 1)


async def test_the_modules_make_a_service_that_sends_what_is_added(redis_url: str, key_prefix: str) -> None:
    stage = stage_of("application", redis_url, key_prefix)
    page = await stage.run()
    async with await create_application(page.AppModule) as application:
        job = await application.get(get_queue_token("email")).add("mail", MAIL)
        assert (await stage.finished(job)).returnvalue == {"sent": True}


async def test_the_readers_test_passes_without_redis(redis_url: str, key_prefix: str) -> None:
    page = await stage_of("testing", redis_url, key_prefix).run()
    await page.test_should_send_email()


async def test_the_engine_works_alone(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    module = new_module(log=logging.getLogger("example"))
    running = asyncio.create_task(run_example(EXAMPLES["engine"], module, redis_url=redis_url))
    await eventually(lambda: any(text.endswith(": Hello, Ada!") for text in caplog.messages))
    await module.worker.close()
    await asyncio.wait_for(running, 10)
    await module.queue.close()
    async with Queue("greetings", connection=redis_url) as queue:
        await queue.clean(0, "completed")


def test_the_files_it_names_are_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", (ROOT / PAGE).read_text())
    assert {"docs/workers.md", "docs/architecture.md", "LICENSE"} <= set(linked)
    assert [name for name in linked if not (ROOT / name).exists()] == []
