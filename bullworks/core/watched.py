"""dependency-injector's providers, made to remember what was awaited and to notify observers of overrides."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from dependency_injector import providers

from bullworks.core.errors import WiringError
from bullworks.core.problems import UnresolvedParameter
from bullworks.core.request import CURRENT, is_promise

_NOTHING: Any = object()


class ProviderObserver(Protocol):
    """Observer of a provider's overrides."""

    def before_override(self) -> None:
        """Check an override before it happens; raises to refuse it."""

    def after_override(self) -> None:
        """Note that the provider was overridden."""

    def after_reset(self) -> None:
        """Note that an override was reset."""

    def after_forget(self) -> None:
        """Note that a singleton discarded its instance."""


class WatchedProvider(providers.Provider[Any]):
    """Base class of the providers that modules are made of."""

    # class attributes, since dependency-injector duplicates providers without calling our code
    observer: ProviderObserver | None = None
    _settled: Any = _NOTHING
    _settled_under: providers.Provider[Any] | None = None

    def settle(self, value: Any) -> None:
        """Fix the provider's object until the provider is overridden, reset, or an override ends.

        The library would give a Future on every call once a factory was awaited, and would call a
        factory again that returned None.
        """
        self._settled, self._settled_under = value, self.last_overriding

    def promise(self) -> Awaitable[Any]:
        """Call the provider's async factory; each call returns a new awaitable."""
        promise: Awaitable[Any] = self()
        return promise

    def unsettle(self) -> None:
        """Release the fixed object, so that the factory is called again."""
        self._settled, self._settled_under = _NOTHING, None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._settled is not _NOTHING and self._settled_under is self.last_overriding:
            return self._settled
        return super().__call__(*args, **kwargs)

    def override(self, provider: Any) -> Any:
        if self.observer is not None:
            self.observer.before_override()
        context: Any = super().override(provider)
        if self.observer is not None:
            self.observer.after_override()
        return context

    def reset_last_overriding(self) -> None:
        super().reset_last_overriding()
        if self.observer is not None:
            self.observer.after_reset()

    def reset_override(self) -> None:
        had_any = bool(self.overridden)
        super().reset_override()
        if had_any and self.observer is not None:
            self.observer.after_reset()


class WatchedObject(WatchedProvider, providers.Object[Any]):
    """`providers.Object` with an override observer."""


class WatchedSingleton(WatchedProvider, providers.Singleton[Any]):
    """`providers.Singleton` with an override observer.

    Attributes:
        prepare: has what it needs built in a row, where one inside the other would be too deep for Python's stack.
    """

    prepare: Callable[[], object] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.prepare is not None and self.last_overriding is None:
            self.prepare()
        return super().__call__(*args, **kwargs)

    def promise(self) -> Awaitable[Any]:
        """Call the async factory outside the library's singleton, whose own task a cancellation would not reach."""
        promise: Awaitable[Any] = providers.Factory(self.provides, *self.args, **self.kwargs)()
        return promise

    def reset(self) -> Any:
        self.unsettle()
        context: Any = super().reset()
        if self.observer is not None:
            self.observer.after_forget()
        return context


class TransientInstances:
    """The TRANSIENT instances made for one singleton while it was built, which nothing else refers to.

    Attributes:
        is_open: more are taken in; no longer once it is built, though a task that it left running may make some.
    """

    __slots__ = ("is_open", "made")

    def __init__(self, *, is_open: bool) -> None:
        self.made: list[tuple[WatchedProvider, object]] = []
        self.is_open = is_open

    def take(self, provider: WatchedProvider, made: Any) -> Any:
        """Record an instance, or an awaitable of one; returns it."""
        if is_promise(made):
            made = asyncio.ensure_future(made)
            made.add_done_callback(functools.partial(self._take_promised, provider))
        elif self.is_open:
            self.made.append((provider, made))
        return made

    def _take_promised(self, provider: WatchedProvider, promise: "asyncio.Future[Any]") -> None:
        if not promise.cancelled() and promise.exception() is None:
            self.take(provider, promise.result())


PARTS: ContextVar[TransientInstances | None] = ContextVar("parts", default=None)
"""Of what is being built."""


class WatchedFactory(WatchedProvider, providers.Factory[Any]):
    """`providers.Factory` with an override observer."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        parts = PARTS.get()
        return made if parts is None or not parts.is_open else parts.take(self, made)


class _Place:
    """Marks one context. Contexts can't release what they hold, so that they hold no more than this."""


class WatchedContextLocal(WatchedProvider, providers.ContextLocalSingleton[Any]):
    """`providers.ContextLocalSingleton` with an override observer; a request has one instance for all its tasks.

    Outside of one each context has its own, as in the library; yet the provider holds them, and can forget them all.
    """

    name = ""
    is_durable = False
    _factory: providers.Factory[Any] | None = None
    _here: ContextVar[_Place | None] | None = None
    _instances: WeakKeyDictionary[_Place, Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request = CURRENT.get()
        if request is None or self.last_overriding is not None:
            return super().__call__(*args, **kwargs)
        return request.instance_of(self)

    def make(self) -> Any:
        """Make a new unshared instance, or an awaitable of one.

        By a factory: the library's singleton would have a task await the promise, which cancelling does not reach.
        """
        if self._factory is None:
            self._factory = providers.Factory(self.provides, *self.args, **self.kwargs)
        self._factory.reset_async_mode()  # it is sticky: what an override had to await once is a Future for ever
        return self._factory()

    def _provide(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the library calls where nothing overrides it."""
        del args, kwargs
        if self._here is None or self._instances is None:
            self._here, self._instances = ContextVar("here", default=None), WeakKeyDictionary()
        place = self._here.get()
        if place is not None and place in self._instances:
            return self._instances[place]
        made = self.make()
        if is_promise(made):
            made = asyncio.ensure_future(made)
            made.add_done_callback(self._take_in)
        place = _Place()  # not the one that was inherited: what is made here is this context's own
        self._here.set(place)
        self._instances[place] = made
        return made

    def _take_in(self, promise: "asyncio.Future[Any]") -> None:
        """Have what was promised, if it came."""
        instances: MutableMapping[_Place, Any] = {} if self._instances is None else self._instances
        for place in [place for place, instance in instances.items() if instance is promise]:
            if promise.cancelled() or promise.exception() is not None:
                del instances[place]
            else:
                instances[place] = promise.result()

    def reset(self) -> Any:
        """Discard the instance of the current context."""
        place = None if self._here is None else self._here.get()
        if place is not None and self._instances is not None:
            self._instances.pop(place, None)
        return super().reset()

    def forget(self) -> None:
        """Discard the instances of all contexts."""
        if self._instances is not None:
            self._instances.clear()


class WatchedResource(WatchedProvider, providers.Resource[Any]):
    """`providers.Resource` with an override observer; for generator functions only, as it enters any return value."""

    def shutdown(self) -> Any:
        self.unsettle()
        return super().shutdown()


class WatchedLink(WatchedProvider, providers.Callable[Any]):
    """A provider that passes on another provider's object, with overrides of its own."""


class Missing(WatchedProvider, providers.Dependency[Any]):
    """An undefined `providers.Dependency` whose error explains itself. An override defines it."""

    problem: UnresolvedParameter

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.is_defined:
            raise WiringError([self.problem])
        return super().__call__(*args, **kwargs)
