"""Flow producers as modules, as queues are."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from bullworks.bullmq import FlowProducer, InvalidOptionError, Queue
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.queue.queue import checked_keys
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.core import (
    Discovery,
    Inject,
    ModuleContainer,
    OptionsSource,
    dynamic_module,
    options_key,
    provide,
    provide_options,
)
from bullworks.redis import PipelinedConnection
from bullworks.workers.enhancers.adding import AddSide
from bullworks.workers.options import WorkersSetup
from bullworks.workers.tokens import ADD_SIDE, ConnectionTokens, QueueToken, get_flow_producer_token


class FlowProducerOptions(TypedDict, total=False):
    """Options of a registered flow producer.

    Attributes:
        prefix: of the queues that a flow does not say it for, where it is another than the application's.
    """

    prefix: str | None


class RegisteredTypes:
    """The payload types of the application's queues, for its flow producers."""

    def __init__(self, discovery: Discovery) -> None:
        self._discovery = discovery
        self._queues: dict[str, Queue[Any]] = {}
        self._modules_seen = 0

    def of(self, keys: QueueKeys) -> PayloadTypes | None:
        """The payload types of a queue; None for one without, or one that no module registers."""
        if self._modules_seen != self._discovery.module_count:
            self._look()
        queue = self._queues.get(keys.base)
        return None if queue is None else queue.scripts.payload_types

    def _look(self) -> None:
        found = [each for each in self._discovery.providers() if isinstance(each.token, QueueToken)]
        queues = [each.instance for each in found if each.made_from is not None and issubclass(each.made_from, Queue)]
        self._queues = {queue.keys.base: queue for queue in queues if isinstance(queue, Queue)}
        if all(each.is_built or each.is_given for each in found):  # else a flow is added while modules are built
            self._modules_seen = self._discovery.module_count


class FlowProducerModule:
    """A module that provides one flow producer."""


def flow_producer_module(name: str, options: FlowProducerOptions, config_key: str | None = None) -> ModuleContainer:
    """Create the module of a flow producer; an application has one for equal options.

    Raises:
        InvalidOptionError: an option cannot be used.
    """
    given = _checked(options)
    token, over = get_flow_producer_token(name), ConnectionTokens.of(config_key)

    def make(
        connection: PipelinedConnection, setup: WorkersSetup, side: AddSide | None, discovery: Discovery
    ) -> FlowProducer:
        return _producer(connection, setup, given, side, discovery)

    return dynamic_module(
        FlowProducerModule,
        name=f"FlowProducerModule({name})",
        providers=[provide(token, use_factory=make, inject=_needs(over))],
        exports=[token],
        key=(FlowProducerModule, config_key, name, given.get("prefix")),
    )


def flow_producer_module_async(
    name: str,
    source: OptionsSource,
    imports: Sequence[Any],
    config_key: str | None = None,
) -> ModuleContainer:
    """Create the module of a flow producer with options from elsewhere; one per function, class or token."""
    token, over = get_flow_producer_token(name), ConnectionTokens.of(config_key)
    options = provide_options(f"flow_producer_options:{name}", method="create_register_flow_producer_options", **source)

    def make(
        connection: PipelinedConnection,
        setup: WorkersSetup,
        side: AddSide | None,
        discovery: Discovery,
        given: FlowProducerOptions,
    ) -> FlowProducer:
        return _producer(connection, setup, _checked(given), side, discovery)

    return dynamic_module(
        FlowProducerModule,
        name=f"FlowProducerModule({name})",
        imports=imports,
        providers=[
            *options,
            provide(token, use_factory=make, inject=[*_needs(over), options[-1].token]),
        ],
        exports=[token],
        key=(FlowProducerModule, config_key, name, *options_key(source)),
    )


def _needs(over: ConnectionTokens) -> list[Any]:
    return [over.connection, over.setup, Inject(ADD_SIDE, optional=True), Discovery]


def _producer(
    connection: PipelinedConnection,
    setup: WorkersSetup,
    options: FlowProducerOptions,
    side: AddSide | None,
    discovery: Discovery,
) -> FlowProducer:
    prefix = options.get("prefix") or setup.prefix
    producer = FlowProducer(connection=connection, prefix=prefix, telemetry=setup.telemetry)
    producer.queue_types = RegisteredTypes(discovery)
    if side is not None:
        side.attach(producer)
    return producer


def _checked(options: FlowProducerOptions) -> FlowProducerOptions:
    known = FlowProducerOptions.__annotations__
    if not isinstance(options, Mapping):
        raise InvalidOptionError("flow producer", f"its options must be FlowProducerOptions, a dict, not {options!r}")
    for option in options:
        if option not in known:
            raise InvalidOptionError.unknown(option, known)
    # flows are stored under it as queues are
    checked_keys(options.get("prefix") or "bull", "any")
    return options
