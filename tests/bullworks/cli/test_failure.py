"""Errors become one message and an exit code; bugs keep their traceback."""

from __future__ import annotations

import pytest

from bullworks.bullmq.errors import JobNotFoundError
from bullworks.cli.failure import CommandError, exit_code_of, message_of
from bullworks.redis.errors import BadUrlError
from bullworks.settings import SettingsError


def test_an_error_that_a_user_can_cause_is_told_in_its_own_words() -> None:
    assert message_of(CommandError("it cannot be", "Try that.")) == "it cannot be. Try that."
    assert message_of(SettingsError(("A", "B"))) == "the configuration has 2 problems:\n  A\n  B"


def test_a_bug_has_no_message() -> None:
    assert message_of(KeyError("x")) is None
    assert message_of(ExceptionGroup("two", [CommandError("known"), KeyError("x")])) is None


def test_a_group_tells_each_error_once() -> None:
    error = ExceptionGroup("g", [CommandError("one"), ExceptionGroup("h", [CommandError("one"), CommandError("two")])])
    assert message_of(error) == "one\ntwo"


def test_what_comes_from_elsewhere_cannot_drive_the_terminal() -> None:
    assert message_of(CommandError("job \x1b[2J\r")) == r"job \x1b[2J\r"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError(("A",)), 2),
        (BadUrlError("redis://", "no host", "Name one."), 2),
        (JobNotFoundError("7", "retry"), 1),
        (CommandError("no"), 1),
    ],
)
def test_wrong_input_is_2_and_failure_is_1(error: Exception, code: int) -> None:
    assert exit_code_of(error) == code


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("emial", ["email", "ticker"], "Did you mean 'email'?"),
        ("zzz", ["ticker", "email"], "Known: email, ticker."),
        ("email", [], "There is no queue yet."),
    ],
)
def test_an_unknown_name_comes_with_the_known_ones(name: str, known: list[str], hint: str) -> None:
    assert str(CommandError.unknown("queue", name, known)) == f"there is no queue {name!r}. {hint}"
