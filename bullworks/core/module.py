"""Modules: `@module` on a class says what it imports, provides and exports."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_MODULE = "__module_spec__"


@dataclass(frozen=True, slots=True)
class ForwardRef:
    """A module that is defined later, in `imports`: `ForwardRef(lambda: UsersModule)`."""

    target: Callable[[], Any]


@dataclass(frozen=True, slots=True, eq=False)
class ModuleSpec:
    """The definition of a module, as its author wrote it. Never changed; containers are created from it.

    Args:
        name: how messages and attributes name it.
        cls: the module's class, which becomes a provider of its own.
        key: two specs with equal keys are the same module; each spec is its own key unless given.
        checks: look through the application before anything is built, and say what is wrong.
    """

    name: str
    cls: type[Any] | None = None
    imports: Sequence[Any] = ()
    providers: Sequence[Any] = ()
    exports: Sequence[Any] = ()
    is_global: bool = False
    key: Hashable = field(default=None)
    checks: "Sequence[Callable[[Any], Iterable[Exception]]]" = ()

    def __post_init__(self) -> None:
        for name in ("imports", "providers", "exports"):
            given = getattr(self, name)
            if isinstance(given, str) or not isinstance(given, Sequence):
                raise TypeError(f"{self.name}: {name}= takes a list, not {given!r}; write {name}=[...]")

    @property
    def identity(self) -> Hashable:
        """The identity by which an application imports a module once."""
        return self if self.key is None else self.key


def module(
    *,
    imports: Sequence[Any] = (),
    providers: Sequence[Any] = (),
    exports: Sequence[Any] = (),
    is_global: bool = False,
) -> Callable[[type[T]], type[T]]:
    """Declare a class as a module.

    Args:
        imports: module classes, `for_root()` containers, `ForwardRef`s, or dependency-injector containers
            of your own; what they export is visible here.
        providers: classes, or what `provide()` returns.
        exports: tokens provided or imported here, or imported modules, that importers shall see.
        is_global: importers are all modules of the application.
    """

    def mark(cls: type[T]) -> type[T]:
        setattr(cls, _MODULE, ModuleSpec(cls.__name__, cls, imports, providers, exports, is_global))
        return cls

    return mark


def spec_of(cls: object) -> ModuleSpec | None:
    """Return the `@module` definition of exactly this class, or None. Subclasses need their own decorator."""
    if not isinstance(cls, type):
        return None
    spec: ModuleSpec | None = vars(cls).get(_MODULE)
    return spec
