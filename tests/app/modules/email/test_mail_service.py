"""MailService: to the server where there is one, else into the outbox."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.modules.email import InvalidMailError, MailNotSentError, MailService
from app.modules.email.settings import MailSettings

MakeSettings = Callable[..., MailSettings]
MAIL = {"to": "user@example.com", "subject": "Welcome!", "body": "Thank you"}


async def test_without_a_server_the_mail_is_in_the_outbox(mail_settings: MakeSettings, tmp_path: Path) -> None:
    await MailService(mail_settings()).send(**MAIL)
    (path,) = (tmp_path / "outbox").glob("*.eml")
    read = message_from_bytes(path.read_bytes(), policy=default)
    assert (read["From"], read["To"], read["Subject"]) == ("Shop <shop@example.com>", "user@example.com", "Welcome!")


async def test_with_a_server_the_mail_is_there_and_not_in_the_outbox(
    mail_settings: MakeSettings, start_server: Any, tmp_path: Path
) -> None:
    server = await start_server()
    settings = mail_settings(smtp_url=SecretStr(f"smtp://127.0.0.1:{server.port}"))
    await MailService(settings).send(**MAIL)
    assert [mail["To"] for mail in server.received] == ["user@example.com"]
    assert not (tmp_path / "outbox").exists()


async def test_an_outbox_that_cannot_be_written_is_named(mail_settings: MakeSettings, tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file, not a folder")
    with pytest.raises(MailNotSentError, match="outbox"):
        await MailService(mail_settings()).send(**MAIL)


async def test_nothing_is_sent_to_an_address_that_is_not_valid(mail_settings: MakeSettings, tmp_path: Path) -> None:
    with pytest.raises(InvalidMailError, match="recipient"):
        await MailService(mail_settings()).send(to="nobody", subject="s", body="b")
    assert not (tmp_path / "outbox").exists()


async def test_no_log_line_holds_the_mail(mail_settings: MakeSettings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await MailService(mail_settings()).send(**MAIL)
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("app.")]
    assert len(logged) == 1
    assert not any(word in logged[0] for word in ("user@example.com", "Welcome", "Thank"))
