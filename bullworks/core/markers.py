"""What a constructor parameter can say beyond its class: by which token, and when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from bullworks.core.tokens import AnyToken

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Inject:
    """Resolve a parameter by this token, not by its class: `Annotated[Mailer, Inject("SMTP")]`.

    Args:
        token: what is asked for.
        optional: None will do, if nothing provides it. In annotations `T | None` says the same.
    """

    token: AnyToken
    optional: bool = field(default=False, kw_only=True)

    gives: ClassVar[type[Any] | None] = None
    """Of a mark for one class: that class. No type checker compares it with the annotation; the start does."""


class Lazy(Generic[T_co]):
    """A dependency resolved when it is called, not when its consumer is built.

    `mail: Lazy[MailService]`, then `self.mail()`. It is how two classes may need each other. In a unit
    test any callable does: `Lazy(lambda: fake)`.
    """

    def __init__(self, resolve: Callable[[], T_co]) -> None:
        self._resolve = resolve

    def __call__(self) -> T_co:
        return self._resolve()
