"""Classes whose methods return options, for `use_class` and `use_existing` of the `*_async` methods of BullModule."""

from collections.abc import Awaitable
from typing import Protocol

from bullworks.workers.flow_producers import FlowProducerOptions
from bullworks.workers.options import BullOptions
from bullworks.workers.queues import QueueOptions


class SharedBullConfigurationFactory(Protocol):
    """A class that `BullModule.for_root_async` takes as `use_class`."""

    def create_shared_configuration(self) -> BullOptions | Awaitable[BullOptions]:
        """Return the options of the connection and the workers."""
        ...


class RegisterQueueOptionsFactory(Protocol):
    """A class that `BullModule.register_queue_async` takes as `use_class`."""

    def create_register_queue_options(self) -> QueueOptions | Awaitable[QueueOptions]:
        """Return the options of the queue."""
        ...


class RegisterFlowProducerOptionsFactory(Protocol):
    """A class that `BullModule.register_flow_producer_async` takes as `use_class`."""

    def create_register_flow_producer_options(self) -> FlowProducerOptions | Awaitable[FlowProducerOptions]:
        """Return the options of the flow producer."""
        ...
