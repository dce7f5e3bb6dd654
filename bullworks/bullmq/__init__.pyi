from bullworks.bullmq.cancel.terms import CancelOutcome
from bullworks.bullmq.durations import Duration, checked_ms, to_ms
from bullworks.bullmq.errors import (
    ActiveJobsError,
    BatchOutcomesError,
    DelayedError,
    EventsClosedError,
    EventsMissedError,
    GroupedJobError,
    GroupFullError,
    InvalidOptionError,
    InvalidPayloadError,
    JobCancelledError,
    JobChildrenError,
    JobExpiredError,
    JobFailedError,
    JobLockedError,
    JobNotFoundError,
    JobRevokedError,
    JobStateError,
    JobTimeoutError,
    JobWaitTimeoutError,
    LockLostError,
    MalformedEventError,
    ParentError,
    PartlyAddedError,
    PayloadAheadError,
    QueueError,
    RateLimitError,
    SchedulerJobError,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
    WrongKeyTypeError,
)
from bullworks.bullmq.flow_producer import FlowJob, FlowProducer, JobNode
from bullworks.bullmq.job.cancel_signal import CancelReason, CancelSignal
from bullworks.bullmq.job.dependencies import (
    ChildItem,
    ChildrenPage,
    Dependencies,
    DependenciesCount,
    DependenciesOptions,
    DependencyOptions,
)
from bullworks.bullmq.job.job import Job, Progress
from bullworks.bullmq.job.state import FinishedState, JobState, ListedState
from bullworks.bullmq.job.store import JobLogs
from bullworks.bullmq.options.backoff import Backoff, BackoffOptions, BackoffStrategy
from bullworks.bullmq.options.batch import Batch
from bullworks.bullmq.options.deduplication import DeduplicationOptions
from bullworks.bullmq.options.group import GroupLimits, GroupOptions, GroupRate
from bullworks.bullmq.options.job import JobOptions, JobOpts
from bullworks.bullmq.options.job_scheduler import JobScheduler, JobTemplate, SchedulerTemplate
from bullworks.bullmq.options.parent import ParentOptions
from bullworks.bullmq.options.repeat import RepeatOptions
from bullworks.bullmq.options.retention import Retention, RetentionOptions
from bullworks.bullmq.options.streams import EventsStreamOptions, StreamsOptions
from bullworks.bullmq.process_pool.errors import ProcessDiedError, ProcessStartError, UnpicklableError
from bullworks.bullmq.process_pool.pool import ProcessPool
from bullworks.bullmq.queue.adding import Adding, JobToAdd
from bullworks.bullmq.queue.bulk import JobSpec
from bullworks.bullmq.queue.clients import WorkerClient
from bullworks.bullmq.queue.counts import Metrics
from bullworks.bullmq.queue.dead_letters import DeadLetters
from bullworks.bullmq.queue.groups import GroupCounts, GroupSize
from bullworks.bullmq.queue.limits import QueueMeta, RateLimit
from bullworks.bullmq.queue.queue import Queue
from bullworks.bullmq.queue_events import QueueEvents
from bullworks.bullmq.queue_events_producer import QueueEventsProducer
from bullworks.bullmq.scripts.steps import SignalOutcome
from bullworks.bullmq.steps.errors import (
    CheckpointLostError,
    SignalTimeoutError,
    StepError,
    StepNotFoundError,
    TooManySignalsError,
)
from bullworks.bullmq.sync.job import SyncJob
from bullworks.bullmq.sync.loop import LoopBlockedError
from bullworks.bullmq.sync.queue import SyncQueue
from bullworks.bullmq.telemetry import (
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
from bullworks.bullmq.wire.encrypted import Encrypted
from bullworks.bullmq.wire.keyring import Keyring
from bullworks.bullmq.wire.payload_version import Upcaster, payload
from bullworks.bullmq.wire.step_codec import StepMark
from bullworks.bullmq.worker.options import LimiterOptions, MetricsOptions, MetricsTime, WorkerOptions
from bullworks.bullmq.worker.worker import Worker

__all__ = [
    "ActiveJobsError",
    "Adding",
    "AttributeValue",
    "Attributes",
    "Backoff",
    "BackoffOptions",
    "BackoffStrategy",
    "Batch",
    "BatchOutcomesError",
    "CancelOutcome",
    "CancelReason",
    "CancelSignal",
    "CheckpointLostError",
    "ChildItem",
    "ChildrenPage",
    "ContextManager",
    "Counter",
    "DeadLetters",
    "DeduplicationOptions",
    "DelayedError",
    "Dependencies",
    "DependenciesCount",
    "DependenciesOptions",
    "DependencyOptions",
    "Duration",
    "Encrypted",
    "EventsClosedError",
    "EventsMissedError",
    "EventsStreamOptions",
    "FinishedState",
    "FlowJob",
    "FlowProducer",
    "Gauge",
    "GroupCounts",
    "GroupFullError",
    "GroupLimits",
    "GroupOptions",
    "GroupRate",
    "GroupSize",
    "GroupedJobError",
    "Histogram",
    "InvalidOptionError",
    "InvalidPayloadError",
    "Job",
    "JobCancelledError",
    "JobChildrenError",
    "JobExpiredError",
    "JobFailedError",
    "JobLockedError",
    "JobLogs",
    "JobNode",
    "JobNotFoundError",
    "JobOptions",
    "JobOpts",
    "JobRevokedError",
    "JobScheduler",
    "JobSpec",
    "JobState",
    "JobStateError",
    "JobTemplate",
    "JobTimeoutError",
    "JobToAdd",
    "JobWaitTimeoutError",
    "Keyring",
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
    "PartlyAddedError",
    "PayloadAheadError",
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
    "SignalOutcome",
    "SignalTimeoutError",
    "Span",
    "SpanKind",
    "StepError",
    "StepMark",
    "StepNotFoundError",
    "StreamsOptions",
    "SyncJob",
    "SyncQueue",
    "Telemetry",
    "TelemetryAttributes",
    "TelemetryOptions",
    "TooManySignalsError",
    "Tracer",
    "UnpicklableError",
    "UnrecoverableError",
    "Upcaster",
    "WaitingChildrenError",
    "WaitingError",
    "Worker",
    "WorkerClient",
    "WorkerOptions",
    "WrongKeyTypeError",
    "checked_ms",
    "payload",
    "to_ms",
]
