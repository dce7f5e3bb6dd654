"""Every example of the README runs, and does what it says."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from app.modules.email import MailService
from app.modules.email.settings import MailSettings
from bullworks.bullmq import Queue
from bullworks.core import provide
from bullworks.workers import BullModule, get_queue_token
from tests.bullworks.docs.examples import ROOT, Example, examples_of, new_module, run_example
from tests.bullworks.docs.stage import MAIL, Stage
from tests.bullworks.waiting import eventually

PAGE = "README.md"
EXAMPLES = {example.name: example for example in examples_of(PAGE)}


@pytest.fixture(autouse=True)
def environment(redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)


@pytest.fixture
def mail_settings(tmp_path: Path) -> Any:
    return provide(MailSettings, use_value=MailSettings(smtp_url=None, mail_outbox_dir=tmp_path))


def stage_of(name: str, redis_url: str, key_prefix: str) -> Stage:
    example = EXAMPLES[name]
    assert isinstance(example, Example)
    return Stage(example, redis_url, key_prefix)


def test_every_example_is_one_of_these() -> None:
    assert list(EXAMPLES) == ["worker", "producer", "application", "testing", "engine"]


async def test_the_worker_sends_the_mail(redis_url: str, key_prefix: str, mail_settings: Any, tmp_path: Path) -> None:
    stage = stage_of("worker", redis_url, key_prefix)
    page = await stage.run()
    async with stage.application(page.EmailWorker, MailService, mail_settings, queues=("email",)) as application:
        job = await application.get(get_queue_token("email")).add("mail", MAIL)
        assert (await stage.finished(job)).returnvalue == {"sent": True}
    assert len(list(tmp_path.glob("*.eml"))) == 1


async def test_the_producer_adds_the_job(redis_url: str, key_prefix: str) -> None:
    stage = stage_of("producer", redis_url, key_prefix)
    page = await stage.run()
    async with stage.application(page.UserService, queues=("email",)) as application:
        await application.get(page.UserService).send_welcome_email("user@example.com")
        (job,) = await application.get(get_queue_token("email")).get_jobs("delayed")
        assert (job.opts.attempts, job.delay, job.priority) == (3, 5_000, 1)


async def test_the_application_runs_until_it_is_asked_to_stop(
    redis_url: str, key_prefix: str, mail_settings: Any
) -> None:
    stage = stage_of("application", redis_url, key_prefix)
    worker = (await stage.run_other("worker")).EmailWorker
    names = {"EmailWorker": worker, "MailService": MailService, "MAIL_SETTINGS": mail_settings}
    await stage.runs_until_closed(BullModule=BullModule, **names)


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
