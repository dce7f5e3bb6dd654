"""Scheduler: the scheduled methods of one application, started and stopped at its fixed points."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import redis.asyncio

from app.bullmq.durations import Duration, to_ms
from app.core import Discovery, Shutdown
from app.redis.endpoint import Endpoint
from app.schedule.errors import ScheduleError, SchedulesDifferError
from app.schedule.explorer import found_marks
from app.schedule.planning import Plan, Planned, Settings, plan
from app.schedule.registry import SchedulerRegistry
from app.schedule.runner import ErrorHook
from app.schedule.surroundings import Surroundings

log = logging.getLogger(__name__)

P = TypeVar("P")

_GRACE_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOptions:
    """The arguments of `ScheduleModule.for_root`, which says what they are."""

    cron_jobs: bool = True
    intervals: bool = True
    timeouts: bool = True
    on_error: ErrorHook | None = None
    settings: Settings | None = None
    connection: str | redis.asyncio.Redis | Endpoint | None = None
    shutdown_grace: Duration | None = None


class Scheduler:
    """Registers scheduled methods at module init, runs them from the start on, and waits for them at the end.

    What all `for_root()` say, and what is around, is found among the application's providers: however often the
    module is imported, there is one schedule.
    """

    def __init__(self, registry: SchedulerRegistry, discovery: Discovery, shutdown: Shutdown) -> None:
        self._registry = registry
        self._discovery = discovery
        self._shutdown = shutdown
        self._options = ScheduleOptions()
        self._surroundings: Surroundings | None = None

    async def on_module_init(self) -> None:
        """Register everything.

        Raises:
            ScheduleError, ExceptionGroup: one thing, or several, that is wrong with scheduled methods.
        """
        self._options, problems = self._given_options()
        self._surroundings = next(self._provided(Surroundings), None)
        planned = self.plan()
        problems += planned.problems
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise ExceptionGroup("the schedule cannot start", problems)
        for job in planned.jobs:
            self._register(job)

    async def on_application_start(self) -> None:
        """Run what is due from now on."""
        self._registry.open()
        crons = self._registry.get_cron_jobs().values()
        active = sum(cron.is_active for cron in crons)
        if crons:
            log.info("%d of %d crons run in this process", active, len(crons))

    async def on_application_drain(self) -> None:
        """Start no more runs; wait for those that are going on, within the grace time or until forced."""
        await self._registry.close(self._grace_ms() / 1000, self._shutdown.forced)

    def plan(self, *, is_running: bool = True) -> Plan:
        """The jobs of all scheduled methods."""
        is_wanted = {
            "cron": self._options.cron_jobs,
            "interval": self._options.intervals,
            "timeout": self._options.timeouts,
        }
        planned = plan(found_marks(self._discovery), self._settings, is_running=is_running)
        return Plan([job for job in planned.jobs if is_wanted[job.kind]], planned.problems)

    def _register(self, planned: Planned) -> None:
        around = self._surroundings
        is_selected = around is None or around.is_selected(planned.found.cls)
        if planned.job is not None:
            self._registry.adopt(planned.name, planned.job)
            if is_selected and not planned.is_disabled:
                planned.job.start()
        elif is_selected and planned.callback is not None:
            add = self._registry.add_interval if planned.kind == "interval" else self._registry.add_timeout
            add(planned.name, planned.callback, planned.duration_ms)

    def _settings(self) -> object:
        if self._options.settings is not None:
            return self._options.settings()
        if self._surroundings is not None:
            return self._surroundings.settings()
        raise LookupError(
            "there are no settings; give ScheduleModule.for_root(settings=...) a function that reads them"
        )

    def _grace_ms(self) -> int:
        if self._options.shutdown_grace is not None:
            return to_ms(self._options.shutdown_grace, "shutdown_grace")
        return _GRACE_MS if self._surroundings is None else self._surroundings.shutdown_grace_ms

    def _given_options(self) -> tuple[ScheduleOptions, list[ScheduleError]]:
        given = {
            provider.instance: " > ".join(provider.path[:-1])
            for provider in self._discovery.providers()
            if isinstance(provider.instance, ScheduleOptions) and provider.instance != ScheduleOptions()
        }
        options = next(iter(given), ScheduleOptions())
        return options, [SchedulesDifferError(list(given.values()))] if len(given) > 1 else []

    def _provided(self, cls: type[P]) -> Iterator[P]:
        for provider in self._discovery.providers():
            if isinstance(provider.instance, cls):
                yield provider.instance
