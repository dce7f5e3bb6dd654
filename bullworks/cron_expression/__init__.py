"""Cron expressions: the runs of one, exactly as npm cron-parser 5 (what BullMQ asks) gives them.

schedule = CronSchedule.parse("0 9 * * 1-5", tz="Europe/Paris")
schedule.next_ms(now_ms)  # -> int | None
"""

from bullworks.facade import lazy_names

__getattr__, __dir__ = lazy_names(__name__, __file__)
