"""Companions: classes that a provider's class, or a method of it, names, and that become providers beside it."""

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

_COMPANIONS = "__companions__"


def needs_beside(target: type[Any] | Callable[..., Any], *classes: type[Any]) -> None:
    """Have classes be providers wherever `target`, a class or a method of one, is a provider or a part of one.

    A module that sees such a class already uses that provider; else the class becomes a provider of the module, with
    its dependencies injected. For decorators that take classes, as `@use_guards(TenantGuard)` does. What is said of a
    class holds for its subclasses.
    """
    said: tuple[type[Any], ...] = vars(target).get(_COMPANIONS, ())
    setattr(target, _COMPANIONS, (*classes, *said))


def companions_of(cls: type[Any]) -> Iterator[type[Any]]:
    """The companions of a class: those it names, and those that its methods name, of base classes too; some twice."""
    for base in cls.__mro__:
        yield from vars(base).get(_COMPANIONS, ())
        for member in vars(base).values():
            # Only functions: of other members even a look may raise, as pydantic's stand-ins do.
            function = member.__func__ if isinstance(member, staticmethod | classmethod) else member
            if isinstance(function, FunctionType):
                yield from vars(function).get(_COMPANIONS, ())
