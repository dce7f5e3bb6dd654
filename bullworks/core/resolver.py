"""Finding an instance by its token. Containers, applications and module references share it."""

from collections.abc import Mapping
from typing import Any, TypeVar, overload

from dependency_injector import providers

from bullworks.core.building import build_async, build_needs, first_async, is_pending
from bullworks.core.durable_contexts import ContextStrategy, KeyedRequest
from bullworks.core.errors import AmbiguousProviderError, AsyncFactoryError, RequestError, UnknownProviderError
from bullworks.core.graph import Graph, leaf_first
from bullworks.core.hints import distinguish_names
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.request import Request, RequestProvider
from bullworks.core.tokens import AnyToken, Token, label
from bullworks.core.under_way import under_way
from bullworks.core.watched import WatchedContextLocal

T = TypeVar("T")


class Resolver:
    """Resolves tokens as one module sees them."""

    _node: ModuleNode
    _graph: Graph

    @overload
    def get(self, token: type[T], *, strict: bool = ...) -> T: ...
    @overload
    def get(self, token: Token[T], *, strict: bool = ...) -> T: ...
    @overload
    def get(self, token: str, *, strict: bool = ...) -> Any: ...
    def get(self, token: AnyToken, *, strict: bool = False) -> Any:
        """Return the instance for a token, built if need be.

        Args:
            token: the module itself, then what it sees, then the whole application are searched for it.
            strict: search the module itself only.

        Raises:
            UnknownProviderError: nothing provides it; names the nearest token.
            AmbiguousProviderError: several modules provide it, none of them visible here.
            AsyncFactoryError: a factory has to be awaited first, by `resolve()` or by the application's start.
        """
        return value_of(find_entry(self._node, self._graph, token, strict=strict), self._graph)

    @overload
    async def resolve(self, token: type[T], *, strict: bool = ...) -> T: ...
    @overload
    async def resolve(self, token: Token[T], *, strict: bool = ...) -> T: ...
    @overload
    async def resolve(self, token: str, *, strict: bool = ...) -> Any: ...
    async def resolve(self, token: AnyToken, *, strict: bool = False) -> Any:
        """Return the instance for a token, awaiting async factories.

        A TRANSIENT gives a new instance, a REQUEST-scoped provider the one of the current request, or context.
        """
        return await resolve_entry(find_entry(self._node, self._graph, token, strict=strict), self._graph)

    @overload
    def provider_of(self, token: type[T], *, strict: bool = ...) -> providers.Provider[T]: ...
    @overload
    def provider_of(self, token: Token[T], *, strict: bool = ...) -> providers.Provider[T]: ...
    @overload
    def provider_of(self, token: str, *, strict: bool = ...) -> providers.Provider[Any]: ...
    def provider_of(self, token: AnyToken, *, strict: bool = False) -> providers.Provider[Any]:
        """Return the dependency-injector provider of a token, to override or to wire."""
        return find_entry(self._node, self._graph, token, strict=strict).provider


def find_entry(node: ModuleNode, graph: Graph, token: AnyToken, *, strict: bool = False) -> Entry:
    """Find the entry that a module means by a token.

    Raises:
        UnknownProviderError: nothing provides it.
        AmbiguousProviderError: several modules do, none of them visible here.
    """
    seen = node.entries if strict else graph.visible[node]
    if token in seen:
        return seen[token]
    everywhere = [] if strict else graph.providing(token)
    if len(everywhere) > 1:
        raise AmbiguousProviderError(label(token), [entry.node.spec.name for entry in everywhere])
    if everywhere:
        return everywhere[0]
    if token in node.missing:
        return node.missing[token]
    scope = (node,) if strict else leaf_first(node)
    known = [other for searched in scope for other in searched.entries]
    wanted, near = distinguish_names(token, known)
    raise UnknownProviderError(wanted, node.spec.name, near, sorted({label(other) for other in known}))


async def resolve_entry(entry: Entry, graph: Graph) -> Any:
    """Resolve an entry's value, awaiting async factories."""
    await build_async(graph, graph.order([entry]))
    value = entry.provider()
    return await value if is_pending(entry, value) else value


def open_request(node: ModuleNode, graph: Graph, values: Mapping[AnyToken, object]) -> Request:
    """Open a unit of work with given instances for some tokens, as a module sees them.

    Raises:
        UnknownProviderError: nothing provides one of them.
        RequestError: one of them is not REQUEST-scoped.
    """
    given: dict[RequestProvider, object] = {}
    for token, value in values.items():
        provider = find_entry(node, graph, token).provider
        if not isinstance(provider, WatchedContextLocal):
            raise RequestError.not_of_one(label(token))
        given[provider] = value
    if graph.strategy is None:
        return Request(given)
    strategy: ContextStrategy = value_of(graph.strategy, graph)
    graph.durable.most = strategy.most_contexts
    key = strategy.key_of(values)
    return Request(given) if key is None else KeyedRequest(given, graph.durable, key)


def value_of(entry: Entry, graph: Graph) -> Any:
    """Resolve an entry's value.

    Raises:
        AsyncFactoryError: a factory has to be awaited first.
    """
    if entry.is_built:
        value = entry.provider()
    else:
        waiting = first_async([entry]) or build_needs(entry, graph)
        if waiting is not None:
            raise AsyncFactoryError(label(entry.token), label(waiting.token))
        with under_way(entry, graph):
            value = entry.provider()
    if is_pending(entry, value):  # of a foreign container, which does not tell before
        raise AsyncFactoryError(label(entry.token), label(entry.token))
    return value
