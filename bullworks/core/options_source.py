"""Options of a module that come from elsewhere: a function, a class of its own, or what another module provides."""

from collections.abc import Callable, Sequence
from inspect import isawaitable, iscoroutinefunction
from typing import Any, TypedDict

from bullworks.core.provide import Binding, bind_class, provide
from bullworks.core.tokens import AnyToken, label


class OptionsSource(TypedDict, total=False):
    """The place that options come from, as `provide_options` takes it; None is as left out."""

    use_factory: Callable[..., Any] | None
    inject: Sequence[Any] | None
    use_class: type[Any] | None
    use_existing: AnyToken | None


def provide_options(
    token: str,
    *,
    method: str,
    use_factory: Callable[..., Any] | None = None,
    inject: Sequence[Any] | None = None,
    use_class: type[Any] | None = None,
    use_existing: AnyToken | None = None,
) -> list[Binding]:
    """Declare where a module's options come from; give exactly one `use_*`. The last binding is the token's.

    Args:
        token: what the module's other providers get the options by.
        method: of the class, or of what exists, that returns the options, sync or async.
        use_factory: a function that returns them, sync or async.
        inject: its arguments; read from its annotations unless given.
        use_class: built in this module, with its dependencies.
        use_existing: a token whose instance a module that is imported provides.

    Raises:
        TypeError: no `use_*` or several are given, `inject` without a function, or a class without the method.
    """
    given = {"use_factory": use_factory, "use_class": use_class, "use_existing": use_existing}
    names = [name for name, source in given.items() if source is not None]
    if len(names) != 1:
        had = " and ".join(names) or "none"
        raise TypeError(f"give exactly one of use_factory, use_class, use_existing; given: {had}")
    if use_factory is not None:
        return [provide(token, use_factory=use_factory, inject=inject)]
    if inject is not None:
        raise TypeError("inject= goes with use_factory= only; a class says in its constructor what it needs")
    source: Any = use_existing if use_class is None else use_class
    made = provide(token, use_factory=_caller(source, method), inject=[source])
    return [made] if use_class is None else [bind_class(use_class), made]


def options_key(source: OptionsSource) -> tuple[object, ...]:
    """Build the part of a module's key that says where its options come from."""
    inject = source.get("inject")
    others = (source.get(name) for name in ("use_factory", "use_class", "use_existing"))
    return (*others, None if inject is None else tuple(inject))


def _caller(source: AnyToken, method: str) -> Callable[[Any], Any]:
    """A factory that calls the method: an async one, unless the class says that it need not be."""
    if isinstance(source, type):
        function = getattr(source, method, None)
        if not callable(function):
            raise TypeError(f"{label(source)} has no {method}(); write `def {method}(self):` in it")
        if not iscoroutinefunction(function):
            return lambda instance: getattr(instance, method)()

    async def call(instance: Any) -> Any:
        made = getattr(instance, method)()
        return await made if isawaitable(made) else made

    return call
