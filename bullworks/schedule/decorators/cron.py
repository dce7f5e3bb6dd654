"""`@cron`: methods that run when a cron expression says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bullworks.bullmq import Duration
from bullworks.schedule.decorators.deferred import Deferred, format_option
from bullworks.schedule.decorators.marking import F, marking

CRON = "__crons__"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronMark:
    """The options of one `@cron`, as written; deferred ones are resolved at the start."""

    expression: Deferred[str] | Deferred[datetime]
    name: Deferred[str] | None
    time_zone: Deferred[str] | None
    utc_offset: Deferred[int] | None
    wait_for_completion: Deferred[bool]
    disabled: Deferred[bool]
    threshold: Deferred[Duration]
    initial_delay: Deferred[Duration]
    distributed: Deferred[bool]

    def __str__(self) -> str:
        return f"@cron({format_option(self.expression)})"


def cron(
    expression: Deferred[str] | Deferred[datetime],
    *,
    name: Deferred[str] | None = None,
    time_zone: Deferred[str] | None = None,
    utc_offset: Deferred[int] | None = None,
    wait_for_completion: Deferred[bool] = False,
    disabled: Deferred[bool] = False,
    threshold: Deferred[Duration] = 250,
    initial_delay: Deferred[Duration] = 0,
    distributed: Deferred[bool] = False,
) -> Callable[[F], F]:
    """Run the method, sync (in a thread) or async, when the expression says; may be applied several times.

    Any option may be a function that is called at the start, with the settings if it takes an argument, or a
    `FromSettings`. What is wrong with an option fails the start of the application.

    Args:
        expression: five fields, or six with the seconds first, or a preset such as `@daily`; or a datetime, for one
            run. A naive datetime is in the time zone.
        name: in the registry, in logs and in `schedule list`; "Class.method" unless given.
        time_zone: an IANA name; the process's own unless given.
        utc_offset: minutes east of UTC, in place of a time zone.
        wait_for_completion: skip ticks while the run before is going on; otherwise runs overlap.
        disabled: in the registry, but not started.
        threshold: how late a tick may be, ms or timedelta; a later one is skipped with a warning.
        initial_delay: no tick sooner than that after the start, ms or timedelta.
        distributed: one run a tick among all processes that share a Redis; needs a name.
    """
    mark_ = CronMark(
        expression=expression,
        name=name,
        time_zone=time_zone,
        utc_offset=utc_offset,
        wait_for_completion=wait_for_completion,
        disabled=disabled,
        threshold=threshold,
        initial_delay=initial_delay,
        distributed=distributed,
    )

    return marking(CRON, mark_)
