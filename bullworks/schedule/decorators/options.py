"""The options of a schedule, and how they are found among an application's providers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from bullworks.bullmq import Duration, InvalidOptionError
from bullworks.core import Token
from bullworks.redis import Client, ConnectionOptions, Endpoint, url_of
from bullworks.schedule.clockwork.runner import ErrorHook


class ScheduleModuleOptions(TypedDict, total=False):
    """Options of `ScheduleModule.for_root`, which describes them, as a dict."""

    cron_jobs: bool
    intervals: bool
    timeouts: bool
    on_error: ErrorHook | None
    connection: str | ConnectionOptions | Client | Endpoint | None
    shutdown_grace: Duration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOptions:
    """The options of a `ScheduleModule.for_root`, complete."""

    cron_jobs: bool = True
    intervals: bool = True
    timeouts: bool = True
    on_error: ErrorHook | None = None
    connection: str | Client | Endpoint | None = None
    shutdown_grace: Duration | None = None

    @classmethod
    def of(cls, given: ScheduleModuleOptions) -> "ScheduleOptions":
        """Complete a user's options.

        Raises:
            InvalidOptionError: they are not a dict, or one is unknown.
            BadUrlError: the connection is a dict that cannot be used.
        """
        if not isinstance(given, Mapping):
            raise InvalidOptionError("options", f"must be ScheduleModuleOptions, a dict, not {given!r}")
        for option in given:
            if option not in ScheduleModuleOptions.__annotations__:
                raise InvalidOptionError.unknown(option, ScheduleModuleOptions.__annotations__)
        connection = given.get("connection")
        hashable = url_of(connection) if isinstance(connection, Mapping) else connection
        return cls(**{**given, "connection": hashable})  # type: ignore[arg-type]

    def runs(self, kind: str) -> bool:
        """Whether jobs of this kind are enabled."""
        return {"cron": self.cron_jobs, "interval": self.intervals, "timeout": self.timeouts}[kind]


OPTIONS: Token[ScheduleOptions] = Token("schedule:options")
"""Provided by each `ScheduleModule.for_root()`, as a value, and by `for_root_async()`."""
