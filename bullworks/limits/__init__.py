"""Limits that queues and processes share: a sum of costs in each window, by key."""

from bullworks.limits.errors import InvalidLimitError, LimitError, LimitReachedError, LimitUnreachableError
from bullworks.limits.limit import Limit
from bullworks.limits.reservation import Reservation
from bullworks.limits.window import LimitUsage, Window, WindowUsage

__all__ = [
    "InvalidLimitError",
    "Limit",
    "LimitError",
    "LimitReachedError",
    "LimitUnreachableError",
    "LimitUsage",
    "Reservation",
    "Window",
    "WindowUsage",
]
