"""Durable contexts: what has one instance a tenant, say, rather than one a request. Nest's durable providers."""

import contextlib
import logging
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from bullworks.core.errors import RequestError
from bullworks.core.request import CURRENT, Request, RequestProvider, is_promise
from bullworks.core.tokens import AnyToken

log = logging.getLogger(__name__)


class ContextStrategy(ABC):
    """Says to which durable context a request belongs: `provide(ContextStrategy, use_class=ByTenant)`, once.

    Attributes:
        most_contexts: how many are kept; of those that no request uses, the one last used longest ago is closed.
    """

    most_contexts: int = 100

    @abstractmethod
    def key_of(self, values: Mapping[AnyToken, Any]) -> Hashable | None:
        """The key of the context, such as a tenant's name; None means durable providers are the request's own.

        Args:
            values: what the request was opened with; a worker opens one with JOB. A job added from outside of any
                request opens one with nothing, where a guard or an interceptor needs one.
        """


@dataclass(frozen=True, slots=True)
class ContextKey:
    """Injectable in durable providers: the key of the context that they are made for."""

    value: Hashable


class DurableContext(Request):
    """The instances of one key, shared by its requests.

    Attributes:
        users: the open requests that belong to it.
    """

    def __init__(self, key: Hashable) -> None:
        super().__init__({})
        self.key = key
        self.users = 0

    def instance_of(self, provider: RequestProvider) -> Any:
        """Return the context's instance of a durable provider; see Request.instance_of."""
        if not provider.is_durable:
            raise RequestError(
                provider.name,
                "lives no longer than its request, and cannot be asked for while something durable is made",
            )
        with self.is_current():
            made = super().instance_of(provider)
        return self._awaited(made) if is_promise(made) else made

    @contextlib.contextmanager
    def is_current(self) -> Iterator[None]:
        """Make this the context that what is made meanwhile, and what is opened for it, belongs to."""
        token = CURRENT.set(self)
        try:
            yield
        finally:
            CURRENT.reset(token)

    async def _awaited(self, promise: Any) -> Any:
        with self.is_current():
            return await promise


class KeyedRequest(Request):
    """A request whose durable providers have their instances in the context of its key."""

    def __init__(self, given: dict[RequestProvider, object], contexts: "DurableContexts", key: Hashable) -> None:
        super().__init__(given)
        self._contexts = contexts
        self._key = key
        self._context: DurableContext | None = None

    async def __aenter__(self) -> None:
        self._context = self._contexts.take(self._key)
        await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, traceback)
        finally:
            context, self._context = self._context, None
            if context is not None:
                await self._contexts.release(context)

    def owner_of(self, provider: RequestProvider) -> Request:
        """The durable context for what is durable and was not given to the request."""
        if self._context is None or not provider.is_durable or self.holds(provider):
            return self
        return self._context


class DurableContexts:
    """The durable contexts of one application, at most `most` of them beside those in use.

    Attributes:
        most: how many are kept.
    """

    def __init__(self) -> None:
        self.most = ContextStrategy.most_contexts
        self._contexts: OrderedDict[Hashable, DurableContext] = OrderedDict()
        self._retired: list[DurableContext] = []

    def __len__(self) -> int:
        return len(self._contexts)

    def take(self, key: Hashable) -> DurableContext:
        """Return the context of a key for one more request, which releases it at its end."""
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = DurableContext(key)
        self._contexts.move_to_end(key)
        context.users += 1
        return context

    async def release(self, context: DurableContext) -> None:
        """End a request's use of a context; closes those that are too many."""
        context.users -= 1
        while len(self._contexts) > self.most:
            oldest = next((each for each in self._contexts.values() if not each.users), None)
            if oldest is None:
                return
            del self._contexts[oldest.key]
            try:
                await oldest.close(None)
            except Exception:
                # no request's failure: the one that ends has nothing to do with it
                log.exception("the durable context %r did not close", oldest.key)

    def retire(self) -> None:
        """Give further requests new contexts: something is overridden. The old ones are closed with the application."""
        self._retired += self._contexts.values()
        self._contexts.clear()

    async def close(self) -> list[Exception]:
        """Close all contexts. Returns what that raised."""
        self.retire()
        errors: list[Exception] = []
        for context in reversed(self._retired):
            try:
                await context.close(None)
            except Exception as error:  # noqa: BLE001 - one that fails must not keep the others open
                error.add_note(f"while closing the durable context {context.key!r}")
                errors.append(error)
        self._retired.clear()
        return errors


def current_key() -> ContextKey:
    """The key of the durable context for which something is made now.

    Raises:
        RequestError: there is none.
    """
    context = CURRENT.get()
    if not isinstance(context, DurableContext):
        problem = "is the key of a durable context, and there is none here: the ContextStrategy gave no key"
        raise RequestError(ContextKey.__name__, problem)
    return ContextKey(context.key)
