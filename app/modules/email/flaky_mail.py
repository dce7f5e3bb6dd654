"""A mail service for the demo: it takes its time, and fails now and then, as real ones do."""

import asyncio

from app.modules.email.errors import MailNotSentError
from app.modules.email.mail_service import MailService
from app.modules.email.settings import MailSettings

SENDING_S = 0.1  # about what a real server takes for one mail


class FlakyMail(MailService):
    """Writes every mail into the outbox, but the first try of every n-th one fails.

    Attributes:
        attempts: how often a mail was tried.
        failures: how many of those failed.
    """

    def __init__(self, settings: MailSettings, *, fail_every: int) -> None:
        super().__init__(settings)
        self.attempts = 0
        self.failures = 0
        self._fail_every = fail_every
        self._tried: set[str] = set()

    async def send(self, *, to: str, subject: str, body: str) -> None:
        """As MailService.send, after a moment; MailNotSentError where it is this mail's turn."""
        self.attempts += 1
        await asyncio.sleep(SENDING_S)
        if to not in self._tried:
            self._tried.add(to)
            if self._fail_every and len(self._tried) % self._fail_every == 0:
                self.failures += 1
                raise MailNotSentError("the demo's mail server", "451 try again later")
        await super().send(to=to, subject=subject, body=body)
