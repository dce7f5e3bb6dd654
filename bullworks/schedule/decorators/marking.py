"""What the decorators leave on methods."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def marking(attribute: str, mark: object) -> Callable[[F], F]:
    """Create a decorator that adds a mark to a method's list; it may be applied several times."""

    def decorate(method: F) -> F:
        # a static or class method has its function inside; that is what is looked at
        function = getattr(method, "__func__", method)
        setattr(function, attribute, (*getattr(function, attribute, ()), mark))
        return method

    return decorate
