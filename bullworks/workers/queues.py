"""Queues as modules: each registered queue is a small module, the same one wherever it is registered alike."""

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict, cast

from bullworks.bullmq import InvalidOptionError, JobOptions, JobOpts, Keyring, Queue, StreamsOptions
from bullworks.bullmq.job.job import D
from bullworks.bullmq.options.streams import checked_max_len
from bullworks.bullmq.queue.queue import checked_keys
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.core import Inject, ModuleContainer, OptionsSource, dynamic_module, options_key, provide, provide_options
from bullworks.redis import PipelinedConnection
from bullworks.workers.enhancers.adding import AddSide
from bullworks.workers.options import WorkersSetup
from bullworks.workers.tokens import ADD_SIDE, ConnectionTokens, QueueToken


class QueueOptions(TypedDict, total=False):
    """Options of a registered queue.

    Attributes:
        prefix: of its keys, where it is another than the application's.
        default_job_options: for every job that does not say otherwise, option by option before those of `for_root()`.
        streams: how many of its events are kept, as in {"events": {"max_len": 1_000}}.
        data_type, result_type: what its jobs hold, and what comes of them, see `bullworks.bullmq.Queue`.
        encryption: the keys of fields that are `Encrypted`, for its workers too.
    """

    prefix: str | None
    default_job_options: JobOptions | None
    streams: StreamsOptions | None
    data_type: Any
    result_type: Any
    encryption: Keyring | None


class NamedQueueOptions(QueueOptions, total=False):
    """A queue's name with its options, as in `register_queue({"name": "ticker"})`."""

    name: Required[str]
    config_key: str | None


class InProcessQueue(Queue[D]):
    """A queue that processes its own jobs, as a test's does: it gets no worker and no listener."""


class QueueModule:
    """A module that provides one queue."""


def queue_module(name: str, options: QueueOptions | None = None, config_key: str | None = None) -> ModuleContainer:
    """Create the module of a queue; an application has one for equal options and connection.

    Raises:
        InvalidOptionError: the name or an option cannot be used.
    """
    given = _checked(name, options or {})
    types = (given.get("data_type"), given.get("result_type"))
    token = QueueToken(name, config_key, data_type=types[0], result_type=types[1])
    over = ConnectionTokens.of(config_key)

    def make(connection: PipelinedConnection, setup: WorkersSetup, side: AddSide | None) -> Queue[Any]:
        return _queue(name, connection, setup, given, side)

    defaults = JobOpts.of(given.get("default_job_options") or {})
    return dynamic_module(
        QueueModule,
        name=f"QueueModule({name})",
        providers=[
            provide(token, use_factory=make, inject=[over.connection, over.setup, Inject(ADD_SIDE, optional=True)])
        ],
        exports=[token],
        key=(
            QueueModule,
            config_key,
            name,
            given.get("prefix"),
            defaults,
            checked_max_len(given.get("streams")),
            *types,
            given.get("encryption"),
        ),
    )


def named_queue_module(
    queue: str | NamedQueueOptions, options: QueueOptions, config_key: str | None
) -> ModuleContainer:
    """Create the module of a queue that is given by its name, or by a dict whose options go first.

    Raises:
        InvalidOptionError: the name or an option cannot be used.
    """
    if not isinstance(queue, Mapping):
        return queue_module(queue, options, config_key)
    given: dict[str, Any] = {**options, **queue}
    if "name" not in given:
        raise InvalidOptionError("name", f'is missing; write {{"name": "ticker"}}, not {queue!r}')
    name, key = given.pop("name"), given.pop("config_key", config_key)
    return queue_module(name, cast(QueueOptions, given), key)


def queue_module_async(
    name: str,
    source: OptionsSource,
    imports: Sequence[Any],
    config_key: str | None = None,
) -> ModuleContainer:
    """Create the module of a queue with options from elsewhere; one per function, class or token.

    Raises:
        InvalidOptionError: the name cannot be used; of the options, once the application is built.
    """
    if isinstance(name, Mapping):
        line = f'register_queue_async("{name.get("name", "ticker")}", use_factory=..., inject=[...])'
        raise InvalidOptionError("name", f"is not a dict here; write {line}")
    checked_keys("bull", name)
    token, over = QueueToken(name, config_key), ConnectionTokens.of(config_key)
    options = provide_options(f"queue_options:{name}", method="create_register_queue_options", **source)

    def make(
        connection: PipelinedConnection, setup: WorkersSetup, side: AddSide | None, given: QueueOptions
    ) -> Queue[Any]:
        return _queue(name, connection, setup, _checked(name, given), side)

    return dynamic_module(
        QueueModule,
        name=f"QueueModule({name})",
        imports=imports,
        providers=[
            *options,
            provide(
                token,
                use_factory=make,
                inject=[over.connection, over.setup, Inject(ADD_SIDE, optional=True), options[-1].token],
            ),
        ],
        exports=[token],
        key=(QueueModule, config_key, name, *options_key(source)),
    )


def _queue(
    name: str, connection: PipelinedConnection, setup: WorkersSetup, options: QueueOptions, side: AddSide | None
) -> Queue[Any]:
    queue: Queue[Any] = Queue(
        name,
        connection=connection,
        prefix=options.get("prefix") or setup.prefix,
        default_job_options={**(setup.default_job_options or {}), **(options.get("default_job_options") or {})},
        streams=options.get("streams"),
        telemetry=setup.telemetry,
        data_type=options.get("data_type"),
        result_type=options.get("result_type"),
        encryption=options.get("encryption"),
    )
    if side is not None:
        side.attach(queue)
    return queue


def _checked(name: str, options: QueueOptions) -> QueueOptions:
    known = QueueOptions.__annotations__
    if not isinstance(options, Mapping):
        raise InvalidOptionError(f"queue {name}", f"its options must be QueueOptions, a dict, not {options!r}")
    for option in options:
        if option == "connection":
            line = 'for_root(config_key="reports", connection=...), and the queue config_key="reports"'
            raise InvalidOptionError(option, f"is not an option of one queue; give it to a {line}")
        if option not in known:
            raise InvalidOptionError.unknown(option, known, of_jobs=JobOptions.__annotations__)
    checked_keys(options.get("prefix") or "bull", name)
    PayloadTypes.of(options.get("data_type"), options.get("result_type"))
    return options
