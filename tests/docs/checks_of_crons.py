"""What the examples of crons in docs/workers.md must do."""

from __future__ import annotations

from app.core import create_application
from app.schedule import SchedulerRegistry
from app.workers import WorkersModule
from tests.docs.checks import Checks
from tests.docs.stage import Stage

checks = Checks()


@checks("cron-jobs")
async def both_crons_run_where_their_worker_does(stage: Stage) -> None:
    page = await stage.run()
    workers = WorkersModule.for_root(
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
