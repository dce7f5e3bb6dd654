"""Tokens: what a provider is known by, and the attribute a container shows it under."""

import functools
import re
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_A_WORD = re.compile(r"\W+", re.ASCII)


@dataclass(frozen=True)
class Token(Generic[T]):
    """A typed token for something without a class of its own: `Token[Queue]("queue:email", attr="email_queue")`.

    Two tokens with one name are the same token.

    Args:
        name: what the provider is known by.
        attr: its attribute on the container; unless given, the name in snake_case, or near that where it is taken.
        hint: what an error should advise when nothing provides it.
    """

    name: str
    attr: str | None = field(default=None, kw_only=True, compare=False)
    hint: str | None = field(default=None, kw_only=True, compare=False)

    def __str__(self) -> str:
        return self.name

    @property
    def has_fixed_attr(self) -> bool:
        """Whether the token's attribute may not be renamed."""
        return self.attr is not None


@dataclass(frozen=True)
class RepeatableToken(Token[T]):
    """A token that a module may provide several times, and other modules too; found by `Discovery`, not asked for.

    Args:
        number: how many its module provides of it before this one.
    """

    number: int = field(default=0, kw_only=True)


AnyToken = type[Any] | Token[Any] | str


def label(thing: object) -> str:
    """Format a token, a module or another user object for messages."""
    if isinstance(thing, str):
        return repr(thing)
    if isinstance(thing, Token):
        return thing.name
    name = getattr(thing, "__name__", None)
    return name if isinstance(name, str) else str(thing)


@functools.lru_cache(maxsize=4_096)
def snake_case(text: str) -> str:
    """Convert `EmailWorker`, `queue:email` to `email_worker`, `queue_email`."""
    return _NOT_A_WORD.sub("_", _WORD_BORDER.sub("_", text)).strip("_").lower()


def has_fixed_attribute(token: AnyToken) -> bool:
    """Whether a token's attribute was chosen, by a class's name or by `attr=`, and may not be renamed."""
    return isinstance(token, type) or (isinstance(token, Token) and token.has_fixed_attr)


def attribute_name(token: AnyToken) -> str:
    """Choose the attribute under which a container holds the token's provider."""
    if isinstance(token, Token):
        return token.attr if token.attr is not None else snake_case(token.name)
    return snake_case(token if isinstance(token, str) else token.__name__)
