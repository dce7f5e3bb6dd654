"""Requests: units of work, such as a job, each with REQUEST-scoped instances of its own."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from inspect import isasyncgenfunction, isawaitable
from types import TracebackType
from typing import Any, Protocol

from bullworks.core.errors import RequestError
from bullworks.core.hooks import hook_of

_CLOSING_HOOK = "on_module_destroy"

_Closing = Callable[[BaseException | None], Awaitable[object]]


class RequestProvider(Protocol):
    """A provider that makes one instance per request."""

    name: str
    is_durable: bool

    def make(self) -> object:
        """Make a new instance, or an awaitable of one."""


class Request:
    """One unit of work, in which each REQUEST-scoped provider has one instance, created at first use.

    At its end what was made is closed, in reverse: generator factories are resumed, with the error that ended the
    work thrown into them, and `on_module_destroy` of instances that have it is called. (Their other hooks are not:
    those tell of the application's life.) Tasks that the work starts belong to it too.

    Args:
        given: instances that the work brings along.

    Attributes:
        turns: locks, each held while its provider's instance is made: concurrent callers get the same.
    """

    def __init__(self, given: dict[RequestProvider, object]) -> None:
        self._instances = dict(given)
        self._closings: list[tuple[str, _Closing]] = []
        self.turns: defaultdict[RequestProvider, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._is_closed = False
        self._outer: Request | None = None

    async def __aenter__(self) -> None:
        self._outer = CURRENT.get()
        CURRENT.set(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.close(error)
        finally:
            # not by a token: a fixture may be left in another context than it was entered in
            CURRENT.set(self._outer)

    def owner_of(self, provider: RequestProvider) -> "Request":  # noqa: ARG002 - others distinguish
        """The unit of work whose instance of a provider this one uses: itself, unless it has a durable context."""
        return self

    def holds(self, provider: RequestProvider) -> bool:
        """Whether the request has a provider's instance already."""
        return provider in self._instances

    def instance_of(self, provider: RequestProvider) -> Any:
        """Return the request's instance of a provider; a new async one is an awaitable, whose result goes to `keep`.

        Raises:
            RequestError: the work has ended.
        """
        owner = self.owner_of(provider)
        if owner is not self:
            return owner.instance_of(provider)
        if provider in self._instances:
            return self._instances[provider]
        if self._is_closed:
            raise RequestError(provider.name, "is REQUEST-scoped, and its request (its job, perhaps) has ended")
        made = provider.make()
        if not is_promise(made):
            self.keep(provider, made)
        return made

    def keep(self, provider: RequestProvider, instance: object) -> None:
        """Store an instance, unless another was stored first."""
        if provider in self._instances:
            return
        self._instances[provider] = instance
        hook = hook_of(instance, _CLOSING_HOOK)
        if hook is not None:
            self._closings.append((f"in {provider.name}.{_CLOSING_HOOK}()", lambda _: _call(hook)))

    async def close(self, error: BaseException | None) -> None:
        """Close everything made in the request, even after failures, which are noted on `error` if given.

        Raises:
            Exception, ExceptionGroup: what closing raised, one thing or several.
        """
        failures: list[Exception] = []
        interruption: BaseException | None = None
        while self._closings:
            what, closing = self._closings.pop()
            try:
                await closing(error)
            except Exception as failure:  # noqa: BLE001 - one that fails must not keep the others open
                failure.add_note(what)
                failures.append(failure)
            except BaseException as stopped:  # noqa: BLE001 - raised once the others are closed
                interruption = interruption or stopped
        self._is_closed = True
        self._instances.clear()
        if interruption is not None:
            raise interruption
        if error is not None:
            for failed in failures:
                error.add_note(f"and while its request was closed: {failed!r}")
        elif len(failures) == 1:
            raise failures[0]
        elif failures:
            raise ExceptionGroup("errors while a request was closed", failures)

    async def enter(self, opened: contextlib.AbstractAsyncContextManager[Any], name: str) -> Any:
        """Enter an async generator factory and return what it yields; it resumes at the request's end."""
        value = await opened.__aenter__()
        self._closings.append((f"while closing {name}", lambda error: opened.__aexit__(*_exc_info(error))))
        return value

    def enter_sync(self, opened: contextlib.AbstractContextManager[Any], name: str) -> Any:
        """Enter a generator factory and return what it yields; it resumes at the request's end."""
        value = opened.__enter__()

        async def close(error: BaseException | None) -> None:
            opened.__exit__(*_exc_info(error))

        self._closings.append((f"while closing {name}", close))
        return value


CURRENT: ContextVar[Request | None] = ContextVar("request", default=None)
"""The request that the running code is a part of."""


def is_promise(made: object) -> bool:
    """Whether dependency-injector returned an awaitable of an instance, as opposed to an awaitable instance."""
    return asyncio.isfuture(made) or asyncio.iscoroutine(made)


def open_managed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Wrap a generator factory: returns what it yields, and resumes it at the end of the current request."""
    if isasyncgenfunction(function):
        managed_async = contextlib.asynccontextmanager(function)

        async def open_async(*args: Any, **kwargs: Any) -> Any:
            return await _current(name).enter(managed_async(*args, **kwargs), name)

        return open_async
    managed = contextlib.contextmanager(function)

    def open_sync(*args: Any, **kwargs: Any) -> Any:
        return _current(name).enter_sync(managed(*args, **kwargs), name)

    return open_sync


def _current(name: str) -> Request:
    request = CURRENT.get()
    if request is None:
        raise RequestError(name, "is closed with its request, and there is none here: `async with app.request():`")
    return request


def _exc_info(
    error: BaseException | None,
) -> tuple[type[BaseException] | None, BaseException | None, TracebackType | None]:
    return (None, None, None) if error is None else (type(error), error, error.__traceback__)


async def _call(hook: Callable[[], Any]) -> None:
    result = hook()
    if isawaitable(result):
        await result
