"""Finding the lifecycle hooks that an object has."""

from collections.abc import Callable
from typing import Any


def hook_of(instance: object, name: str) -> Callable[..., Any] | None:
    """Find the object's hook method of this name, if its class has one.

    Looked up on the class: a mock has every attribute, and would be taken for having every hook.
    """
    for cls in type(instance).__mro__:
        if name in cls.__dict__:
            method: Callable[..., Any] = getattr(instance, name)
            return method
    return None
