"""Scheduled methods: crons, intervals and timeouts, as in @nestjs/schedule."""

from app.schedule.cron import cron
from app.schedule.cron_job import CronJob
from app.schedule.deferred import FromSettings
from app.schedule.errors import (
    BadExpressionError,
    JobNameTakenError,
    JobOptionError,
    JobScopeError,
    JobSetupError,
    NoRedisForCronsError,
    SameJobNameError,
    ScheduleError,
    SchedulesDifferError,
    UnknownJobError,
)
from app.schedule.expressions import CronExpression
from app.schedule.interval import interval
from app.schedule.journal import CronRun
from app.schedule.module import ScheduleModule
from app.schedule.registry import SchedulerRegistry
from app.schedule.timed_job import IntervalJob, TimeoutJob
from app.schedule.timeout import timeout

__all__ = [
    "BadExpressionError",
    "CronExpression",
    "CronJob",
    "CronRun",
    "FromSettings",
    "IntervalJob",
    "JobNameTakenError",
    "JobOptionError",
    "JobScopeError",
    "JobSetupError",
    "NoRedisForCronsError",
    "SameJobNameError",
    "ScheduleError",
    "ScheduleModule",
    "SchedulerRegistry",
    "SchedulesDifferError",
    "TimeoutJob",
    "UnknownJobError",
    "cron",
    "interval",
    "timeout",
]
