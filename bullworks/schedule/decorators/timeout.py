"""`@timeout`: methods that run once, some time after the start."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

from bullworks.bullmq import Duration
from bullworks.schedule.decorators.deferred import Deferred, format_option
from bullworks.schedule.decorators.marking import F, marking

TIMEOUT = "__timeouts__"


@dataclass(frozen=True, slots=True)
class TimeoutMark:
    """The options of one `@timeout`."""

    name: str | None
    after: Deferred[Duration]

    def __str__(self) -> str:
        return f"@timeout({format_option(self.after)})"


@overload
def timeout(after: Deferred[Duration], /) -> Callable[[F], F]: ...
@overload
def timeout(name: str, after: Deferred[Duration], /) -> Callable[[F], F]: ...
def timeout(*args: Any) -> Callable[[F], F]:
    """Run the method once, a number of milliseconds, or a timedelta, after the application's start.

    `@timeout(5_000)` or `@timeout("warm-up", 5_000)`.
    """
    name, after = args if len(args) == 2 else (None, *args)

    return marking(TIMEOUT, TimeoutMark(name, after))
