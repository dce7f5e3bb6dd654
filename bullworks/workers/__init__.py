"""Queues and workers in modules: what a service uses of the engine, put together by the container."""

from bullworks.workers.errors import (
    ConfigKeyError,
    HostScopeError,
    JobNameError,
    ListenerClassError,
    NoJobError,
    NoQueueEventsError,
    NoWorkerError,
    ProcessorClassError,
    ProcessPoolError,
    RegisteredTwiceError,
    RequestEventsError,
    RootImportedTwiceError,
    SameWorkerNameError,
    UnknownQueueError,
    UnknownQueueEventError,
    UnknownWorkerError,
    UnknownWorkerEventError,
    WorkersError,
)
from bullworks.workers.events_host import QueueEventsHost
from bullworks.workers.events_listener import queue_events_listener
from bullworks.workers.fleet import WorkerFleet
from bullworks.workers.flow_producers import FlowProducerOptions
from bullworks.workers.host import WorkerHost
from bullworks.workers.module import BullModule
from bullworks.workers.options import BullOptions
from bullworks.workers.process import process
from bullworks.workers.processor import processor
from bullworks.workers.queue_event import on_queue_event
from bullworks.workers.queues import QueueOptions
from bullworks.workers.registrar import WorkersRegistrar
from bullworks.workers.settings import QueueSettings, WorkersSettings
from bullworks.workers.tokens import (
    CONNECTION,
    JOB,
    InjectFlowProducer,
    InjectLimit,
    InjectQueue,
    get_flow_producer_token,
    get_limit_token,
    get_queue_token,
)
from bullworks.workers.worker_event import on_worker_event

__all__ = [
    "CONNECTION",
    "JOB",
    "BullModule",
    "BullOptions",
    "ConfigKeyError",
    "FlowProducerOptions",
    "HostScopeError",
    "InjectFlowProducer",
    "InjectLimit",
    "InjectQueue",
    "JobNameError",
    "ListenerClassError",
    "NoJobError",
    "NoQueueEventsError",
    "NoWorkerError",
    "ProcessPoolError",
    "ProcessorClassError",
    "QueueEventsHost",
    "QueueOptions",
    "QueueSettings",
    "RegisteredTwiceError",
    "RequestEventsError",
    "RootImportedTwiceError",
    "SameWorkerNameError",
    "UnknownQueueError",
    "UnknownQueueEventError",
    "UnknownWorkerError",
    "UnknownWorkerEventError",
    "WorkerFleet",
    "WorkerHost",
    "WorkersError",
    "WorkersRegistrar",
    "WorkersSettings",
    "get_flow_producer_token",
    "get_limit_token",
    "get_queue_token",
    "on_queue_event",
    "on_worker_event",
    "process",
    "processor",
    "queue_events_listener",
]
