"""A real SMTP server on 127.0.0.1, and settings that point at it or at an outbox."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.modules.email.settings import MailSettings
from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from tests.app.http_server import HttpServer


@dataclass
class MailServer:
    """What the server took, and how it is to answer."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    rcpt_reply: str = "250 OK"
    data_reply: str = "250 OK"

    # aiosmtpd calls these by name.
    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt_reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_reply.format(address=address)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_reply.startswith("250"):
            content = envelope.original_content
            assert content is not None
            message = message_from_bytes(content, policy=default)
            self.received.append(message)
            self.envelopes.append(envelope)
            self.over_tls.append(session.ssl is not None)
        return self.data_reply

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins.append(f"{login.login.decode()}:{login.password.decode()}")
        return AuthResult(success=login.password == b"pass/word", handled=False)


StartServer = Callable[..., "asyncio.Future[MailServer]"]


@pytest.fixture
async def start_server() -> AsyncIterator[Any]:
    """Starts SMTP servers: `await start_server(tls_context=..., auth_require_tls=...)`."""
    running: list[asyncio.Server] = []

    async def start(*, tls_from_the_start: ssl.SSLContext | None = None, **options: Any) -> MailServer:
        handler = MailServer()
        options.setdefault("authenticator", handler.authenticate)
        listener = socket.create_server(("127.0.0.1", 0))
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(handler, hostname="test", loop=loop, enable_SMTPUTF8=True, **options),
            sock=listener,
            ssl=tls_from_the_start,
        )
        running.append(server)
        handler.port = listener.getsockname()[1]
        return handler

    yield start
    for server in running:
        server.close()
        await asyncio.wait_for(server.wait_closed(), 5)


@pytest.fixture
def mail_settings(tmp_path: Path) -> Callable[..., MailSettings]:
    """Settings with an outbox of this test's own, and nothing from the environment."""

    def make(**values: Any) -> MailSettings:
        values = {
            "_env_file": None,
            "smtp_url": None,
            "smtp_timeout_ms": 5_000,
            "mail_from": "Shop <shop@example.com>",
            "mail_outbox_dir": tmp_path / "outbox",
        } | values
        return MailSettings(**values)

    return make


@pytest.fixture
async def http_server() -> AsyncIterator[HttpServer]:
    """An HTTP API."""
    async with HttpServer() as server:
        yield server


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[PipelinedConnection]:
    """A connection as the application has it."""
    connection = connection_to(Endpoint.of(redis_url))
    yield connection
    await connection.close()
