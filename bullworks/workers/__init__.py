"""Queues and workers in modules: what a service uses of the engine, put together by the container."""

from bullworks.elsewhere import without_foreign_names
from bullworks.workers.enhancers import (
    APP_FILTER,
    APP_GUARD,
    APP_INTERCEPTOR,
    APP_PIPE,
    AddContext,
    CallHandler,
    Complete,
    Delay,
    EnhancerAnswerError,
    EnhancerClassError,
    EnhancerPlaceError,
    GuardRefusedError,
    JobContext,
    RateLimit,
    catch,
    use_filters,
    use_guards,
    use_interceptors,
    use_pipes,
)
from bullworks.workers.errors import (
    ConfigKeyError,
    HostScopeError,
    JobNameError,
    LateHostError,
    ListenerClassError,
    NoJobError,
    NoQueueEventsError,
    NoWorkerError,
    PayloadTypeError,
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
from bullworks.workers.options_factories import (
    RegisterFlowProducerOptionsFactory,
    RegisterQueueOptionsFactory,
    SharedBullConfigurationFactory,
)
from bullworks.workers.process import process
from bullworks.workers.processor import processor
from bullworks.workers.queue_event import on_queue_event
from bullworks.workers.queues import NamedQueueOptions, QueueOptions
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
    "APP_FILTER",
    "APP_GUARD",
    "APP_INTERCEPTOR",
    "APP_PIPE",
    "CONNECTION",
    "JOB",
    "AddContext",
    "BullModule",
    "BullOptions",
    "CallHandler",
    "Complete",
    "ConfigKeyError",
    "Delay",
    "EnhancerAnswerError",
    "EnhancerClassError",
    "EnhancerPlaceError",
    "FlowProducerOptions",
    "GuardRefusedError",
    "HostScopeError",
    "InjectFlowProducer",
    "InjectLimit",
    "InjectQueue",
    "JobContext",
    "JobNameError",
    "LateHostError",
    "ListenerClassError",
    "NamedQueueOptions",
    "NoJobError",
    "NoQueueEventsError",
    "NoWorkerError",
    "PayloadTypeError",
    "ProcessPoolError",
    "ProcessorClassError",
    "QueueEventsHost",
    "QueueOptions",
    "QueueSettings",
    "RateLimit",
    "RegisterFlowProducerOptionsFactory",
    "RegisterQueueOptionsFactory",
    "RegisteredTwiceError",
    "RequestEventsError",
    "RootImportedTwiceError",
    "SameWorkerNameError",
    "SharedBullConfigurationFactory",
    "UnknownQueueError",
    "UnknownQueueEventError",
    "UnknownWorkerError",
    "UnknownWorkerEventError",
    "WorkerFleet",
    "WorkerHost",
    "WorkersError",
    "WorkersRegistrar",
    "WorkersSettings",
    "catch",
    "get_flow_producer_token",
    "get_limit_token",
    "get_queue_token",
    "on_queue_event",
    "on_worker_event",
    "process",
    "processor",
    "queue_events_listener",
    "use_filters",
    "use_guards",
    "use_interceptors",
    "use_pipes",
]

without_foreign_names(__name__)
