"""Options that are known only at the start: decorators run when a module is imported, before any settings are read."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from bullworks.core import most_arguments
from bullworks.settings import Settings, SettingsSource

T = TypeVar("T")

_NOT_GIVEN: Any = object()


class FromSettings:
    """Takes an option from a setting: `@cron(FromSettings(ReportSettings, "report_cron"))`.

    Args:
        cls: the settings class.
        field: the field of it.
        default: taken where the field is None.

    Raises:
        TypeError: at decoration: the class has no such field.
    """

    __slots__ = ("cls", "default", "field")

    def __init__(self, cls: type[Settings], field: str, *, default: Any = _NOT_GIVEN) -> None:
        if not (isinstance(cls, type) and issubclass(cls, Settings)):
            raise TypeError(f"FromSettings takes a settings class and the name of its field, not {cls!r}")
        if field not in cls.model_fields:
            raise TypeError(
                f"FromSettings: {cls.__name__} has no field {field!r}; it has {', '.join(cls.model_fields)}"
            )
        self.cls = cls
        self.field = field
        self.default = default

    def __repr__(self) -> str:
        return f"FromSettings({self.cls.__name__}, {self.field!r})"

    def read(self, settings: SettingsSource) -> Any:
        """Read the setting's value.

        Raises:
            LookupError: it is None, and there is no default.
            SettingsError: the settings class cannot be read.
        """
        value = getattr(settings[self.cls], self.field)
        if value is not None:
            return value
        if self.default is _NOT_GIVEN:
            raise LookupError(f"{self.field.upper()} is not set, and has no default here")
        return self.default


Deferred: TypeAlias = T | Callable[[], T] | Callable[[Any], T] | FromSettings
"""A value; or a function, without arguments or of the SettingsSource, that gives it at the start; or a setting."""


def settle(value: Any, settings: SettingsSource) -> Any:
    """Resolve an option that may be deferred.

    Args:
        settings: the application's; read only if the value needs them.

    Raises:
        LookupError: the setting has no value.
        Exception: what a function raised.
    """
    if isinstance(value, FromSettings):
        return value.read(settings)
    if callable(value) and not isinstance(value, str | datetime):
        return value(settings) if most_arguments(value, 1) else value()
    return value


def format_option(value: object) -> str:
    """Format an option for messages."""
    if isinstance(value, FromSettings):
        return repr(value)
    if isinstance(value, str):
        return repr(str(value))
    return getattr(value, "__name__", None) or repr(value)
