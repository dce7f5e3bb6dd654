"""A mail can name one recipient and nothing else, whatever the caller gives."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.email.errors import InvalidMailError
from app.modules.email.message import address_of, compose

SENDER = "Shop <shop@example.com>"


def test_a_mail_reads_back_as_what_was_given() -> None:
    message = compose(sender=SENDER, to="user@example.com", subject="Grüße ✓", body="Hällo\nzweite Zeile\n")
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert read["From"] == SENDER
    assert read["To"] == "user@example.com"
    assert read["Subject"] == "Grüße ✓"
    body = read.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == "Hällo\nzweite Zeile\n"
    assert read["Message-ID"].endswith("@example.com>")
    assert read["Date"]


def test_each_mail_has_a_message_id_of_its_own() -> None:
    first, second = (compose(sender=SENDER, to="a@b.example", subject="s", body="b") for _ in range(2))
    assert first["Message-ID"] != second["Message-ID"]


@pytest.mark.parametrize(
    "address",
    [
        "user@example.com\nBcc: victim@example.com",
        "user@example.com\r\nBcc: victim@example.com",
        "user@example.com, victim@example.com",
        "Name <user@example.com>",
        "user@example.com>",
        "user @example.com",
        "@example.com",
        "user@",
        "user",
        "",
        "a@b@c",
        "user..name@example.com",
        "user@exa_mple..com",
        "user@example.com\x00",
        "üser@example.com",
        "u" * 250 + "@example.com",
        "\ud800@example.com",
        None,
        7,
        ["user@example.com"],
    ],
)
def test_what_is_not_one_bare_address_is_refused(address: object) -> None:
    with pytest.raises(InvalidMailError) as caught:
        address_of(address)
    assert caught.value.part == "recipient"
    assert "victim" not in str(caught.value)


@pytest.mark.parametrize(
    ("given_address", "sent"),
    [
        ("user@example.com", "user@example.com"),
        ("first.last+tag@sub.example.com", "first.last+tag@sub.example.com"),
        ("user@münchen.example", "user@xn--mnchen-3ya.example"),
    ],
)
def test_an_address_is_sent_in_a_form_every_server_takes(given_address: str, sent: str) -> None:
    assert address_of(given_address).addr_spec == sent


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("Hello\nBcc: victim@example.com", "line break"),
        ("Hello\r\n\r\nbody", "line break"),
        ("Hello\x1b[2J", "control character"),
        ("x" * 1_000, "more than"),
        (None, "NoneType, not text"),
        ("\udc00", "surrogate"),
    ],
)
def test_a_subject_is_one_line_of_text(subject: object, reason: str) -> None:
    with pytest.raises(InvalidMailError, match=reason) as caught:
        compose(sender=SENDER, to="user@example.com", subject=subject, body="b")
    assert caught.value.part == "subject"


def test_a_body_is_text() -> None:
    with pytest.raises(InvalidMailError, match="dict, not text"):
        compose(sender=SENDER, to="user@example.com", subject="s", body={})


@given(to=st.text(), subject=st.text(), body=st.text())
def test_no_input_adds_a_header_or_a_recipient(to: str, subject: str, body: str) -> None:
    try:
        message = compose(sender=SENDER, to=to, subject=subject, body=body)
    except InvalidMailError:
        return
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert len(read["To"].addresses) == 1
    assert not {"bcc", "cc", "reply-to"} & {name.lower() for name in read}
    assert read.get_all("From") == [SENDER]


@given(local=st.from_regex(r"[a-z0-9]{1,10}", fullmatch=True), subject=st.text(max_size=50))
def test_no_subject_adds_a_header(local: str, subject: str) -> None:
    try:
        message = compose(sender=SENDER, to=f"{local}@example.com", subject=subject, body="b")
    except InvalidMailError:
        return
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert {name.lower() for name in read} == {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "content-type",
        "content-transfer-encoding",
        "mime-version",
    }
