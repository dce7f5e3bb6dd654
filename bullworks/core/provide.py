"""Bindings: how a token's instance comes to be. `provide()` and `@injectable` make them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeAlias, TypeVar, overload

from dependency_injector import providers

from bullworks.core.scope import Scope
from bullworks.core.tokens import AnyToken, Token, label
from bullworks.settings import Settings

T = TypeVar("T")

_INJECTABLE = "__injectable__"


@dataclass(frozen=True, slots=True)
class UseValue:
    """A recipe that returns a ready object."""

    value: object


@dataclass(frozen=True, slots=True)
class UseClass:
    """A recipe that calls a class with its constructor's dependencies."""

    cls: type[Any]


@dataclass(frozen=True, slots=True)
class UseFactory:
    """A recipe that calls a function; `inject` lists its arguments, or None reads them from its annotations."""

    function: Callable[..., Any]
    inject: tuple[Any, ...] | None = None

    @property
    def is_generator(self) -> bool:
        """Whether the function yields its object and closes it afterwards."""
        return isgeneratorfunction(self.function) or isasyncgenfunction(self.function)

    @property
    def is_async(self) -> bool:
        """Whether the function's object must be awaited."""
        return iscoroutinefunction(self.function) or isasyncgenfunction(self.function)


@dataclass(frozen=True, slots=True)
class UseExisting:
    """A recipe that refers to another token."""

    token: AnyToken


@dataclass(frozen=True, slots=True)
class UseProvider:
    """A recipe that uses a dependency-injector provider of the user's, which keeps owning the object."""

    provider: providers.Provider[Any]


@dataclass(frozen=True, slots=True)
class UseSettings:
    """A recipe that reads a settings class, together with all others, before anything is built."""

    cls: type[Settings]


Recipe = UseValue | UseClass | UseFactory | UseExisting | UseProvider | UseSettings


@dataclass(frozen=True, slots=True)
class Binding:
    """One entry of `providers=[...]`.

    Args:
        token: what it is known by.
        recipe: where its instance comes from.
        scope: how long the instance lives.
        lazy: built when something first needs it, not at start.
        durable: REQUEST-scoped, and shared by the requests of one durable context.
    """

    token: AnyToken
    recipe: Recipe
    scope: Scope = Scope.SINGLETON
    lazy: bool = False
    durable: bool = False


_NOT_GIVEN: Any = object()


Made: TypeAlias = Awaitable[T] | Iterator[T] | AsyncIterator[T] | T
"""What a factory returns: the object, a promise of it, or, of a generator, what yields it."""


# What a Token gives is checked. A class gives type checkers no hold: of two classes that have nothing to do with each
# other both are subclasses of `object`, and that is then what is provided.
@overload
def provide(token: Token[T], *, use_value: T, lazy: bool = ...) -> Binding: ...
@overload
def provide(
    token: Token[T], *, use_class: type[T], scope: Scope | None = ..., lazy: bool = ..., durable: bool = ...
) -> Binding: ...
@overload
def provide(
    token: Token[T],
    *,
    use_factory: Callable[..., Made[T]],
    inject: Sequence[Any] | None = ...,
    scope: Scope | None = ...,
    lazy: bool = ...,
    durable: bool = ...,
) -> Binding: ...
@overload
def provide(token: Token[T], *, use_existing: type[T] | Token[T] | str, lazy: bool = ...) -> Binding: ...
@overload
def provide(token: Token[T], *, use_provider: providers.Provider[T]) -> Binding: ...
@overload
def provide(token: type[Any] | str, *, use_provider: providers.Provider[Any]) -> Binding: ...
@overload
def provide(token: type[Any] | str, *, use_value: Any, lazy: bool = ...) -> Binding: ...
@overload
def provide(
    token: type[Any] | str, *, use_class: type[Any], scope: Scope | None = ..., lazy: bool = ...
) -> Binding: ...
@overload
def provide(
    token: type[Any] | str,
    *,
    use_factory: Callable[..., Any],
    inject: Sequence[Any] | None = ...,
    scope: Scope | None = ...,
    lazy: bool = ...,
    durable: bool = ...,
) -> Binding: ...
@overload
def provide(token: type[Any] | str, *, use_existing: AnyToken, lazy: bool = ...) -> Binding: ...
def provide(
    token: type[Any] | Token[Any] | str,
    *,
    use_value: Any = _NOT_GIVEN,
    use_class: Any = _NOT_GIVEN,
    use_factory: Callable[..., Any] = _NOT_GIVEN,
    use_existing: AnyToken = _NOT_GIVEN,
    use_provider: providers.Provider[Any] = _NOT_GIVEN,
    inject: Sequence[Any] | None = None,
    scope: Scope | None = None,
    lazy: bool = False,
    durable: bool = False,
) -> Binding:
    """Declare where the instance of a token comes from; give exactly one `use_*`.

    Args:
        token: a class, a `Token`, or a str.
        use_value: the object itself.
        use_class: a class to build instead of the token's own.
        use_factory: a function, a coroutine function, or a generator function of either kind that
            yields its object and, resumed when the application or its request closes, lets go of it.
        use_existing: another token, whose instance it shall be.
        use_provider: a dependency-injector provider of yours, which keeps owning the object: nothing here closes it.
        inject: the factory's arguments, in order; read from its annotations unless given.
        scope: SINGLETON, or what `@injectable` says of the class, unless given.
        lazy: build it when something first needs it, not at start.
        durable: of REQUEST scope: one instance for each key of the application's ContextStrategy, such as a tenant.

    Raises:
        TypeError: no `use_*` or several are given, or options that do not go together.
    """
    if not isinstance(token, type | Token | str):
        raise TypeError(f"provide() takes a class, a Token or a str as its token, not {token!r}")
    listed = None if inject is None else tuple(inject)
    makers: list[tuple[Any, Callable[[Any], Recipe]]] = [
        (use_value, UseValue),
        (use_class, UseClass),
        (use_factory, lambda function: UseFactory(function, listed)),
        (use_existing, UseExisting),
        (use_provider, UseProvider),
    ]
    recipes = [make(given) for given, make in makers if given is not _NOT_GIVEN]
    if len(recipes) != 1:
        raise TypeError(
            f"provide({label(token)}) takes exactly one of use_value, use_class, use_factory, use_existing and "
            f"use_provider; {len(recipes)} were given"
        )
    (recipe,) = recipes
    if inject is not None and not isinstance(recipe, UseFactory):
        raise TypeError(f"provide({label(token)}): inject= goes with use_factory only")
    if isinstance(recipe, UseClass):
        return bind_class(recipe.cls, token=token, scope=scope, lazy=lazy, durable=durable)
    _check_durable(f"provide({label(token)})", scope, durable)
    if isinstance(recipe, UseProvider) and scope is None and not lazy:
        return bind_provider(recipe.provider, token)
    if scope not in (None, Scope.SINGLETON):
        if not isinstance(recipe, UseFactory):
            raise TypeError(f"provide({label(token)}): scope= goes with use_class and use_factory only")
        if recipe.is_generator and scope is Scope.TRANSIENT:
            raise TypeError(
                f"provide({label(token)}): a generator factory is closed with the application, or with its request, "
                "so it can be SINGLETON or REQUEST, not TRANSIENT; return the object instead of yielding it"
            )
    return Binding(token, recipe, scope or Scope.SINGLETON, lazy, durable)


