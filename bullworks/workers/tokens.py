"""Tokens: how queues, flow producers and limits are asked for, and what they are made with."""

from dataclasses import dataclass
from typing import Any

from bullworks.bullmq import FlowProducer, InvalidOptionError, Job, Queue, SyncJob
from bullworks.core import Inject, Token, register_mark, snake_case
from bullworks.limits import Limit
from bullworks.redis import Endpoint, PipelinedConnection
from bullworks.workers.enhancers.adding import AddSide
from bullworks.workers.options import RootOptions, WorkersSetup

DEFAULT_PRODUCER = "default"
"""The name of a flow producer that was given none."""


class QueueToken(Token[Queue[Any]]):
    """The token of the queue with this name in Redis.

    Attributes:
        config_key: its registration's; None means the connection without one.
        data_type, result_type: its registration's, as far as they are known before anything is built.
    """

    config_key: str | None = None
    data_type: Any = None
    result_type: Any = None

    def __init__(
        self, queue_name: str, config_key: str | None = None, *, data_type: Any = None, result_type: Any = None
    ) -> None:
        super().__init__(
            f"queue:{queue_name}",
            attr=f"{snake_case(queue_name)}_queue",
            hint=f'add BullModule.register_queue("{queue_name}") to imports',
        )
        # tokens are frozen, and equal by name alone
        object.__setattr__(self, "config_key", config_key)
        object.__setattr__(self, "data_type", data_type)
        object.__setattr__(self, "result_type", result_type)

    @property
    def has_fixed_attr(self) -> bool:
        """Always false: queue names are any text, and two may differ only in what an attribute can't hold."""
        return False

    @property
    def queue_name(self) -> str:
        """The queue's name in Redis."""
        return self.name.removeprefix("queue:")


def get_queue_token(name: str) -> QueueToken:
    """Return the token of a queue: to `get()` it, or to provide or override it in a test."""
    return QueueToken(name)


class InjectQueue(Inject):
    """Injects a queue: `email_queue: Annotated[Queue, InjectQueue("email")]`."""

    gives = Queue

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
            hint=f"add BullModule.register_flow_producer({argument}) to imports",
        )

    @property
    def has_fixed_attr(self) -> bool:
        """Always false: names of flow producers are any text, as those of queues."""
        return False

    @property
    def producer_name(self) -> str:
        """The name under which the flow producer is registered."""
        return self.name.removeprefix("flow_producer:")


def get_flow_producer_token(name: str = DEFAULT_PRODUCER) -> FlowProducerToken:
    """Return the token of a flow producer: to `get()` it, or to provide or override it in a test."""
    return FlowProducerToken(name)


class InjectFlowProducer(Inject):
    """Injects a flow producer: `flows: Annotated[FlowProducer, InjectFlowProducer()]`."""

    gives = FlowProducer

    def __init__(self, name: str = DEFAULT_PRODUCER) -> None:
        super().__init__(get_flow_producer_token(name))


class LimitToken(Token[Limit]):
    """The token of the limit with this name in Redis; `register_limit` sets its windows."""

    def __init__(self, limit_name: str) -> None:
        super().__init__(
            f"limit:{limit_name}",
            attr=f"{snake_case(limit_name)}_limit",
            hint=f'add BullModule.register_limit("{limit_name}", Window(10, per=1_000)) to imports',
        )

    @property
    def has_fixed_attr(self) -> bool:
        """Always false: names of limits are any text, as those of queues."""
        return False


def get_limit_token(name: str) -> LimitToken:
    """Return the token of a limit: to `get()` it, or to provide or override it in a test."""
    return LimitToken(name)


class InjectLimit(Inject):
    """Injects a limit: `openai: Annotated[Limit, InjectLimit("openai")]`."""

    gives = Limit

    def __init__(self, name: str) -> None:
        super().__init__(get_limit_token(name))


class SetupToken(Token[WorkersSetup]):
    """The token of the options of a `for_root()`, with this `config_key` or without one."""

    config_key: str | None = None

    def __init__(self, config_key: str | None) -> None:
        name, attribute = _names("workers:setup", "workers_setup", config_key)
        super().__init__(name, attr=attribute, hint=_root_hint(config_key))
        object.__setattr__(self, "config_key", config_key)  # tokens are frozen, and equal by name alone


@dataclass(frozen=True, slots=True)
class ConnectionTokens:
    """The tokens of one `for_root()`: its options, its endpoint, and the connection its queues share."""

    setup: SetupToken
    endpoint: Token[Endpoint]
    connection: Token[PipelinedConnection]

    @classmethod
    def of(cls, config_key: str | None) -> "ConnectionTokens":
        """Return the tokens of `for_root(config_key=...)`, or of the one without.

        Raises:
            InvalidOptionError: the key is not a name.
        """
        if config_key is not None and (not isinstance(config_key, str) or not snake_case(config_key)):
            raise InvalidOptionError("config_key", f"must be a name such as 'reports', not {config_key!r}")
        hint = _root_hint(config_key)
        endpoint, endpoint_attribute = _names("workers:endpoint", "redis_endpoint", config_key)
        connection, connection_attribute = _names("workers:connection", "redis_connection", config_key)
        return cls(
            SetupToken(config_key),
            Token(endpoint, attr=endpoint_attribute, hint=hint),
            Token(connection, attr=connection_attribute, hint=hint),
        )


def _names(name: str, attribute: str, config_key: str | None) -> tuple[str, str]:
    return (
        (name, attribute) if config_key is None else (f"{name}:{config_key}", f"{attribute}_{snake_case(config_key)}")
    )


def _root_hint(config_key: str | None) -> str:
    if config_key is None:
        return "import BullModule.for_root() in the root module"
    return f'import BullModule.for_root(config_key="{config_key}", connection=...) in the root module'


ROOT_OPTIONS: Token[RootOptions] = Token("workers:root_options")
"""The options of `for_root()` where they are known before anything is built."""

DEFAULT = ConnectionTokens.of(None)
SETUP = DEFAULT.setup
ENDPOINT = DEFAULT.endpoint
CONNECTION = DEFAULT.connection
"""The one connection that all queues share, but for those with a config_key; workers have their own."""

ADD_SIDE: Token[AddSide] = Token("workers:add_side", hint=_root_hint(None))
"""What surrounds the adding of jobs."""

JOB: Token[Job] = Token("workers:job", attr="current_job", hint=_root_hint(None))
"""The job that a REQUEST-scoped processor, and all that is made for it, works on: `Annotated[Job, Inject(JOB)]`.

It is the job as `process` gets it: a SyncJob where `process` is a plain function."""

# A forgotten mark is reported as such, not as a missing Queue.
register_mark(Queue, 'Annotated[Queue, InjectQueue("...")]')
register_mark(FlowProducer, "Annotated[FlowProducer, InjectFlowProducer()]")
register_mark(Limit, 'Annotated[Limit, InjectLimit("...")]')
register_mark(Job, "Annotated[Job, Inject(JOB)]")
register_mark(SyncJob, "Annotated[SyncJob, Inject(JOB)]")
