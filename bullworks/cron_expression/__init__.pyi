from bullworks.cron_expression.errors import CronExpressionError
from bullworks.cron_expression.schedule import CronSchedule

__all__ = ["CronExpressionError", "CronSchedule"]
