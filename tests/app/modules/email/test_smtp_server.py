"""Handing mails to a real SMTP server: what arrives, what is refused, and how the connection is secured."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from app.modules.email.errors import MailNotSentError, MailRefusedError
from app.modules.email.message import compose
from app.modules.email.smtp_server import SmtpServer

TIMEOUT_S = 5.0


@pytest.fixture
def mail() -> EmailMessage:
    return compose(sender="Shop <shop@example.com>", to="user@example.com", subject="Welcome!", body="Hello")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate and its key, for localhost and 127.0.0.1, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine to make a test certificate with")
    path = tmp_path / "server.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", names, "-keyout", str(path), "-out", "-"]
    made = subprocess.run(command, check=True, capture_output=True, timeout=20)
    path.write_bytes(path.read_bytes() + made.stdout)
    return path


@pytest.fixture
def tls_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize(
    ("url", "port", "from_the_start", "starttls"),
    [
        ("smtp://mail.example.com", 587, False, None),
        ("smtp://mail.example.com:25", 25, False, None),
        ("smtps://mail.example.com", 465, True, False),
        ("smtp://user:pass@mail.example.com", 587, False, True),
        ("smtp://user:pass@127.0.0.1:2525", 2525, False, None),
        ("smtp://user:pass@localhost", 587, False, None),
        ("smtp://user:pass@mail.example.com?starttls=never", 587, False, False),
        ("smtp://user:pass@mail.example.com?starttls=auto", 587, False, None),
        ("smtp://mail.example.com?starttls=required", 587, False, True),
    ],
)
def test_a_url_says_how_to_connect_and_a_password_is_kept_off_open_lines(
    url: str, port: int, from_the_start: bool, starttls: bool | None
) -> None:
    server = SmtpServer.of(url)
    assert (server.port, server.tls_from_the_start, server.starttls) == (port, from_the_start, starttls)


def test_a_login_is_unescaped_and_in_no_repr() -> None:
    server = SmtpServer.of("smtp://us%40er:hunter%2F2@127.0.0.1")
    assert (server.username, server.password) == ("us@er", "hunter/2")
    assert "hunter" not in repr(server)
    assert str(server) == "127.0.0.1:587"


async def test_the_mail_arrives_as_it_was_written(start_server: Any, mail: EmailMessage) -> None:
    server = await start_server()
    await SmtpServer.of(f"smtp://127.0.0.1:{server.port}").send(mail, timeout_s=TIMEOUT_S)
    (received,) = server.received
    assert (received["From"], received["To"]) == ("Shop <shop@example.com>", "user@example.com")
    assert received["Subject"] == "Welcome!"
    assert received.get_content().strip() == "Hello"
    assert server.envelopes[0].mail_from == "shop@example.com"
    assert server.envelopes[0].rcpt_tos == ["user@example.com"]


async def test_the_login_of_the_url_is_used(start_server: Any, mail: EmailMessage) -> None:
    server = await start_server(auth_require_tls=False)
    url = f"smtp://user:pass%2Fword@127.0.0.1:{server.port}"
    await SmtpServer.of(url).send(mail, timeout_s=TIMEOUT_S)
    assert server.logins == ["user:pass/word"]
    assert len(server.received) == 1


async def test_a_wrong_password_can_be_mended_so_the_mail_is_not_given_up(
    start_server: Any, mail: EmailMessage
) -> None:
    server = await start_server(auth_require_tls=False)
    with pytest.raises(MailNotSentError, match="535") as caught:
        await SmtpServer.of(f"smtp://user:hunter2@127.0.0.1:{server.port}").send(mail, timeout_s=TIMEOUT_S)
    assert "hunter2" not in str(caught.value)
    assert f"127.0.0.1:{server.port}" in str(caught.value)


@pytest.mark.parametrize("reply", ["rcpt_reply", "data_reply"])
@pytest.mark.parametrize(("code", "error"), [(550, MailRefusedError), (451, MailNotSentError)])
async def test_a_5xx_reply_is_final_and_a_4xx_is_not(
    start_server: Any, mail: EmailMessage, reply: str, code: int, error: type[Exception]
) -> None:
    server = await start_server()
    setattr(server, reply, f"{code} not for user@example.com")
    with pytest.raises(error) as caught:
        await SmtpServer.of(f"smtp://127.0.0.1:{server.port}").send(mail, timeout_s=TIMEOUT_S)
    assert f"{code} not for recipient" in str(caught.value)
    assert server.received == []


async def test_a_server_that_is_not_there_is_named(mail: EmailMessage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(MailNotSentError, match=f"127.0.0.1:{port}"):
        await SmtpServer.of(f"smtp://127.0.0.1:{port}").send(mail, timeout_s=TIMEOUT_S)


async def test_a_server_that_says_nothing_is_given_up_in_time(mail: EmailMessage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with asyncio.timeout(TIMEOUT_S):
            with pytest.raises(MailNotSentError, match=r"no answer within 0\.3 s"):
                await SmtpServer.of(f"smtp://127.0.0.1:{port}").send(mail, timeout_s=0.3)


async def test_starttls_is_used_and_the_certificate_checked(
    start_server: Any,
    mail: EmailMessage,
    certificate: Path,
    tls_context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await start_server(tls_context=tls_context)
    target = SmtpServer.of(f"smtp://localhost:{server.port}?starttls=required")
    with pytest.raises(MailNotSentError, match=r"(?i)certificate"):
        await target.send(mail, timeout_s=TIMEOUT_S)
    assert server.received == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    await target.send(mail, timeout_s=TIMEOUT_S)
    assert server.over_tls == [True]


async def test_smtps_speaks_tls_from_the_start(
    start_server: Any,
    mail: EmailMessage,
    certificate: Path,
    tls_context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await start_server(tls_from_the_start=tls_context)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    await SmtpServer.of(f"smtps://localhost:{server.port}").send(mail, timeout_s=TIMEOUT_S)
    assert len(server.received) == 1


async def test_required_starttls_refuses_a_server_that_has_none(start_server: Any, mail: EmailMessage) -> None:
    server = await start_server()
    target = SmtpServer.of(f"smtp://127.0.0.1:{server.port}?starttls=required")
    with pytest.raises(MailNotSentError, match=r"(?i)starttls"):
        await target.send(mail, timeout_s=TIMEOUT_S)
    assert server.received == []
