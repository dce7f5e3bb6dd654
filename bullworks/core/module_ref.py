"""A module's own view of the application, injectable everywhere."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from bullworks.core.building import build_async, is_pending, problems_of
from bullworks.core.compiling import compile_entry
from bullworks.core.errors import WiringError
from bullworks.core.linking import Linker
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.provide import bind_class
from bullworks.core.request import CURRENT
from bullworks.core.resolver import Resolver, open_request
from bullworks.core.scope import Scope
from bullworks.core.tokens import AnyToken

T = TypeVar("T")


class ModuleRef(Resolver):
    """Looks things up by token at run time, as the module that it is injected into sees them."""

    def __init__(self, node: ModuleNode, linker: Linker) -> None:
        self._node = node
        self._graph = linker.graph
        self._linker = linker

    def request(self, values: Mapping[AnyToken, object] | None = None) -> AbstractAsyncContextManager[None]:
        """Begin a unit of work, in which each REQUEST-scoped provider has one instance, closed at its end.

            async with self.modules.request({TENANT: "acme"}):
                handler = await self.modules.resolve(Handler)

        A worker opens one for each job of a REQUEST-scoped processor.

        Args:
            values: instances that the work brings along, for tokens that are provided REQUEST-scoped.

        Raises:
            UnknownProviderError: nothing provides one of the tokens.
            RequestError: one of them is not REQUEST-scoped.
        """
        return open_request(self._node, self._graph, values or {})

    @property
    def is_in_request(self) -> bool:
        """Whether the running code is part of a unit of work, a job's or another."""
        return CURRENT.get() is not None

    async def create(self, cls: type[T]) -> T:
        """A new instance of a class that no module provides, with its dependencies injected.

        Nobody else gets it, and no lifecycle hook of it is called.

        Raises:
            WiringError: one of its dependencies is not visible in this module.
        """
        binding = bind_class(cls, scope=Scope.TRANSIENT)
        entry = Entry(cls, self._node, binding)
        self._linker.connect(entry)
        problems = list(problems_of(entry))
        if problems:
            raise WiringError(problems)
        compile_entry(entry, binding, self._graph)
        await build_async(self._graph, self._graph.order([entry]))
        made: Any = entry.provider()
        instance: T = await made if is_pending(entry, made) else made
        return instance
