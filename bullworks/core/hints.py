"""Finds out why a parameter has no provider, and what would help."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from bullworks.core.graph import Graph
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.problems import (
    Advice,
    BuiltinType,
    Hint,
    NameNotThere,
    NearName,
    NoAnnotation,
    NobodyProvides,
    NotExported,
    NotImported,
    NotReadable,
    SameName,
)
from bullworks.core.provide import UseClass
from bullworks.core.signature import Parameter
from bullworks.core.tokens import AnyToken, Token, label
from bullworks.core.visibility import exported_entries


def hint_for(  # noqa: PLR0911 - one reason after the other, the most telling first
    consumer: Entry, parameter: Parameter, visible: Mapping[AnyToken, Entry], graph: Graph, attribute: str
) -> Hint:
    """The most telling reason why nothing visible serves a parameter; what is missing would have this attribute."""
    token, node = parameter.token, consumer.node
    if parameter.unreadable_name is not None:
        return NameNotThere(parameter.unreadable_name, is_local=_is_local(consumer))
    if parameter.unreadable is not None:
        return NotReadable(parameter.name, parameter.unreadable)
    if token is None:
        return NoAnnotation(parameter.name)
    if isinstance(token, type) and token.__module__ == "builtins":
        return BuiltinType(token.__name__)
    owner = _owner(token, node, graph)
    if owner is not None:
        if owner in node.imports:
            return NotExported(owner.spec.name)
        return NotImported(owner.spec.name, node.spec.name, is_exported=token in exported_entries(owner))
    names = {label(known): known for known in visible}
    same = names.get(label(token))
    if isinstance(token, type) and isinstance(same, type):
        return SameName(_full_name(token), _full_name(same))
    near = nearest(label(token), names)
    if isinstance(token, Token) and token.hint is not None:
        return Advice(token.hint, near)
    if near is not None:
        return NearName(near)
    return NobodyProvides(label(token), node.spec.name, attribute)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is probably a misspelling of."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)), None)


def _owner(token: AnyToken, node: ModuleNode, graph: Graph) -> ModuleNode | None:
    """A module that provides the token, an imported one before others."""
    owners = [entry.node for entry in graph.providing(token)]
    return next((owner for owner in owners if owner in node.imports), owners[0] if owners else None)


def _is_local(consumer: Entry) -> bool:
    """Whether what is asked for may be local to the function that the consumer is local to."""
    recipe = None if consumer.binding is None else consumer.binding.recipe
    target = recipe.cls if isinstance(recipe, UseClass) else getattr(recipe, "function", None)
    return "<locals>" in getattr(target, "__qualname__", "")


def _full_name(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
