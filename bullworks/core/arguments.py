"""What calling a class or a function takes: names, annotations as they are written, defaults."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

EMPTY = inspect.Parameter.empty
"""There is no annotation, or no default."""


@dataclass(slots=True)
class Argument:
    """One named argument of a callable, neither `*args` nor `**kwargs`.

    Args:
        is_positional: it has to be passed by position.
    """

    name: str
    annotation: Any
    default: Any
    is_positional: bool


def arguments_of(target: type[Any] | Callable[..., Any], function: Callable[..., Any]) -> list[Argument]:
    """List the arguments of a callable; `function` is the one that its annotations are on.

    Raises:
        ValueError: it is written in C and says nothing about itself.
    """
    annotations = _annotations(function)
    if annotations is not None and isinstance(function, FunctionType) and _is_plain(target, function):
        skipped = 1 if isinstance(target, type) else 0
        return list(_read_arguments(function, annotations))[skipped:]
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        Argument(
            p.name,
            (annotations or {}).get(p.name, p.annotation),
            p.default,
            p.kind is inspect.Parameter.POSITIONAL_ONLY,
        )
        for p in inspect.signature(target).parameters.values()
        if p.kind not in variadic
    ]


def _is_plain(target: type[Any] | Callable[..., Any], function: FunctionType) -> bool:
    """Whether the function says all there is to say. `inspect.signature` knows the rest, but takes its time."""
    if hasattr(function, "__wrapped__") or hasattr(function, "__signature__"):
        return False
    if not isinstance(target, type):
        return target is function
    is_made_as_usual = type(target).__call__ is type.__call__ and not hasattr(target, "__signature__")
    return is_made_as_usual and all("__new__" not in vars(base) for base in target.__mro__[:-1])


def _read_arguments(function: FunctionType, annotations: Mapping[str, Any]) -> Iterator[Argument]:
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    first_default = len(positional) - len(defaults)
    for index, name in enumerate(positional):
        default = defaults[index - first_default] if index >= first_default else EMPTY
        yield Argument(name, annotations.get(name, EMPTY), default, index < code.co_posonlyargcount)
    keyword_defaults = function.__kwdefaults__ or {}
    for name in code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]:
        yield Argument(name, annotations.get(name, EMPTY), keyword_defaults.get(name, EMPTY), is_positional=False)


def _annotations(function: Callable[..., Any]) -> Mapping[str, Any] | None:
    try:
        return inspect.get_annotations(function)
    except (NameError, TypeError):  # Python 3.14 evaluates here, as 3.11 does for callables without any
        return None
