"""EmailWorker alone: the document's own test, and what a mail that cannot be sent does to the job."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock

import pytest

from app.modules.email import InvalidMailError, MailNotSentError, MailRefusedError, MailService
from app.workers.email_worker import EmailWorker
from bullworks.bullmq import Job, UnrecoverableError

MAIL = {"email": "user@example.com", "subject": "Test", "body": "Hello"}


@pytest.fixture
def mail() -> AsyncMock:
    return AsyncMock(spec=MailService)


async def test_should_send_email(mail: AsyncMock) -> None:
    result = await EmailWorker(mail).process(Job.stub(data=MAIL))
    mail.send.assert_awaited_once_with(to="user@example.com", subject="Test", body="Hello")
    assert result == {"sent": True}


@pytest.mark.parametrize(
    "error",
    [InvalidMailError("recipient", "no @"), MailRefusedError("mail.example.com:25", 550, "no such user")],
)
async def test_a_mail_that_can_never_be_sent_is_not_tried_again(mail: AsyncMock, error: Exception) -> None:
    mail.send.side_effect = error
    with pytest.raises(UnrecoverableError, match=type(error)(*error.args).args[0]):
        await EmailWorker(mail).process(Job.stub(data=MAIL))


async def test_a_mail_that_did_not_get_through_is(mail: AsyncMock) -> None:
    mail.send.side_effect = MailNotSentError("mail.example.com:25", "no answer")
    with pytest.raises(MailNotSentError):
        await EmailWorker(mail).process(Job.stub(data=MAIL))


@pytest.mark.parametrize("data", [None, [], "text", 7, {}, {"email": "user@example.com", "subject": "s"}])
async def test_data_of_another_shape_fails_at_once_with_a_reason(mail: AsyncMock, data: Any) -> None:
    with pytest.raises(UnrecoverableError, match="needs email, subject and body"):
        await EmailWorker(mail).process(Job.stub(data=data))
    mail.send.assert_not_awaited()
