"""Address: where a new process finds what it is to run, `package.module:name`."""

import importlib
import re
import sys
from collections.abc import Callable
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError

_FORM = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def address_of(thing: str | Callable[..., Any], option: str = "handler") -> str:
    """Build the import address of a module-level function or class, a static or class method, or a nested class.

    Args:
        thing: it, or its address. What an address leads to is not looked at: its module may be one that only the
            processes import.

    Raises:
        InvalidOptionError: a new process could not find it, and why.
    """
    if isinstance(thing, str):
        if not _FORM.fullmatch(thing):
            raise InvalidOptionError(option, f'must be an address as in "package.module:function", not {thing!r}')
        return thing
    module_name, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not module_name or not name:
        raise InvalidOptionError(option, f"must be a function of a module, not {thing!r}: a process imports it by name")
    if "<" in name:
        raise InvalidOptionError(
            option, f"{name} is defined inside a function, where no other process finds it; move it to module level"
        )
    address = f"{_importable(module_name, name, option)}:{name}"
    try:
        found = _walk(sys.modules[module_name], name)
    except (KeyError, AttributeError):
        found = None
    # Equal, not the same: a class method is another object each time.
    if found != thing:
        raise InvalidOptionError(
            option,
            f"{address} is not {thing!r}, so a process would get something else: "
            "was it replaced there, or is it a method of an instance?",
        )
    return address


def find(address: str) -> Any:
    """Import the object at an address.

    Raises:
        ImportError, AttributeError, or whatever importing the module raises.
    """
    module_name, _, name = address.partition(":")
    return _walk(importlib.import_module(module_name), name)


def _walk(thing: Any, name: str) -> Any:
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


def _importable(module_name: str, name: str, option: str) -> str:
    if module_name != "__main__":
        return module_name
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is None:
        raise InvalidOptionError(
            option, f"{name} is in the script that was started, which no other process imports; move it to a module"
        )
    return str(spec.name)  # python -m package.module
