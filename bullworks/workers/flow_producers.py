"""Flow producers as modules, as queues are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from bullworks.bullmq import FlowProducer, InvalidOptionError
from bullworks.bullmq.queue.queue import checked_keys
from bullworks.core import Inject, ModuleContainer, dynamic_module, provide
from bullworks.redis import PipelinedConnection
from bullworks.workers.enhancers.adding import AddSide
from bullworks.workers.options import WorkersSetup
from bullworks.workers.tokens import ADD_SIDE, ConnectionTokens, get_flow_producer_token


class FlowProducerOptions(TypedDict, total=False):
    """Options of a registered flow producer.

    Attributes:
        prefix: of the queues that a flow does not say it for, where it is another than the application's.
    """

    prefix: str | None


class FlowProducerModule:
    """A module that provides one flow producer."""


def flow_producer_module(name: str, options: FlowProducerOptions, config_key: str | None = None) -> ModuleContainer:
    """Create the module of a flow producer; an application has one for equal options.

    Raises:
        InvalidOptionError: an option cannot be used.
    """
    given = _checked(options)
    token, over = get_flow_producer_token(name), ConnectionTokens.of(config_key)

    def make(connection: PipelinedConnection, setup: WorkersSetup, side: AddSide | None) -> FlowProducer:
        return _producer(connection, setup, given, side)

    return dynamic_module(
        FlowProducerModule,
        name=f"FlowProducerModule({name})",
        providers=[
            provide(token, use_factory=make, inject=[over.connection, over.setup, Inject(ADD_SIDE, optional=True)])
        ],
        exports=[token],
        key=(FlowProducerModule, config_key, name, given.get("prefix")),
    )


def flow_producer_module_async(
    name: str,
    use_factory: Callable[..., Any],
    inject: Sequence[Any] | None,
    imports: Sequence[Any],
    config_key: str | None = None,
) -> ModuleContainer:
    """Create the module of a flow producer with options from a function, async or not; one per function."""
    token, over = get_flow_producer_token(name), ConnectionTokens.of(config_key)
    options = provide(f"flow_producer_options:{name}", use_factory=use_factory, inject=inject)

    def make(
        connection: PipelinedConnection, setup: WorkersSetup, side: AddSide | None, given: FlowProducerOptions
    ) -> FlowProducer:
        return _producer(connection, setup, _checked(given), side)

    return dynamic_module(
        FlowProducerModule,
        name=f"FlowProducerModule({name})",
        imports=imports,
        providers=[
            options,
            provide(
                token,
                use_factory=make,
                inject=[over.connection, over.setup, Inject(ADD_SIDE, optional=True), options.token],
            ),
        ],
        exports=[token],
        key=(FlowProducerModule, config_key, name, use_factory, None if inject is None else tuple(inject)),
    )


def _producer(
    connection: PipelinedConnection, setup: WorkersSetup, options: FlowProducerOptions, side: AddSide | None
) -> FlowProducer:
    prefix = options.get("prefix") or setup.prefix
    producer = FlowProducer(connection=connection, prefix=prefix, telemetry=setup.telemetry)
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
