"""Reads what a constructor or a factory asks for from its annotations."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from bullworks.core.arguments import EMPTY, Argument, arguments_of
from bullworks.core.markers import Inject, Lazy
from bullworks.core.tokens import AnyToken, Token, label


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a constructor or a factory.

    Args:
        token: by what it is resolved; None if the annotation says nothing that could be.
        text: name and annotation as the reader wrote them, for messages.
        is_optional: None will do (`T | None`).
        is_lazy: a `Lazy[T]` is wanted.
        has_default: it may be left out.
        is_positional: it has to be passed by position.
        unreadable_name: the name in its annotation that is not there at run time.
        unreadable: why else its annotation cannot be read.
    """

    name: str
    token: AnyToken | None
    text: str
    is_optional: bool = False
    is_lazy: bool = False
    has_default: bool = False
    is_positional: bool = False
    unreadable_name: str | None = None
    unreadable: str | None = None

    def as_lazy(self) -> str:
        """Format the lazy form of the parameter's annotation, for messages."""
        if isinstance(self.token, type):
            return f"Lazy[{label(self.token)}]"
        return f"Annotated[Lazy[T], Inject({label(self.token)})]"


# Tests put the same classes together again and again; a class that is gone is forgotten.
_known: WeakKeyDictionary[type[Any], tuple[Parameter, ...]] = WeakKeyDictionary()


def read_parameters(target: type[Any] | Callable[..., Any]) -> tuple[Parameter, ...]:
    """Read the parameters of a callable in order, without `*args` and `**kwargs`."""
    if not isinstance(target, type):
        return _read_parameters(target)
    parameters = _known.get(target)
    if parameters is None:
        parameters = _read_parameters(target)
        if all(parameter.unreadable_name is None for parameter in parameters):  # else it may yet be defined
            _known[target] = parameters
    return parameters


def _read_parameters(target: type[Any] | Callable[..., Any]) -> tuple[Parameter, ...]:
    function = _function_of(target)
    if function is object.__init__:
        return ()
    try:
        arguments = arguments_of(target, function)
    except ValueError:
        # some callables written in C tell nothing about themselves; they are called as they are
        return ()
    return tuple(_read(argument, function) for argument in arguments)


def listed_parameters(tokens: Sequence[Any]) -> tuple[Parameter, ...]:
    """Read the parameters that `inject=[...]` lists: tokens, or annotations such as `Lazy[Mail]`."""
    return tuple(_parse_listed(f"inject[{index}]", item) for index, item in enumerate(tokens))


def aliased_parameter(token: AnyToken) -> Parameter:
    """Read the parameter that `use_existing=` names."""
    return _parse_listed("use_existing", token)


def _function_of(target: type[Any] | Callable[..., Any]) -> Callable[..., Any]:
    """The function whose annotations describe what calling `target` takes."""
    if isinstance(target, type):
        constructor: Callable[..., Any] = inspect.getattr_static(target, "__init__")
        if constructor is object.__init__ and any("__new__" in vars(base) for base in target.__mro__[:-1]):
            constructor = target.__new__
        return constructor
    if isinstance(target, functools.partial):
        return _function_of(target.func)
    if inspect.isroutine(target):
        unwrapped: Callable[..., Any] = inspect.unwrap(target)
        return unwrapped
    call: Callable[..., Any] = type(target).__call__
    return call


def _read(argument: Argument, function: Callable[..., Any]) -> Parameter:
    name, default = argument.name, argument.default
    try:
        annotation = _evaluate(argument.annotation, function)
    except (NameError, AttributeError) as error:
        # read one by one, so that a name that is missing spoils its own parameter only
        read = Parameter(name, None, f"{name}: {argument.annotation}", unreadable_name=error.name or str(error))
    except (SyntaxError, TypeError) as error:
        read = Parameter(name, None, f"{name}: {argument.annotation}", unreadable=str(error))
    else:
        read = _parse(name, annotation)
    if isinstance(default, Inject):  # def __init__(self, queue=Inject("queue"))
        is_optional = read.is_optional or default.optional
        return replace(read, token=default.token, is_optional=is_optional, unreadable_name=None, unreadable=None)
    if default is EMPTY and not argument.is_positional:
        return read
    return replace(read, has_default=default is not EMPTY, is_positional=argument.is_positional)


def _evaluate(annotation: Any, function: Callable[..., Any]) -> Any:
    if annotation is EMPTY or isinstance(annotation, type):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    names = getattr(function, "__globals__", {})
    return typing.get_type_hints(holder, globalns=names, include_extras=True)["it"]


def _parse_listed(name: str, item: Any) -> Parameter:
    is_optional = isinstance(item, Inject) and item.optional
    if isinstance(item, Inject):
        item = item.token
    if isinstance(item, str | Token):
        return Parameter(name, item, f"{name}: {label(item)}", is_optional=is_optional, is_positional=True)
    read = _parse(name, item)
    return replace(read, is_optional=read.is_optional or is_optional, is_positional=True)


def _parse(name: str, annotation: Any) -> Parameter:
    """Peel Annotated, `| None` and Lazy off an annotation until the token is left."""
    token: AnyToken | None = None
    gives: type[Any] | None = None
    is_optional = is_lazy = False
    rest = annotation
    while True:
        origin = typing.get_origin(rest)
        if origin is typing.Annotated:
            rest, *marks = typing.get_args(rest)
            mark = next((mark for mark in marks if isinstance(mark, Inject)), None)
            if mark is not None:
                token, gives, is_optional = mark.token, mark.gives, is_optional or mark.optional
        elif _is_union(rest):
            arms = [arm for arm in typing.get_args(rest) if arm is not type(None)]
            is_optional = is_optional or len(arms) < len(typing.get_args(rest))
            if len(arms) != 1:
                break
            (rest,) = arms
        elif origin is Lazy:
            is_lazy = True
            (rest,) = typing.get_args(rest)
        else:
            break
    if token is None:
        token = _token_of(rest)
    written = " | ".join(label(arm) for arm in typing.get_args(rest)) if _is_union(rest) else label(rest)
    shown = f"Lazy[{written}]" if is_lazy else written
    text = name if annotation is EMPTY else f"{name}: {shown}{' | None' if is_optional else ''}"
    if token is not None and not isinstance(token, type):
        text += f" (token {label(token)})"
    if gives is not None and not _may_be(gives, _token_of(rest)):
        return Parameter(name, None, text, unreadable=f"it says {written}, and its mark gives a {label(gives)}")
    return Parameter(name, token, text, is_optional=is_optional, is_lazy=is_lazy)


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _may_be(given: type[Any], wanted: AnyToken | None) -> bool:
    """Whether an annotation may stand for an object of this class; a protocol, or what is not a class, may for any."""
    if wanted is Any or not isinstance(wanted, type) or getattr(wanted, "_is_protocol", False):
        return True
    return issubclass(given, wanted) or issubclass(wanted, given)


def _token_of(annotation: Any) -> AnyToken | None:
    """The class that an annotation names: `Repo[User]` asks for `Repo`."""
    named = typing.get_origin(annotation) or annotation
    if named is EMPTY or named is object or not isinstance(named, type):
        return None
    return named
