"""Queues and workers in modules: what a service uses of the engine, put together by the container."""

from app.workers.errors import (
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
from app.workers.events_host import QueueEventsHost
from app.workers.events_listener import queue_events_listener
from app.workers.flow_producers import FlowProducerOptions
from app.workers.host import WorkerHost
from app.workers.module import WorkersModule
from app.workers.options import WorkersOptions
from app.workers.process import process
from app.workers.processor import processor
from app.workers.queue_event import on_queue_event
from app.workers.queues import QueueOptions
from app.workers.registrar import WorkersRegistrar
from app.workers.tokens import JOB, InjectFlowProducer, InjectQueue, get_flow_producer_token, get_queue_token
from app.workers.worker_event import on_worker_event

__all__ = [
    "JOB",
    "ConfigKeyError",
    "FlowProducerOptions",
    "HostScopeError",
    "InjectFlowProducer",
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
    "RegisteredTwiceError",
    "RequestEventsError",
    "RootImportedTwiceError",
    "SameWorkerNameError",
    "UnknownQueueError",
    "UnknownQueueEventError",
    "UnknownWorkerError",
    "UnknownWorkerEventError",
    "WorkerHost",
    "WorkersError",
    "WorkersModule",
    "WorkersOptions",
    "WorkersRegistrar",
    "get_flow_producer_token",
    "get_queue_token",
    "on_queue_event",
    "on_worker_event",
    "process",
    "processor",
    "queue_events_listener",
]
