"""Sends the mails of the queue `email`."""

from app.modules.email.errors import InvalidMailError, MailError, MailNotSentError, MailRefusedError
from app.modules.email.mail_service import MailService
from app.modules.email.module import EmailModule
from app.modules.email.worker import EmailWorker

__all__ = [
    "EmailModule",
    "EmailWorker",
    "InvalidMailError",
    "MailError",
    "MailNotSentError",
    "MailRefusedError",
    "MailService",
]
