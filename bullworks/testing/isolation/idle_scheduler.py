"""IdleScheduler: crons, intervals and timeouts are registered, and no clock runs them."""

from bullworks.core import Discovery, Shutdown
from bullworks.schedule import SchedulerRegistry
from bullworks.schedule.journal.journal import CronFacts, LogJournal, Verdict
from bullworks.schedule.journal.recorder import Connect
from bullworks.schedule.scheduler import Scheduler


class LocalJournal(LogJournal):
    """A journal for a single process: each tick of a distributed cron is its own, and nothing is stored."""

    async def claim(self, cron: CronFacts, tick_ms: int, late_ms: int) -> Verdict:
        """Claim a tick; always OURS."""
        del cron, tick_ms, late_ms
        return Verdict.OURS


class IdleScheduler(Scheduler):
    """The scheduler of a testing module. `registry.get_cron_job(name).fire_on_tick()` runs a cron by hand.

    Args:
        runs: what is due runs, as it does in the application.
        is_alone: the test named no server, so distributed crons are not shared.
    """

    def __init__(
        self, registry: SchedulerRegistry, discovery: Discovery, shutdown: Shutdown, *, runs: bool, is_alone: bool
    ) -> None:
        super().__init__(registry, discovery, shutdown)
        self._runs = runs
        self._is_alone = is_alone

    async def on_module_init(self) -> None:
        """Register the jobs; connect to Redis only if the test named a server."""
        await super().on_module_init()
        if self._journal is None:
            self._registry.use(LocalJournal(), self._options.on_error)

    async def on_application_start(self) -> None:
        """Start running what is due, if the test asked for that."""
        if self._runs:
            await super().on_application_start()

    def _connect(self) -> Connect | None:
        return None if self._is_alone and self._options.connection is None else super()._connect()
