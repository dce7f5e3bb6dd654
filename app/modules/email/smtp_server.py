"""A mail server that takes mails over SMTP, as SMTP_URL names it."""

import asyncio
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from app.modules.email.errors import MailNotSentError, MailRefusedError

SUBMISSION_PORT = 587
TLS_PORT = 465
PERMANENT = 500  # SMTP reply codes from here on: do not try again


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServer:
    """An SMTP server, and how the connection to it is secured."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls_from_the_start: bool = False
    starttls: bool | None = None
    """True insists on it, False never uses it, None uses it where the server offers it."""

    @classmethod
    def of(cls, url: str) -> "SmtpServer":
        """Build the server that a checked SMTP_URL names.

        A password is not sent over a connection that could be read on the way: with one, STARTTLS is needed,
        unless the host is this machine or the URL says `starttls=never` or `=auto`.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        username = unquote(parts.username) if parts.username else None
        tls_from_the_start = parts.scheme.lower() == "smtps"
        default = "required" if username and not _is_this_machine(host) else "auto"
        choice = parse_qs(parts.query).get("starttls", [default])[0]
        return cls(
            host=host,
            port=parts.port or (TLS_PORT if tls_from_the_start else SUBMISSION_PORT),
            username=username,
            password=unquote(parts.password) if parts.password else None,
            tls_from_the_start=tls_from_the_start,
            starttls=False if tls_from_the_start else {"required": True, "never": False}.get(choice),
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    async def send(self, message: EmailMessage, *, timeout_s: float) -> None:
        """Send one mail; returns once the server has accepted responsibility for it.

        Raises:
            MailRefusedError: the server refused the recipient or the text for good.
            MailNotSentError: anything else went wrong; a later attempt may get through.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await aiosmtplib.send(
                    message,
                    hostname=self.host,
                    port=self.port,
                    username=self.username,
                    password=self.password,
                    use_tls=self.tls_from_the_start,
                    start_tls=self.starttls,
                    timeout=timeout_s,
                )
        except TimeoutError as error:
            raise MailNotSentError(str(self), f"no answer within {timeout_s:g} s") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise self._failure(refusal.code, refusal.message, message) from error
        except aiosmtplib.SMTPDataError as error:
            raise self._failure(error.code, error.message, message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            # Also a 5xx to our login or sender: the operator can mend that, and the mail can wait for it.
            raise MailNotSentError(str(self), _without_recipient(str(error), message)) from error

    def _failure(self, code: int, reply: str, message: EmailMessage) -> MailRefusedError | MailNotSentError:
        reply = _without_recipient(reply, message)
        if code >= PERMANENT:
            return MailRefusedError(str(self), code, reply)
        return MailNotSentError(str(self), f"{code} {reply}")


def _without_recipient(reply: str, message: EmailMessage) -> str:
    """The server's words on one line, less the address, which servers like to repeat."""
    return " ".join(reply.replace(str(message["To"]), "recipient").split())


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
