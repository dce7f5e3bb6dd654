"""What went wrong, as a user should read it: one clear message and an exit code, no traceback."""

from collections.abc import Iterator
from dataclasses import dataclass

from bullworks.bullmq import InvalidOptionError, QueueError
from bullworks.core import CoreError
from bullworks.errors import FactError
from bullworks.extras import MissingExtraError
from bullworks.logs import escape
from bullworks.redis import BadUrlError, RedisError
from bullworks.settings import SettingsError
from bullworks.suggestion import suggestion
from bullworks.workers import UnknownWorkerError

EXIT_FAILED = 1
EXIT_USAGE = 2  # as typer itself ends for a wrong option


@dataclass(eq=False)
class CommandError(FactError):
    """The command cannot do what was asked; the message is for the user."""

    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message

    @classmethod
    def unknown(cls, kind: str, name: str, known: list[str]) -> "CommandError":
        """Build the error for an unknown name; it suggests the nearest known name, or lists all."""
        near = suggestion(name, known)
        if near:
            return cls(f"there is no {kind} {name!r}", f"Did you mean {near!r}?")
        listed = f"Known: {', '.join(sorted(known))}." if known else f"There is no {kind} yet."
        return cls(f"there is no {kind} {name!r}", listed)


# Whatever else is raised is a bug of ours, and its traceback is what a report needs.
EXPECTED = (CommandError, SettingsError, CoreError, QueueError, RedisError, MissingExtraError)
WRONG_INPUT = (SettingsError, UnknownWorkerError, BadUrlError, InvalidOptionError)


def message_of(error: BaseException) -> str | None:
    """Format an error that a user can cause; None for errors that need a traceback."""
    leaves = list(_leaves(error))
    if not all(isinstance(leaf, EXPECTED) for leaf in leaves):
        return None
    texts = dict.fromkeys(str(leaf) or type(leaf).__name__ for leaf in leaves)
    return "\n".join(escape(line) for text in texts for line in text.split("\n"))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def exit_code_of(error: BaseException) -> int:
    """Choose the exit code: 2 for wrong input or configuration, 1 for a failure."""
    is_wrong_input = all(isinstance(leaf, WRONG_INPUT) for leaf in _leaves(error))
    return EXIT_USAGE if is_wrong_input else EXIT_FAILED
