"""What went wrong, as a user should read it: one clear message and an exit code, no traceback."""

from difflib import get_close_matches

from app.bullmq.errors import InvalidOptionError, QueueError
from app.core.errors import CoreError
from app.logs import escape
from app.redis.errors import BadUrlError, RedisError
from app.settings import SettingsError

EXIT_FAILED = 1
EXIT_USAGE = 2  # as typer itself ends for a wrong option


class CommandError(Exception):
    """The command cannot do what was asked; the text is for the user."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message

    @classmethod
    def unknown(cls, kind: str, name: str, known: list[str]) -> "CommandError":
        """There is no such thing; names the near one, or what there is."""
        near = get_close_matches(name, known, n=1)
        if near:
            return cls(f"there is no {kind} {name!r}", f"Did you mean {near[0]!r}?")
        listed = f"Known: {', '.join(sorted(known))}." if known else f"There is no {kind} at all yet."
        return cls(f"there is no {kind} {name!r}", listed)


# Whatever else is raised is a bug of ours, and its traceback is what a report needs.
EXPECTED = (CommandError, SettingsError, CoreError, QueueError, RedisError)
WRONG_INPUT = (SettingsError, BadUrlError, InvalidOptionError)


def message_of(error: BaseException) -> str | None:
    """What to print for an error that a user can cause; None where only a traceback will do."""
    if isinstance(error, BaseExceptionGroup):
        parts = [message_of(part) for part in error.exceptions]
        known = [part for part in parts if part is not None]
        return "\n".join(dict.fromkeys(known)) if len(known) == len(parts) else None
    if not isinstance(error, EXPECTED):
        return None
    return "\n".join(escape(line) for line in str(error).splitlines()) or type(error).__name__


def exit_code_of(error: BaseException) -> int:
    """2 where the input or the configuration was wrong, 1 where something failed."""
    return EXIT_USAGE if isinstance(error, WRONG_INPUT) else EXIT_FAILED
