"""Calling functions that may take fewer arguments than there are."""

import inspect
from collections.abc import Callable
from typing import Any

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def most_arguments(function: Callable[..., Any], offered: int) -> int:
    """Count how many of the first `offered` positional arguments a function takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # written in C, and silent about itself
        return offered
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return offered
    return min(offered, sum(parameter.kind in _BY_POSITION for parameter in parameters))
