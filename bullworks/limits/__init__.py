"""Limits that queues and processes share: so much in a time, by weight, for each key."""

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
