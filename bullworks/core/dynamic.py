"""Dynamic modules: what a `for_root()` or `register_queue()` of your own returns."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from bullworks.core.assembling import assemble
from bullworks.core.container import ModuleContainer
from bullworks.core.discovery import Discovery
from bullworks.core.module import ModuleSpec, spec_of


def dynamic_module(
    cls: type[Any],
    *,
    imports: Sequence[Any] = (),
    providers: Sequence[Any] = (),
    exports: Sequence[Any] = (),
    is_global: bool = False,
    name: str | None = None,
    key: Hashable = None,
    checks: Sequence[Callable[[Discovery], Iterable[Exception]]] = (),
) -> ModuleContainer:
    """Create a module from arguments: a linked container, with nothing built.

    In `imports` it is a recipe: each application gets a copy, with the overrides that stand at that moment.
    `create_application()` runs it itself.

    Args:
        cls: the module class; what its `@module` says, if any, is added to.
        name: how messages and attributes name it; the class's name unless given.
        key: dynamic modules of one key are one module in an application; the first is used.
        checks: look through the whole application before anything is built; what they give fails the start, beside
            whatever else is wrong.

    Raises:
        WiringError: the modules do not fit together, whatever is overridden.
    """
    declared = spec_of(cls) or ModuleSpec(cls.__name__, cls)
    return assemble(
        ModuleSpec(
            name or declared.name,
            cls,
            imports=(*declared.imports, *imports),
            providers=(*declared.providers, *providers),
            exports=(*declared.exports, *exports),
            is_global=declared.is_global or is_global,
            key=key,
            checks=checks,
        )
    )
