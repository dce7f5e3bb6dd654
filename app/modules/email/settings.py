"""How mail leaves, from the environment."""

from email.utils import parseaddr
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from bullworks.settings import Folder, Milliseconds, Settings, url_scheme

SMTP_SCHEMES = ("smtp", "smtps")
STARTTLS_CHOICES = ("auto", "required", "never")


def _smtp_url(url: SecretStr) -> SecretStr:
    parts = urlsplit(url_scheme(url, SMTP_SCHEMES).get_secret_value())
    try:
        has_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_address = False
    if not has_address:
        raise ValueError("it names no host, or its port is not a number (is a / or # in the password not escaped?)")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if options and (list(options) != ["starttls"] or options["starttls"] not in STARTTLS_CHOICES):
        raise ValueError(f"after the ? only this is allowed: starttls={' or '.join(STARTTLS_CHOICES)}")
    return url


def _sender(text: str) -> str:
    local, at, domain = parseaddr(text)[1].rpartition("@")
    if not (local and at and domain and text.isprintable()):
        raise ValueError("it is not a mail address")
    return text


class MailSettings(Settings):
    """Settings of mail: SMTP server, sender and outbox."""

    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = Field(
        default=None, description="as in smtp://user:password@host:587; unset: the outbox folder"
    )
    smtp_timeout_ms: Milliseconds = Field(
        default=30_000, description="whole milliseconds: how long one mail may take, connecting included"
    )
    mail_from: Annotated[str, AfterValidator(_sender)] = Field(
        default="Bullworks <no-reply@localhost>", description="as in Shop <orders@example.com>"
    )
    mail_outbox_dir: Folder = Field(
        default=Path("var/outbox"),
        validate_default=True,
        description="the folder for .eml files, used while SMTP_URL is unset",
    )
