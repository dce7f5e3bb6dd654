"""Queues and workers in modules: what a service uses of the engine, put together by the container."""

from app.workers.errors import (
    NoWorkerError,
    ProcessorClassError,
    ProcessorScopeError,
    QueueRegisteredTwiceError,
    RootImportedTwiceError,
    SameWorkerNameError,
    UnknownQueueError,
    UnknownWorkerError,
    UnknownWorkerEventError,
    WorkersError,
)
from app.workers.host import WorkerHost
from app.workers.module import WorkersModule
from app.workers.options import WorkersOptions
from app.workers.processor import processor
from app.workers.tokens import InjectQueue, get_queue_token
from app.workers.worker_event import on_worker_event

__all__ = [
    "InjectQueue",
    "NoWorkerError",
    "ProcessorClassError",
    "ProcessorScopeError",
    "QueueRegisteredTwiceError",
    "RootImportedTwiceError",
    "SameWorkerNameError",
    "UnknownQueueError",
    "UnknownWorkerError",
    "UnknownWorkerEventError",
    "WorkerHost",
    "WorkersError",
    "WorkersModule",
    "WorkersOptions",
    "get_queue_token",
    "on_worker_event",
    "processor",
]
