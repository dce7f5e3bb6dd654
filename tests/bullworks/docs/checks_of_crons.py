"""What the examples of crons in docs/workers.md must do."""

from __future__ import annotations

from bullworks.core import create_application
from bullworks.schedule import SchedulerRegistry
from bullworks.workers import BullModule
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.stage import Stage

checks = Checks()


@checks("cron-jobs")
async def both_crons_run_where_their_worker_does(stage: Stage) -> None:
    page = await stage.run()
    workers = BullModule.for_root(
        providers=[page.TickerWorker], connection=stage.redis_url, prefix=stage.prefix, enabled_workers="ticker"
    )
    async with await create_application(workers) as application:
        jobs = application.get(SchedulerRegistry).get_cron_jobs()
        assert {name: job.expression for name, job in jobs.items()} == {
            "TickerWorker.update_tickers": "*/10 * * * * *",
            "TickerWorker.daily_cleanup": "0 0 * * *",
        }
        assert all(job.is_active for job in jobs.values())
        assert (await jobs["TickerWorker.update_tickers"].fire_on_tick()).error is None


@checks("distributed-cron")
async def the_cron_is_distributed(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.ReportWorker, queues=()) as application:
        job = application.get(SchedulerRegistry).get_cron_job("report")
        assert (job.distributed, job.is_active) == (True, True)
