"""What went wrong, as a user should read it: one clear message and an exit code, no traceback."""

from collections.abc import Iterator
from dataclasses import dataclass

from bullworks.errors import FactError
from bullworks.escaping import escape
from bullworks.suggestion import suggestion

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


def message_of(error: BaseException) -> str | None:
    """Format an error that a user can cause; None for errors that need a traceback."""
    leaves = list(_leaves(error))
    if not all(_is_expected(leaf) for leaf in leaves):
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
    is_wrong_input = all(_is_wrong_input(leaf) for leaf in _leaves(error))
    return EXIT_USAGE if is_wrong_input else EXIT_FAILED


def _is_expected(error: BaseException) -> bool:
    """Whatever else is raised is a bug of ours, and its traceback is what a report needs."""
    if isinstance(error, CommandError):
        return True
    from bullworks.bullmq import QueueError  # here, as these are much to import, and what fails has imported its own
    from bullworks.core import CoreError
    from bullworks.extras import MissingExtraError
    from bullworks.redis import RedisError
    from bullworks.settings import SettingsError

    return isinstance(error, SettingsError | CoreError | QueueError | RedisError | MissingExtraError)


def _is_wrong_input(error: BaseException) -> bool:
    from bullworks.bullmq import InvalidOptionError
    from bullworks.redis import BadUrlError
    from bullworks.settings import SettingsError
    from bullworks.workers import UnknownWorkerError

    return isinstance(error, SettingsError | UnknownWorkerError | BadUrlError | InvalidOptionError)
