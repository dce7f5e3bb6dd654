"""Options that are known only at the start: decorators run when a module is imported, before any settings are read."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from bullworks.core import most_arguments

T = TypeVar("T")

_NOT_GIVEN: Any = object()


class FromSettings:
    """Stands for an option that the settings hold: `@cron(FromSettings("reports.cron"))`.

    Args:
        path: attributes, with dots between them, from the application's settings to the value.
        default: taken where the path ends at None.
    """

    __slots__ = ("default", "path")

    def __init__(self, path: str, *, default: Any = _NOT_GIVEN) -> None:
        self.path = path
        self.default = default

    def __repr__(self) -> str:
        return f"FromSettings({self.path!r})"

    def read(self, settings: object) -> Any:
        """The value. Raises LookupError: the settings have none."""
        value = settings
        for name in self.path.split("."):
            try:
                value = getattr(value, name)
            except AttributeError:
                raise LookupError(f"the settings have no {self.path!r}") from None
        if value is not None:
            return value
        if self.default is _NOT_GIVEN:
            raise LookupError(f"the setting {self.path!r} is not set, and has no default here")
        return self.default


Deferred: TypeAlias = T | Callable[[], T] | Callable[[Any], T] | FromSettings
"""A value; or a function, without arguments or of the settings, that gives it at the start; or where it is in them."""


def settle(value: Any, settings: Callable[[], object]) -> Any:
    """What a deferred value is now.

    Args:
        settings: reads the application's settings; called only if the value needs them.

    Raises:
        LookupError: the settings have no such value.
        Exception: what a function raised.
    """
    if isinstance(value, FromSettings):
        return value.read(settings())
    if callable(value) and not isinstance(value, str | datetime):
        return value(settings()) if most_arguments(value, 1) else value()
    return value


def shown(value: object) -> str:
    """How messages write an option."""
    if isinstance(value, FromSettings):
        return repr(value)
    if isinstance(value, str):
        return repr(str(value))
    return getattr(value, "__name__", None) or repr(value)
