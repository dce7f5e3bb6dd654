"""Scheduler: the scheduled methods of one application, started and stopped at its fixed points."""

import logging

from bullworks.bullmq import to_ms
from bullworks.core import Discovery, Shutdown
from bullworks.redis import Endpoint, PipelinedConnection, connection_to
from bullworks.schedule.decorators.options import ScheduleOptions
from bullworks.schedule.host_context import HostContext
from bullworks.schedule.journal.journal import LogJournal
from bullworks.schedule.journal.recorder import Connect
from bullworks.schedule.journal.redis_journal import RedisJournal
from bullworks.schedule.journal.time_probe import TimeProbe
from bullworks.schedule.planning import Planned
from bullworks.schedule.registry import SchedulerRegistry
from bullworks.schedule.survey import Survey, survey

log = logging.getLogger(__name__)

_GRACE_MS = 10_000


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
        self._host_context: HostContext | None = None
        self._own_connection: PipelinedConnection | None = None
        self._journal: RedisJournal | None = None
        self._probe: TimeProbe | None = None

    async def on_module_init(self) -> None:
        """Register everything, and connect to Redis if a cron that runs here is distributed.

        Raises:
            ScheduleError, ExceptionGroup: a setting that was right before anything was built is wrong now.
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
        """
        found = self.survey()
        if found.problems:
            raise ExceptionGroup("the schedule cannot start", found.problems)
        self._options, self._host_context = found.options, found.host_context
        connect = self._connect()
        if connect is not None:
            # Without that, the first record connects, in the background. A claim would come too late for it.
            if any(job.job and job.job.distributed and self._is_started(job) for job in found.jobs):
                await (await connect()).connect()
                self._probe = TimeProbe(connect, self._registry.shared_clock)
                await self._probe.ask()
            uses_redis = self._host_context is None or self._host_context.uses_redis()
            self._journal = RedisJournal(connect, records_all=uses_redis, clock=self._registry.shared_clock)
        self._registry.use(self._journal or LogJournal(), self._options.on_error)
        for job in found.jobs:
            self._register(job)

    async def on_application_start(self) -> None:
        """Start running what is due."""
        if self._probe is not None:
            self._probe.start()
        self._registry.open()
        crons = self._registry.get_cron_jobs().values()
        if crons:
            log.info("%d of %d crons run in this process", sum(cron.is_active for cron in crons), len(crons))

    async def on_application_drain(self) -> None:
        """Start no more runs; wait for those in progress, within the grace time or until forced."""
        await self.drain()

    async def on_application_disconnect(self) -> None:
        """Write the last records, and remove the jobs."""
        self._registry.clear()
        if self._probe is not None:
            await self._probe.close()
        if self._journal is not None:
            await self._journal.close()
        if self._own_connection is not None:
            await self._own_connection.close()

    async def drain(self) -> None:
        """Drain early, for callers with the same grace time; a second drain has nothing left to do."""
        await self._registry.close(self._grace_ms() / 1000, self._shutdown.forced)

    def survey(self) -> Survey:
        """Survey what there is to schedule, before or after providers are built."""
        return survey(self._discovery)

    def _register(self, planned: Planned) -> None:
        if planned.job is not None:
            self._registry.adopt(planned.name, planned.job)
            if self._is_started(planned):
                planned.job.start()
        elif planned.callback is not None and self._is_started(planned):
            add = self._registry.add_interval if planned.kind == "interval" else self._registry.add_timeout
            add(planned.name, planned.callback, planned.duration_ms)

    def _is_started(self, planned: Planned) -> bool:
        around = self._host_context
        if planned.is_disabled or around is None:
            return not planned.is_disabled
        is_shared = planned.job is not None and planned.job.distributed
        is_run = around.runs == "all" or (around.runs == "distributed" and is_shared)
        return is_run and around.is_selected(planned.found.cls)

    def _connect(self) -> Connect | None:
        """How the connection for claims and records is had."""
        if self._options.connection is not None:
            own = self._own_connection = connection_to(Endpoint.of(self._options.connection))

            async def connect() -> PipelinedConnection:
                return own

            return connect
        return None if self._host_context is None else self._host_context.connect

    def _grace_ms(self) -> int:
        if self._options.shutdown_grace is not None:
            return to_ms(self._options.shutdown_grace, "shutdown_grace")
        return _GRACE_MS if self._host_context is None else self._host_context.shutdown_grace_ms
