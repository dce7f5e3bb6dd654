"""What callables take: how many arguments by position, and which they cannot do without."""

import inspect
from collections.abc import Callable
from typing import Any

_BY_POSITION = frozenset({inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD})
_ANY_NUMBER = frozenset({inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})


def most_arguments(function: Callable[..., Any], offered: int) -> int:
    """How many of the first `offered` positional arguments a function takes."""
    most = most_positional(function)
    return offered if most is None else min(offered, most)


def most_positional(function: Callable[..., Any]) -> int | None:
    """How many positional arguments a function takes, or None if it takes any number or does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C, and silent about itself
        return None
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return sum(parameter.kind in _BY_POSITION for parameter in parameters)


def needed_arguments(signature: inspect.Signature) -> list[str]:
    """The names of the parameters that have no default."""
    parameters = signature.parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.kind not in _ANY_NUMBER]


def bound_signature(cls: type[Any], method: str) -> inspect.Signature:
    """The signature that a method has on an instance of the class: without `self`.

    Raises:
        ValueError: the method is written in C and says nothing about itself.
    """
    signature = inspect.signature(getattr(cls, method))
    if isinstance(inspect.getattr_static(cls, method), staticmethod | classmethod):
        return signature
    return signature.replace(parameters=list(signature.parameters.values())[1:])
