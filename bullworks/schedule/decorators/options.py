"""The options of a schedule, and how they are found among an application's providers."""

from dataclasses import dataclass

from bullworks.bullmq import Duration
from bullworks.core import Token
from bullworks.redis import Client, Endpoint
from bullworks.schedule.clockwork.runner import ErrorHook


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOptions:
    """Options of `ScheduleModule.for_root`, which describes them."""

    cron_jobs: bool = True
    intervals: bool = True
    timeouts: bool = True
    on_error: ErrorHook | None = None
    connection: str | Client | Endpoint | None = None
    shutdown_grace: Duration | None = None

    def runs(self, kind: str) -> bool:
        """Whether jobs of this kind are enabled."""
        return {"cron": self.cron_jobs, "interval": self.intervals, "timeout": self.timeouts}[kind]


OPTIONS: Token[ScheduleOptions] = Token("schedule:options")
"""Provided, as a value, by each `ScheduleModule.for_root()`."""
