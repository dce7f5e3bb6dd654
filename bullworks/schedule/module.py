"""ScheduleModule: `@cron`, `@interval` and `@timeout` in modules."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from bullworks.bullmq import Duration
from bullworks.core import (
    ModuleContainer,
    OptionsSource,
    Token,
    dynamic_module,
    options_key,
    provide,
    provide_options,
)
from bullworks.redis import Client, ConnectionOptions, Endpoint
from bullworks.schedule.clockwork.runner import ErrorHook
from bullworks.schedule.decorators.options import OPTIONS, ScheduleModuleOptions, ScheduleOptions
from bullworks.schedule.registry import SchedulerRegistry
from bullworks.schedule.scheduler import Scheduler
from bullworks.schedule.survey import check


class ScheduleRoot:
    """The one schedule of an application, whichever modules import ScheduleModule."""


_ROOT = dynamic_module(
    ScheduleRoot,
    providers=[provide(SchedulerRegistry, use_factory=SchedulerRegistry, inject=[]), Scheduler],
    exports=[SchedulerRegistry, Scheduler],
    is_global=True,
    key=ScheduleRoot,
    checks=[check],
)


class ScheduleModuleOptionsFactory(Protocol):
    """A class that `ScheduleModule.for_root_async` takes as `use_class`."""

    def create_schedule_options(self) -> ScheduleModuleOptions | Awaitable[ScheduleModuleOptions]:
        """Return the options of the schedule."""
        ...


class ScheduleModule:
    """The schedule module: `for_root()` in the root module. `BullModule.for_root()` includes it."""

    @classmethod
    def for_root(
        cls,
        *,
        cron_jobs: bool = True,
        intervals: bool = True,
        timeouts: bool = True,
        on_error: ErrorHook | None = None,
        connection: str | ConnectionOptions | Client | Endpoint | None = None,
        shutdown_grace: Duration | None = None,
    ) -> ModuleContainer:
        """Run the scheduled methods of all modules; SchedulerRegistry becomes injectable everywhere.

        Imported several times it is one schedule; options are given in one place.

        Args:
            cron_jobs, intervals, timeouts: which kinds run.
            on_error: called with (error, name of the job) when a run raised, besides the log; may take fewer
                arguments, and may be async.
            connection: Redis for distributed crons and for records. Beside BullModule: its connection.
            shutdown_grace: how long callbacks may keep running at the end, ms or timedelta. Beside BullModule: as
                long as jobs; else 10 s.
        """
        options = ScheduleOptions.of(
            {
                "cron_jobs": cron_jobs,
                "intervals": intervals,
                "timeouts": timeouts,
                "on_error": on_error,
                "connection": connection,
                "shutdown_grace": shutdown_grace,
            }
        )
        return dynamic_module(
            cls,
            imports=[_ROOT],
            providers=[provide(OPTIONS, use_value=options)],
            exports=[_ROOT],
            key=(cls, options),
        )

    @classmethod
    def for_root_async(
        cls,
        *,
        use_factory: Callable[..., Any] | None = None,
        inject: Sequence[Any] | None = None,
        use_class: type[ScheduleModuleOptionsFactory] | None = None,
        use_existing: type[ScheduleModuleOptionsFactory] | Token[Any] | str | None = None,
        imports: Sequence[Any] = (),
    ) -> ModuleContainer:
        """Run the scheduled methods of all modules, with options from elsewhere; see `for_root`. Give one `use_*`.

        Args:
            use_factory: a function, async or not, that returns `ScheduleModuleOptions`, a dict.
            inject: its arguments, of what `imports` export; read from its annotations unless given.
            use_class: a class, built here, whose `create_schedule_options()` returns them.
            use_existing: the token of such an object, of what `imports` export.

        Raises:
            TypeError: not exactly one is given, or the class has no such method.
        """
        source: OptionsSource = {
            "use_factory": use_factory,
            "inject": inject,
            "use_class": use_class,
            "use_existing": use_existing,
        }
        given = provide_options("schedule:given_options", method="create_schedule_options", **source)
        return dynamic_module(
            cls,
            imports=[_ROOT, *imports],
            providers=[*given, provide(OPTIONS, use_factory=ScheduleOptions.of, inject=[given[-1].token])],
            exports=[_ROOT],
            key=(cls, *options_key(source)),
        )
