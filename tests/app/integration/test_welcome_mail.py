"""A welcome mail goes its whole way: UserService, queue, Redis, EmailWorker, a real SMTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.app_module import AppModule
from app.modules.users import UserService
from bullworks.bullmq import Job, JobSpec, Queue
from bullworks.core import Application, create_application
from bullworks.workers import get_queue_token
from tests.app.conftest import MailServer
from tests.bullworks.waiting import eventually

MAIL = {"email": "user@example.com", "subject": "Hi", "body": "Hello"}


@pytest.fixture
async def server(start_server: Any) -> MailServer:
    started: MailServer = await start_server()
    return started


@pytest.fixture
async def application(
    server: MailServer, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Application]:
    """The service as it is shipped, on the real Redis and that mail server."""
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{server.port}")
    monkeypatch.setenv("MAIL_FROM", "Shop <shop@example.com>")
    async with await create_application(AppModule) as running:
        yield running


@pytest.fixture
def queue(application: Application) -> Queue:
    return application.get(get_queue_token("email"))


async def ended(job: Job) -> Job:
    async def has_ended() -> bool:
        await job.refresh()
        return job.finished_on is not None

    await eventually(has_ended, what=f"{job} to end")
    return job


async def test_a_registered_user_gets_the_welcome_mail(
    application: Application, queue: Queue, server: MailServer
) -> None:
    """The document's job waits 5 s first; promoting it is what a test does instead."""
    await application.get(UserService).send_welcome_email("new@example.com")
    (job,) = await queue.get_jobs("delayed")
    assert (job.priority, job.opts.attempts) == (1, 3)
    await job.promote()
    await eventually(lambda: server.received, what="the mail to arrive")
    (mail,) = server.received
    assert (mail["From"], mail["To"]) == ("Shop <shop@example.com>", "new@example.com")
    assert mail["Subject"] == "Welcome!"
    assert mail.get_content().strip() == "Thank you for registering"

    async def is_gone() -> bool:
        return await queue.get_job(job.id) is None

    await eventually(is_gone, what="the completed job to be removed")


async def test_a_mail_the_server_puts_off_is_sent_at_a_later_attempt(queue: Queue, server: MailServer) -> None:
    server.data_reply = "451 try again later"
    job = await queue.add("mail", MAIL, attempts=5, backoff={"type": "fixed", "delay": 200})

    async def has_failed_once() -> bool:
        await job.refresh()
        return job.attempts_made >= 1

    await eventually(has_failed_once)
    assert server.received == []
    server.data_reply = "250 OK"
    await ended(job)
    assert job.returnvalue == {"sent": True}
    assert 2 <= job.attempts_made <= 5
    assert len(server.received) == 1


async def test_a_mail_the_server_refuses_for_good_spends_no_more_attempts(queue: Queue, server: MailServer) -> None:
    server.rcpt_reply = "550 no such user {address}"
    job = await ended(await queue.add("mail", MAIL, attempts=5, backoff=10))
    assert job.attempts_made == 1
    assert job.failed_reason is not None
    assert "refused the mail for good: 550 no such user recipient" in job.failed_reason


async def test_200_mails_all_arrive(queue: Queue, server: MailServer) -> None:
    addresses = {f"user{n}@example.com" for n in range(200)}
    await queue.add_bulk([JobSpec("mail", MAIL | {"email": address}) for address in sorted(addresses)])
    await eventually(lambda: len(server.received) >= 200, within_s=15)
    assert {mail["To"] for mail in server.received} == addresses
