"""`@interval`: methods that run again and again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

from bullworks.bullmq import Duration
from bullworks.schedule.decorators.deferred import Deferred, format_option
from bullworks.schedule.decorators.marking import F, marking

INTERVAL = "__intervals__"


@dataclass(frozen=True, slots=True)
class IntervalMark:
    """The options of one `@interval`."""

    name: str | None
    every: Deferred[Duration]

    def __str__(self) -> str:
        return f"@interval({format_option(self.every)})"


@overload
def interval(every: Deferred[Duration], /) -> Callable[[F], F]: ...
@overload
def interval(name: str, every: Deferred[Duration], /) -> Callable[[F], F]: ...
def interval(*args: Any) -> Callable[[F], F]:
    """Run the method every given number of milliseconds, or timedelta, first after that time.

    `@interval(10_000)` or `@interval("poll", 10_000)`. Runs overlap, as with JavaScript's setInterval. After a time in
    which nothing could run there is one run, not one for each that was due.
    """
    name, every = args if len(args) == 2 else (None, *args)

    return marking(INTERVAL, IntervalMark(name, every))
