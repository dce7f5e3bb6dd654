"""Sends a mail: to the server of SMTP_URL, or into the outbox folder where there is none."""

import asyncio
import logging

from app.modules.email.errors import MailNotSentError
from app.modules.email.message import compose
from app.modules.email.outbox import Outbox
from app.modules.email.settings import MailSettings
from app.modules.email.smtp_server import SmtpServer
from bullworks.core import injectable

log = logging.getLogger(__name__)


@injectable()
class MailService:
    """Sends mail, by SMTP or into the outbox."""

    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings
        url = settings.smtp_url
        self.server = None if url is None else SmtpServer.of(url.get_secret_value())
        self.outbox = Outbox(settings.mail_outbox_dir)

    async def send(self, *, to: str, subject: str, body: str) -> None:
        """Send a mail; returns once the server has accepted it, or it is stored in the outbox.

        Raises:
            InvalidMailError: the address or the subject is not valid.
            MailRefusedError: the server will never take this mail.
            MailNotSentError: it did not get through this time.
        """
        message = compose(sender=self.settings.mail_from, to=to, subject=subject, body=body)
        if self.server is not None:
            await self.server.send(message, timeout_s=self.settings.smtp_timeout_ms / 1000)
            log.debug("mail %s sent", message["Message-ID"])
            return
        try:
            path = await asyncio.to_thread(self.outbox.write, message)
        except OSError as error:
            raise MailNotSentError(str(self.outbox.folder), error.strerror or str(error)) from error
        log.debug("mail written to %s", path)
