"""Secrets are not shown, and survive that somebody edits what was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.board.errors import RefusedError
from bullworks.board.redaction import HIDDEN, Redaction
from bullworks.bullmq import Queue
from tests.bullworks.board.conftest import MakeBoard

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text().filter(lambda text: text != HIDDEN),
    lambda parts: (
        st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=8) | st.just("token"), parts, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "key",
    [
        "password", "Password", "db_password", "PASSWORD_HASH", "userPassword", "passwd", "pwd", "token", "accessToken",
        "refresh-token", "Authorization", "x-api-key", "apiKey", "API_KEY", "client_secret", "secretKey", "privateKey",
        "Cookie", "Set-Cookie", "credentials", "aws access key", "passphrase", "cvv",
    ],
)  # fmt: skip
def test_values_of_such_keys_are_hidden_wherever_they_are(key: str) -> None:
    hidden = Redaction().hide({"a": [{key: "s3cret", "b": 1}], key: {"nested": "s3cret"}})
    assert hidden == {"a": [{key: HIDDEN, "b": 1}], key: HIDDEN}


@pytest.mark.parametrize("key", ["tokens_used", "passage", "compass", "author", "keyboard", "cookies_eaten", "id", ""])
def test_other_keys_are_not(key: str) -> None:
    assert Redaction().hide({key: "x"}) == {key: "x"}


def test_what_is_hidden_is_chosen_and_may_be_nothing() -> None:
    data = {"iban": "DE1", "password": "x", "myIbanNumber": "DE2"}
    assert Redaction(["*iban*"]).hide(data) == {"iban": HIDDEN, "password": "x", "myIbanNumber": HIDDEN}
    assert Redaction([]).hide(data) == data


def test_nothing_is_hidden_where_there_is_nothing() -> None:
    assert Redaction().hide({"token": None, "password": ""}) == {"token": None, "password": ""}


@given(JSON)
def test_what_is_sent_back_as_it_was_shown_is_what_was_stored(stored: Any) -> None:
    redaction = Redaction()
    assert redaction.restore(redaction.hide(stored), stored) == stored


def test_an_edit_keeps_secrets_and_can_replace_them() -> None:
    stored = {"to": "a", "token": "s3cret", "list": [{"token": "t1"}, {"token": "t2"}]}
    edited = {"to": "b", "token": HIDDEN, "list": [{"token": HIDDEN}, {"token": "new"}]}
    restored = Redaction().restore(edited, stored)
    assert restored == {"to": "b", "token": "s3cret", "list": [{"token": "t1"}, {"token": "new"}]}


@pytest.mark.parametrize(
    "edited", [{"other": HIDDEN}, HIDDEN, [HIDDEN], {"list": [{"token": HIDDEN}]}, {"a": {"token": HIDDEN}}]
)
def test_a_replacement_with_no_secret_behind_it_is_refused(edited: Any) -> None:
    """In a list that shrank, nobody can tell whose secret it was."""
    with pytest.raises(RefusedError, match="write the real value"):
        Redaction().restore(edited, {"token": "s3cret", "list": [{"token": "t1"}, {"token": "t2"}]})


async def test_data_options_results_progress_and_templates_are_redacted(board: MakeBoard, queue: Queue[Any]) -> None:
    await queue.add("job", {"password": "s3cret-1"}, backoff={"type": "fixed", "delay": 1})
    await queue.upsert_job_scheduler("nightly", {"pattern": "0 3 * * *"}, {"data": {"api-key": "s3cret-2"}})
    for field, text in (("returnvalue", "3"), ("progress", "4")):
        await queue.connection.execute("HSET", queue.keys.of("1"), field, f'{{"token": "s3cret-{text}"}}')
    await queue.connection.execute("HSET", queue.keys.of("1"), "opts", '{"auth_header": "s3cret-5"}')
    made = board()
    for path in ("queues?activeQueue=email", "queues/email/1", "queues/email/1/flow", "job-schedulers"):
        text = (await made.get(f"api/{path}")).text
        assert HIDDEN in text
        assert "s3cret" not in text


async def test_a_copy_of_a_job_with_hidden_secrets_is_refused(board: MakeBoard, queue: Queue[Any]) -> None:
    """The page offers to duplicate a job: it would be added with the replacement for a password."""
    answer = await board().change("POST", "api/queues/email/add", {"name": "copy", "data": {"password": HIDDEN}})
    assert answer.status_code == 400
    assert "write the real value" in answer.json()["message"]
    assert await queue.count() == 0


def test_encrypted_fields_are_named_so_and_survive_an_edit() -> None:
    sealed = {"$encrypted": "A256GCM", "kid": "2026-11", "iv": "a", "ct": "b"}
    stored = {"card": sealed, "list": [sealed], "n": 1}
    for redaction in (Redaction(), Redaction(())):
        hidden = redaction.hide(stored)
        assert hidden == {"card": "[encrypted]", "list": ["[encrypted]"], "n": 1}
        assert redaction.restore(hidden, stored) == stored
    with pytest.raises(RefusedError, match=r"\[encrypted\] is the placeholder"):
        Redaction().restore({"card": "[encrypted]"}, {"card": "x"})
