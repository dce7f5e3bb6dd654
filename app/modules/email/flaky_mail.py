"""A mail service for the demo: it takes its time, and fails now and then, as real ones do."""

import asyncio

from app.modules.email.errors import MailNotSentError
from app.modules.email.mail_service import MailService
from app.modules.email.settings import MailSettings

SENDING_S = 0.1  # about what a real server takes for one mail


class FlakyMail(MailService):
    """A MailService for demos: writes every mail to the outbox, but fails the first try of every n-th.

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
        """Send a mail after a moment; raises MailNotSentError for every n-th."""
        self.attempts += 1
        await asyncio.sleep(SENDING_S)
        if to not in self._tried:
            self._tried.add(to)
            if self._fail_every and len(self._tried) % self._fail_every == 0:
                self.failures += 1
                raise MailNotSentError("the demo's mail server", "451 try again later")
        await super().send(to=to, subject=subject, body=body)
