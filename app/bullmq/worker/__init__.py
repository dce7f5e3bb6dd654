"""The worker, and the parts that it is made of."""

from app.bullmq.worker.options import LimiterOptions, WorkerOptions
from app.bullmq.worker.worker import Worker

__all__ = ["LimiterOptions", "Worker", "WorkerOptions"]
