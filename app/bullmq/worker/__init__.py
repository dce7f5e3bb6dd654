"""The worker, and the parts that it is made of."""

from app.bullmq.worker.options import LimiterOptions, MetricsOptions, MetricsTime, WorkerOptions
from app.bullmq.worker.worker import Worker

__all__ = ["LimiterOptions", "MetricsOptions", "MetricsTime", "Worker", "WorkerOptions"]
