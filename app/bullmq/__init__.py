"""Queues and jobs in Redis, in BullMQ's own layout: usable alone, with no container and no settings."""

from app.bullmq.backoff import Backoff, BackoffOptions, BackoffStrategy
from app.bullmq.bulk import JobSpec
from app.bullmq.cancel_signal import CancelReason, CancelSignal
from app.bullmq.deduplication import DeduplicationOptions
from app.bullmq.dependencies import (
    ChildItem,
    ChildrenPage,
    Dependencies,
    DependenciesCount,
    DependenciesOptions,
    DependencyOptions,
)
from app.bullmq.errors import (
    ActiveJobsError,
    EventsClosedError,
    EventsMissedError,
    InvalidOptionError,
    InvalidPayloadError,
    JobCancelledError,
    JobChildrenError,
    JobFailedError,
    JobLockedError,
    JobNotFoundError,
    JobStateError,
    JobTimeoutError,
    JobWaitTimeoutError,
    LockLostError,
    MalformedEventError,
    ParentError,
    QueueError,
    SchedulerJobError,
    UnrecoverableError,
    WrongKeyTypeError,
)
from app.bullmq.flow_producer import FlowJob, FlowProducer, JobNode
from app.bullmq.handler_errors import DelayedError, RateLimitError, WaitingChildrenError, WaitingError
from app.bullmq.job import Job, Progress
from app.bullmq.job_logs import JobLogs
from app.bullmq.job_scheduler import JobScheduler, JobTemplate, SchedulerTemplate
from app.bullmq.job_state import FinishedState, JobState, ListedState
from app.bullmq.options import JobOptions, JobOpts
from app.bullmq.parent import ParentOptions
from app.bullmq.process_pool import ProcessDiedError, ProcessPool, ProcessStartError, UnpicklableError
from app.bullmq.queue import Queue
from app.bullmq.queue_counts import Metrics
from app.bullmq.queue_events import QueueEvents
from app.bullmq.queue_events_producer import QueueEventsProducer
from app.bullmq.queue_limits import QueueMeta, RateLimit
from app.bullmq.repeat import RepeatOptions
from app.bullmq.retention import Retention, RetentionOptions
from app.bullmq.streams import EventsStreamOptions, StreamsOptions
from app.bullmq.sync_call import LoopBlockedError
from app.bullmq.sync_job import SyncJob
from app.bullmq.sync_queue import SyncQueue
from app.bullmq.telemetry import (
    Attributes,
    AttributeValue,
    ContextManager,
    Counter,
    Gauge,
    Histogram,
    Meter,
    MetricNames,
    Span,
    SpanKind,
    Telemetry,
    TelemetryAttributes,
    TelemetryOptions,
    Tracer,
)
from app.bullmq.worker import LimiterOptions, MetricsOptions, MetricsTime, Worker, WorkerOptions
from app.bullmq.worker_client import WorkerClient

__all__ = [
    "ActiveJobsError",
    "AttributeValue",
    "Attributes",
    "Backoff",
    "BackoffOptions",
    "BackoffStrategy",
    "CancelReason",
    "CancelSignal",
    "ChildItem",
    "ChildrenPage",
    "ContextManager",
    "Counter",
    "DeduplicationOptions",
    "DelayedError",
    "Dependencies",
    "DependenciesCount",
    "DependenciesOptions",
    "DependencyOptions",
    "EventsClosedError",
    "EventsMissedError",
    "EventsStreamOptions",
    "FinishedState",
    "FlowJob",
    "FlowProducer",
    "Gauge",
    "Histogram",
    "InvalidOptionError",
    "InvalidPayloadError",
    "Job",
    "JobCancelledError",
    "JobChildrenError",
    "JobFailedError",
    "JobLockedError",
    "JobLogs",
    "JobNode",
    "JobNotFoundError",
    "JobOptions",
    "JobOpts",
    "JobScheduler",
    "JobSpec",
    "JobState",
    "JobStateError",
    "JobTemplate",
    "JobTimeoutError",
    "JobWaitTimeoutError",
    "LimiterOptions",
    "ListedState",
    "LockLostError",
    "LoopBlockedError",
    "MalformedEventError",
    "Meter",
    "MetricNames",
    "Metrics",
    "MetricsOptions",
    "MetricsTime",
    "ParentError",
    "ParentOptions",
    "ProcessDiedError",
    "ProcessPool",
    "ProcessStartError",
    "Progress",
    "Queue",
    "QueueError",
    "QueueEvents",
    "QueueEventsProducer",
    "QueueMeta",
    "RateLimit",
    "RateLimitError",
    "RepeatOptions",
    "Retention",
    "RetentionOptions",
    "SchedulerJobError",
    "SchedulerTemplate",
    "Span",
    "SpanKind",
    "StreamsOptions",
    "SyncJob",
    "SyncQueue",
    "Telemetry",
    "TelemetryAttributes",
    "TelemetryOptions",
    "Tracer",
    "UnpicklableError",
    "UnrecoverableError",
    "WaitingChildrenError",
    "WaitingError",
    "Worker",
    "WorkerClient",
    "WorkerOptions",
    "WrongKeyTypeError",
]
