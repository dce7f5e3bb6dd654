"""ScheduleModule: `@cron`, `@interval` and `@timeout` in modules."""

from bullworks.bullmq import Duration
from bullworks.core import ModuleContainer, dynamic_module, provide
from bullworks.redis import Client, Endpoint
from bullworks.schedule.clockwork.runner import ErrorHook
from bullworks.schedule.decorators.options import OPTIONS, ScheduleOptions
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
        connection: str | Client | Endpoint | None = None,
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
        options = ScheduleOptions(
            cron_jobs=cron_jobs,
            intervals=intervals,
            timeouts=timeouts,
            on_error=on_error,
            connection=connection,
            shutdown_grace=shutdown_grace,
        )
        return dynamic_module(
            cls,
            imports=[_ROOT],
            providers=[provide(OPTIONS, use_value=options)],
            exports=[_ROOT],
            key=(cls, options),
        )
