"""Finds out why a parameter has no provider, and what would help."""

from collections.abc import Iterable, Mapping
from typing import Any

from bullworks.core.graph import Graph
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.problems import (
    Advice,
    BuiltinType,
    Hint,
    InvalidAnnotation,
    NoAnnotation,
    NoProvider,
    NotExported,
    NotImported,
    NotMarked,
    SameName,
    SimilarName,
    UndefinedName,
)
from bullworks.core.provide import UseClass
from bullworks.core.signature import Parameter
from bullworks.core.tokens import AnyToken, Token, label
from bullworks.core.visibility import exported_entries
from bullworks.suggestion import suggestion


def hint_for(  # noqa: PLR0911 - one reason after the other, the most telling first
    consumer: Entry, parameter: Parameter, visible: Mapping[AnyToken, Entry], graph: Graph, attribute: str
) -> Hint:
    """Find the most likely reason why nothing visible serves a parameter, which would have this attribute."""
    token, node = parameter.token, consumer.node
    if parameter.unreadable_name is not None:
        return UndefinedName(parameter.unreadable_name, is_local=_is_local(consumer))
    if parameter.unreadable is not None:
        return InvalidAnnotation(parameter.name, parameter.unreadable)
    if token is None:
        return NoAnnotation(parameter.name)
    if isinstance(token, type) and token.__module__ == "builtins":
        return BuiltinType(token.__name__)
    if isinstance(token, type) and token in _MARKS:
        return NotMarked(parameter.name, _MARKS[token])
    owner = _owner(token, node, graph)
    if owner is not None:
        if owner in node.imports:
            return NotExported(owner.spec.name)
        return NotImported(owner.spec.name, node.spec.name, is_exported=token in exported_entries(owner))
    same = _namesake(token, visible)
    if same is not None:
        what = "classes" if isinstance(token, type) and isinstance(same, type) else "tokens"
        return SameName(_full_name(token), _full_name(same), what)
    near = nearest(label(token), map(label, visible))
    if isinstance(token, Token) and token.hint is not None:
        return Advice(token.hint, near)
    if near is not None:
        return SimilarName(near)
    return NoProvider(label(token), node.spec.name, attribute)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that `name` is probably a misspelling of."""
    return suggestion(name, known, likeness=0.75)


def distinguish_names(token: AnyToken, known: Iterable[AnyToken]) -> tuple[str, str | None]:
    """Name a missing token and the similar known one, in full where their short names are equal.

    Where both read the same, they are named in full: a hint that repeats the question does not help.
    """
    known = list(known)
    same = _namesake(token, known)
    if same is not None:
        return _full_name(token), _full_name(same)
    return label(token), nearest(label(token), map(label, known))


# Classes of which there are several, each known by its name: how a parameter asks for one of them.
_MARKS: dict[type[Any], str] = {}


def register_mark(cls: type[Any], how: str) -> None:
    """Register how a parameter asks for one of several objects of a class, for error messages."""
    _MARKS[cls] = how


def _owner(token: AnyToken, node: ModuleNode, graph: Graph) -> ModuleNode | None:
    """A module that provides the token, an imported one before others."""
    owners = [entry.node for entry in graph.providing(token)]
    return next((owner for owner in owners if owner in node.imports), owners[0] if owners else None)


def _is_local(consumer: Entry) -> bool:
    """Whether what is asked for may be local to the function that the consumer is local to."""
    recipe = None if consumer.binding is None else consumer.binding.recipe
    target = recipe.cls if isinstance(recipe, UseClass) else getattr(recipe, "function", None)
    return "<locals>" in getattr(target, "__qualname__", "")


def _namesake(token: AnyToken, known: Iterable[AnyToken]) -> AnyToken | None:
    """Another token that reads the same."""
    return next((other for other in known if other != token and _bare_name(other) == _bare_name(token)), None)


def _bare_name(token: AnyToken) -> str:
    return token if isinstance(token, str) else label(token)


def _full_name(token: AnyToken) -> str:
    if isinstance(token, type):
        return f"{token.__module__}.{token.__qualname__}"
    return repr(token) if isinstance(token, str) else f"Token({token.name!r})"
