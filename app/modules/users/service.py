"""What can be done with users."""

from typing import Annotated

from bullworks.bullmq import Queue
from bullworks.core import injectable
from bullworks.workers import InjectQueue


@injectable()
class UserService:
    """Registers users; the mails that this causes are sent later, by EmailWorker."""

    def __init__(self, email_queue: Annotated[Queue, InjectQueue("email")]) -> None:
        self.email_queue = email_queue

    async def send_welcome_email(self, email: str) -> None:
        """Queue a welcome mail and return; it goes out 5 s later, and up to twice more if it cannot be sent."""
        await self.email_queue.add(
            "welcome-email",
            {"email": email, "subject": "Welcome!", "body": "Thank you for registering"},
            attempts=3,
            backoff={"type": "exponential", "delay": 60_000},
            delay=5_000,
            priority=1,
            remove_on_complete=True,
            remove_on_fail=False,
        )
