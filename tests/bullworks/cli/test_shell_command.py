"""`main.py shell`: a console in the service, in which `await` works."""

from __future__ import annotations

import code
from collections.abc import Callable

import pytest

from tests.bullworks.cli.conftest import Command, Ran

Typing = Callable[..., Ran]


@pytest.fixture
def typing(command: Command, monkeypatch: pytest.MonkeyPatch) -> Typing:
    """Types these lines into a shell."""

    def run(*lines: str) -> Ran:
        left = iter(lines)

        def next_line(_console: object, prompt: str = "") -> str:
            try:
                return next(left)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr(code.InteractiveConsole, "raw_input", next_line)
        return command("shell")

    return run


def test_providers_and_queues_are_at_hand_and_await_works(typing: Typing) -> None:
    ran = typing(
        'job = await queues["email"].add("welcome", {"email": "ada@example.com"})',
        'await queues["email"].get_waiting_count()',
        "type(get(MailSettings)).__name__",
        "for name in queues:",
        "    print(name, await asyncio.sleep(0, 7))",
        "",
        "queues",
    )
    assert (ran.code, ran.out.splitlines()) == (0, ["1", "'MailSettings'", "email 7", "<queues email>"])


def test_an_error_is_shown_and_the_console_goes_on_until_exit(typing: Typing) -> None:
    ran = typing('queues["emial"]', "1 +", "await asyncio.sleep(0, 'still here')", "exit()", "'not reached'")
    assert (ran.code, ran.out) == (0, "'still here'\n")
    assert "there is no queue 'emial'. Did you mean 'email'?" in ran.err
    assert "SyntaxError" in ran.err


@pytest.mark.parametrize(
    ("given", "code", "out"), [("await asyncio.sleep(0, 7)", 0, "7\n"), ("1 / 0", 1, ""), ("1 +", 1, "")]
)
def test_one_statement_can_be_given(command: Command, given: str, code: int, out: str) -> None:
    ran = command("shell", "-c", given)
    assert (ran.code, ran.out) == (code, out)


def test_it_takes_no_jobs(command: Command, typing: Typing) -> None:
    lines = ('job = await queues["email"].add("welcome", {"email": "ada@example.com"})', "await job.get_state()")
    assert typing(*lines).out == "'waiting'\n"
