"""Cron expressions: the runs of one, exactly as npm cron-parser 5 (what BullMQ asks) gives them.

schedule = CronSchedule.parse("0 9 * * 1-5", tz="Europe/Paris")
schedule.next_ms(now_ms)  # -> int | None
"""

from bullworks.cron_expression.errors import CronExpressionError
from bullworks.cron_expression.schedule import CronSchedule

__all__ = ["CronExpressionError", "CronSchedule"]
