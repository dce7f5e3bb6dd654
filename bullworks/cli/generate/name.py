"""Name: what a generated part is called, in the spellings that its files, classes and queues have."""

import keyword
import re
from dataclasses import dataclass

from bullworks.cli.failure import CommandError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z0-9]+|[0-9]+")
# With it, the lines of generated files stay within 88 characters or so.
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Name:
    """A name of one or more words in lower case: `order_items`, `OrderItems` and `order-items` are the same.

    The number is as it was typed: nothing is made singular or plural.
    """

    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, kind: str) -> "Name":
        """Read a name in any spelling; a last word that is the kind's own is left out, as in `OrdersWorker`.

        Raises:
            CommandError: it cannot be a name in Python, or is too long.
        """
        if not _NAME.fullmatch(text):
            raise CommandError(
                f"{text!r} cannot be the name of a {kind}",
                "A name begins with a letter, and has letters, digits, dashes and underscores, as in order-items.",
            )
        if len(text) > _LONGEST:
            raise CommandError(f"the name of the {kind} has {len(text)} characters", f"Choose one of up to {_LONGEST}.")
        words = [word.lower() for part in re.split("[_-]", text) for word in _WORD.findall(part)]
        return cls(tuple(words[:-1] if len(words) > 1 and words[-1] == kind else words))

    @property
    def snake(self) -> str:
        """The name of a file or a folder: `order_items`."""
        return "_".join(self.words)

    @property
    def camel(self) -> str:
        """The beginning of a class's name: `OrderItems`."""
        return "".join(word.capitalize() for word in self.words)

    @property
    def kebab(self) -> str:
        """The name of a queue or a cron: `order-items`."""
        return "-".join(self.words)

    @property
    def is_keyword(self) -> bool:
        """Whether Python refuses to import a module of this name."""
        return keyword.iskeyword(self.snake)

    def differs_in_number_only(self, other: str) -> bool:
        """Whether the name is the singular or the plural of another one, which is in snake case."""
        return self.snake != other and _singular(self.snake) == _singular(other)


def _singular(name: str) -> str:
    """A form that the English singular and plural of most nouns have in common; not a word."""
    return re.sub(r"ie$", "y", re.sub(r"(?<=(?:s|x|z|h))e$", "", re.sub(r"(?<!s)s$", "", name)))
