"""The outbox holds whole mails only."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from app.modules.email.message import compose
from app.modules.email.outbox import Outbox


def mail(subject: str) -> EmailMessage:
    return compose(sender="shop@example.com", to="user@example.com", subject=subject, body="Hello")


def test_a_mail_becomes_a_file_that_mail_programs_can_read(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "not" / "there" / "yet")
    path = outbox.write(mail("Welcome!"))
    assert path.parent == outbox.folder
    read = message_from_bytes(path.read_bytes(), policy=default)
    assert (read["To"], read["Subject"]) == ("user@example.com", "Welcome!")


def test_names_sort_by_time_and_nothing_unfinished_stays(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    written = [outbox.write(mail(str(number))) for number in range(5)]
    assert sorted(tmp_path.iterdir()) == written


def test_a_failed_write_leaves_no_mail(tmp_path: Path) -> None:
    class Broken(EmailMessage):
        def as_bytes(self, *args: object, **kwargs: object) -> bytes:
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        Outbox(tmp_path).write(Broken())
    assert list(tmp_path.glob("*.eml")) == []
