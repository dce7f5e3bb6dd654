"""Sends the mails of the queue `email`."""

from app.modules.email.errors import InvalidMailError, MailError, MailNotSentError, MailRefusedError
from app.modules.email.mail_service import MailService
from app.modules.email.module import EmailModule

__all__ = [
    "EmailModule",
    "InvalidMailError",
    "MailError",
    "MailNotSentError",
    "MailRefusedError",
    "MailService",
]
