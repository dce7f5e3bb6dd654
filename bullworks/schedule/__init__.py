"""Scheduled methods: crons, intervals and timeouts, as in @nestjs/schedule."""

from bullworks.schedule.cron_job import CronJob
from bullworks.schedule.decorators.cron import cron
from bullworks.schedule.decorators.deferred import FromSettings
from bullworks.schedule.decorators.expressions import CronExpression
from bullworks.schedule.decorators.interval import interval
from bullworks.schedule.decorators.options import ScheduleModuleOptions
from bullworks.schedule.decorators.timeout import timeout
from bullworks.schedule.errors import (
    BadExpressionError,
    JobNameTakenError,
    JobOptionError,
    JobScopeError,
    JobSetupError,
    LateJobError,
    NoRedisForCronsError,
    SameJobNameError,
    ScheduleError,
    SchedulesDifferError,
    UnknownJobError,
)
from bullworks.schedule.journal.journal import CronRun
from bullworks.schedule.module import ScheduleModule, ScheduleModuleOptionsFactory
from bullworks.schedule.registry import SchedulerRegistry
from bullworks.schedule.timed_job import IntervalJob, TimeoutJob

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
    "LateJobError",
    "NoRedisForCronsError",
    "SameJobNameError",
    "ScheduleError",
    "ScheduleModule",
    "ScheduleModuleOptions",
    "ScheduleModuleOptionsFactory",
    "SchedulerRegistry",
    "SchedulesDifferError",
    "TimeoutJob",
    "UnknownJobError",
    "cron",
    "interval",
    "timeout",
]