def _check_durable(where: str, scope: Scope | None, durable: bool) -> None:  # noqa: FBT001 - as it is given
    if durable and scope is not Scope.REQUEST:
        raise TypeError(f"{where}: durable=True goes with scope=Scope.REQUEST: a singleton is durable as it is")


@dataclass(frozen=True, slots=True)
class _Injectable:
    scope: Scope
    lazy: bool = False
    durable: bool = False


def provide_setup(token: Token[Any], complete: Callable[..., Any], settings: type[Settings] | None) -> list[Any]:
    """The providers of a module's options, complete.

    Args:
        complete: makes them, of the settings where those are needed, or else without an argument.
        settings: the class to read what was left out from; None: nothing was.
    """
    if settings is None:
        return [provide(token, use_factory=complete, inject=[])]
    return [settings, provide(token, use_factory=complete, inject=[settings])]


def injectable(
    *, scope: Scope = Scope.SINGLETON, lazy: bool = False, durable: bool = False
) -> Callable[[type[T]], type[T]]:
    """Mark a class as a provider, and set the lifetime of its instances; `durable` as of `provide`.

    A plain class in `providers=[...]` needs no mark: it is a singleton, built at start.

    Raises:
        TypeError: durable, and not REQUEST-scoped.
    """
    _check_durable("@injectable", scope, durable)

    def mark(cls: type[T]) -> type[T]:
        setattr(cls, _INJECTABLE, _Injectable(scope, lazy, durable))
        return cls

    return mark


def provided_class(provider: providers.Provider[Any]) -> type[Any] | None:
    """The class whose instances a dependency-injector provider gives; None where it does not say."""
    provides = None if isinstance(provider, providers.Object) else getattr(provider, "provides", None)
    return provides if isinstance(provides, type) else None


def bind_provider(given: providers.Provider[Any], token: AnyToken) -> Binding:
    """Build the binding of a dependency-injector provider; a Singleton is built at the start, as a class is."""
    if not isinstance(given, providers.Provider):
        raise TypeError(f"provide({label(token)}): use_provider= takes a dependency-injector provider, not {given!r}")
    if isinstance(given, providers.ContextLocalSingleton):
        return Binding(token, UseProvider(given), Scope.REQUEST, lazy=True)
    return Binding(token, UseProvider(given), lazy=not isinstance(given, providers.BaseSingleton))


def bind_class(
    cls: type[Any],
    *,
    token: AnyToken | None = None,
    scope: Scope | None = None,
    lazy: bool = False,
    durable: bool = False,
) -> Binding:
    """Build the binding of a class; arguments given here override its `@injectable` options."""
    if issubclass(cls, Settings):
        return Binding(token if token is not None else cls, UseSettings(cls), lazy=lazy)
    # the class's own mark: a subclass says for itself how long it lives
    said: _Injectable = vars(cls).get(_INJECTABLE, _Injectable(Scope.SINGLETON))
    lifetime = scope or said.scope
    _check_durable(label(cls), lifetime, durable)
    is_durable = durable or (said.durable and lifetime is Scope.REQUEST)
    return Binding(token if token is not None else cls, UseClass(cls), lifetime, lazy or said.lazy, is_durable)
