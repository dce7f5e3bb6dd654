"""UserService queues the document's welcome mail."""

from __future__ import annotations

from unittest.mock import AsyncMock

from app.modules.users import UserService
from bullworks.bullmq import Queue


async def test_the_welcome_mail_is_queued_with_the_documents_options() -> None:
    queue = AsyncMock(spec=Queue)
    await UserService(queue).send_welcome_email("user@example.com")
    queue.add.assert_awaited_once_with(
        "welcome-email",
        {"email": "user@example.com", "subject": "Welcome!", "body": "Thank you for registering"},
        attempts=3,
        backoff={"type": "exponential", "delay": 60_000},
        delay=5_000,
        priority=1,
        remove_on_complete=True,
        remove_on_fail=False,
    )
