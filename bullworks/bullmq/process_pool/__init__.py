"""Handlers in processes of their own, for work that needs the CPU: what BullMQ calls sandboxed processors."""

from bullworks.bullmq.process_pool.errors import ProcessDiedError, ProcessStartError, UnpicklableError
from bullworks.bullmq.process_pool.pool import ProcessPool

__all__ = ["ProcessDiedError", "ProcessPool", "ProcessStartError", "UnpicklableError"]
