"""Tokens: how queues and flow producers are asked for, and what they are made with."""

from typing import Any

from app.bullmq import Queue
from app.bullmq.flow_producer import FlowProducer
from app.core import Inject, Token, snake_case
from app.redis.endpoint import Endpoint
from app.redis.pipelined import PipelinedConnection
from app.workers.options import WorkersSetup

DEFAULT_PRODUCER = "default"
"""The name of a flow producer that was given none."""


class QueueToken(Token[Queue[Any]]):
    """The token of the queue with this name in Redis."""

    def __init__(self, queue_name: str) -> None:
        super().__init__(
            f"queue:{queue_name}",
            attr=f"{snake_case(queue_name)}_queue",
            hint=f'add WorkersModule.register_queue("{queue_name}") to imports',
        )

    @property
    def queue_name(self) -> str:
        """The queue's name in Redis."""
        return self.name.removeprefix("queue:")


def get_queue_token(name: str) -> QueueToken:
    """The token of a queue: to `get()` it, or to provide or override it in a test."""
    return QueueToken(name)


class InjectQueue(Inject):
    """Asks for a queue: `email_queue: Annotated[Queue, InjectQueue("email")]`."""

    def __init__(self, name: str) -> None:
        super().__init__(get_queue_token(name))


class FlowProducerToken(Token[FlowProducer]):
    """The token of the flow producer that is registered under this name."""

    def __init__(self, producer_name: str) -> None:
        is_default = producer_name == DEFAULT_PRODUCER
        argument = "" if is_default else f'name="{producer_name}"'
        super().__init__(
            f"flow_producer:{producer_name}",
            attr="flow_producer" if is_default else f"{snake_case(producer_name)}_flow_producer",
            hint=f"add WorkersModule.register_flow_producer({argument}) to imports",
        )

    @property
    def producer_name(self) -> str:
        """The name it is registered under."""
        return self.name.removeprefix("flow_producer:")


def get_flow_producer_token(name: str = DEFAULT_PRODUCER) -> FlowProducerToken:
    """The token of a flow producer: to `get()` it, or to provide or override it in a test."""
    return FlowProducerToken(name)


class InjectFlowProducer(Inject):
    """Asks for a flow producer: `flows: Annotated[FlowProducer, InjectFlowProducer()]`."""

    def __init__(self, name: str = DEFAULT_PRODUCER) -> None:
        super().__init__(get_flow_producer_token(name))


_ROOT_HINT = "import WorkersModule.for_root() in the root module"

SETUP: Token[WorkersSetup] = Token("workers:setup", attr="workers_setup", hint=_ROOT_HINT)
ENDPOINT: Token[Endpoint] = Token("workers:endpoint", attr="redis_endpoint", hint=_ROOT_HINT)
CONNECTION: Token[PipelinedConnection] = Token("workers:connection", attr="redis_connection", hint=_ROOT_HINT)
"""The one connection that all queues share; workers have their own."""
