"""What users write of schedules."""

from datetime import datetime, timedelta
from typing import assert_type

from bullworks.core import create_application, injectable, module
from bullworks.schedule import (
    CronExpression,
    CronJob,
    CronRun,
    FromSettings,
    IntervalJob,
    ScheduleModule,
    SchedulerRegistry,
    cron,
    interval,
    timeout,
)
from bullworks.settings import Settings


class TickerSettings(Settings):
    ticker_cron: str | None = None
    ticker_every_ms: int = 5_000


@injectable()
class Ticker:
    def __init__(self, registry: SchedulerRegistry) -> None:
        self.registry = registry

    @cron(CronExpression.EVERY_10_SECONDS, name="tick", distributed=True, threshold=timedelta(seconds=1))
    async def tick(self) -> int:
        return 1

    @cron(FromSettings(TickerSettings, "ticker_cron", default="0 0 * * *"), disabled=lambda: False)
    @cron("0 0 * * *", utc_offset=60, wait_for_completion=True, initial_delay=5_000)
    def twice(self) -> None: ...

    @cron(datetime(2030, 1, 1), time_zone="Europe/Paris")  # noqa: DTZ001 - a naive one is in the job's zone
    def once(self) -> None: ...

    @interval("poll", lambda settings: settings[TickerSettings].ticker_every_ms)
    def poll(self) -> None: ...

    @timeout(5_000)
    async def warm_up(self) -> None: ...


async def tell(error: Exception, job: str) -> None: ...


@module(imports=[ScheduleModule.for_root(on_error=tell)], providers=[Ticker])
class TickerModule: ...


async def use() -> None:
    async with await create_application(TickerModule) as application:
        ticker = application.get(Ticker)
        assert_type(await ticker.tick(), int)
        registry = application.get(SchedulerRegistry)
        assert_type(registry, SchedulerRegistry)
        job = registry.get_cron_job("tick")
        assert_type(job, CronJob)
        assert_type(job.next_date(), datetime | None)
        assert_type(await job.fire_on_tick(), CronRun)
        assert_type(registry.add_interval("more", ticker.poll, 1_000), IntervalJob)
