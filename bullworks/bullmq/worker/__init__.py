"""The worker, and the parts that it is made of."""

from bullworks.bullmq.worker.options import LimiterOptions, MetricsOptions, MetricsTime, WorkerOptions
from bullworks.bullmq.worker.worker import Worker

__all__ = ["LimiterOptions", "MetricsOptions", "MetricsTime", "Worker", "WorkerOptions"]
