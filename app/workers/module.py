"""WorkersModule: queues, processors and their connections, as modules to import."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import redis.asyncio
from typing_extensions import Unpack

from app.bullmq.durations import Duration
from app.core import Binding, ModuleContainer, dynamic_module, provide
from app.redis.endpoint import Endpoint
from app.workers.connection import keep_locks, reach, share
from app.workers.fleet import WorkerFleet
from app.workers.flow_producers import FlowProducerOptions, flow_producer_module, flow_producer_module_async
from app.workers.options import WorkersOptions, complete
from app.workers.queues import QueueOptions, queue_module, queue_module_async
from app.workers.services.distributed_lock import DistributedLockService
from app.workers.tokens import CONNECTION, DEFAULT_PRODUCER, ENDPOINT, SETUP


class WorkersModule:
    """`for_root()` once, in the root module; `register_queue()` wherever a queue is used, and its like."""

    @classmethod
    def for_root(
        cls,
        *,
        queues: Sequence[str] = (),
        providers: Sequence[Any] = (),
        imports: Sequence[Any] = (),
        connection: str | redis.asyncio.Redis | Endpoint | None = None,
        prefix: str | None = None,
        workers_enabled: bool | None = None,
        enabled_workers: str | Sequence[str] | None = None,
        shutdown_grace: Duration | None = None,
    ) -> ModuleContainer:
        """The connection, the workers of all modules, and the queues and providers named here.

        A dependency-injector container: import it, or run it with `create_application()`. Its queues are visible
        in every module.

        Args:
            queues: names of queues to register.
            providers: processors and what they need.
            imports: modules that the providers need.
            connection, prefix, workers_enabled, enabled_workers, shutdown_grace: see `WorkersOptions`. With no
                connection, those left out come from the settings, read when the application is built.

        Raises:
            InvalidOptionError: a queue's name cannot be used.
            WiringError: the modules do not fit together, whatever is overridden.
        """
        names = enabled_workers if isinstance(enabled_workers, str | None) else tuple(enabled_workers)
        options = WorkersOptions(
            connection=connection,
            prefix=prefix,
            workers_enabled=workers_enabled,
            enabled_workers=names,
            shutdown_grace=shutdown_grace,
        )
        return _root(
            provide(SETUP, use_factory=lambda: complete(options)),
            queues=queues,
            providers=providers,
            imports=imports,
            # the plain for_root() of several feature modules is one and the same
            key=None if providers or imports else (cls, tuple(queues), options),
        )

    @classmethod
    def for_root_async(
        cls,
        *,
        use_factory: Callable[..., Any],
        inject: Sequence[Any] | None = None,
        queues: Sequence[str] = (),
        providers: Sequence[Any] = (),
        imports: Sequence[Any] = (),
    ) -> ModuleContainer:
        """As `for_root()`, with options that a function gives, async or not.

        Args:
            use_factory: returns `WorkersOptions`.
            inject: its arguments, of what `imports` export; read from its annotations unless given.
        """
        options = provide("workers:given_options", use_factory=use_factory, inject=inject)
        setup = provide(SETUP, use_factory=complete, inject=[options.token])
        return _root(setup, queues=queues, providers=[options, *providers], imports=imports)

    @classmethod
    def register_queue(cls, *names: str, **options: Unpack[QueueOptions]) -> ModuleContainer:
        """Makes queues visible in the module that imports this.

        A queue that several modules register alike is one Queue object.

        Args:
            names: of the queues.
            options: of each, see QueueOptions: prefix, default_job_options, streams.

        Raises:
            InvalidOptionError: a name or an option cannot be used.
        """
        return _exporting(*(queue_module(name, options) for name in names))

    @classmethod
    def register_queue_async(
        cls,
        name: str,
        *,
        use_factory: Callable[..., Any],
        inject: Sequence[Any] | None = None,
        imports: Sequence[Any] = (),
    ) -> ModuleContainer:
        """As `register_queue()`, with options that a function gives, async or not.

        Modules that register a queue with the same function share one Queue object.

        Args:
            use_factory: returns `QueueOptions`, a dict.
            inject: its arguments, of what `imports` export; read from its annotations unless given.
        """
        return _exporting(queue_module_async(name, use_factory, inject, imports))

    @classmethod
    def register_flow_producer(
        cls, name: str = DEFAULT_PRODUCER, **options: Unpack[FlowProducerOptions]
    ) -> ModuleContainer:
        """Makes a flow producer visible in the module that imports this; as queues are, it is one object.

        Args:
            name: for InjectFlowProducer and get_flow_producer_token, where there are several.
            options: see FlowProducerOptions: prefix.

        Raises:
            InvalidOptionError: an option cannot be used.
        """
        return _exporting(flow_producer_module(name, options))

    @classmethod
    def register_flow_producer_async(
        cls,
        name: str = DEFAULT_PRODUCER,
        *,
        use_factory: Callable[..., Any],
        inject: Sequence[Any] | None = None,
        imports: Sequence[Any] = (),
    ) -> ModuleContainer:
        """As `register_flow_producer()`, with options that a function gives; see `register_queue_async()`.

        Args:
            use_factory: returns `FlowProducerOptions`, a dict.
        """
        return _exporting(flow_producer_module_async(name, use_factory, inject, imports))


def _exporting(*modules: ModuleContainer) -> ModuleContainer:
    return dynamic_module(WorkersModule, imports=modules, exports=modules)


def _root(
    setup: Binding,
    *,
    queues: Sequence[str],
    providers: Sequence[Any],
    imports: Sequence[Any],
    key: Hashable = None,
) -> ModuleContainer:
    modules = [queue_module(name) for name in queues]
    return dynamic_module(
        WorkersModule,
        imports=[*modules, *imports],
        providers=[
            setup,
            # lazy: with every queue replaced, as in a test, nothing is reached
            provide(ENDPOINT, use_factory=reach, inject=[SETUP], lazy=True),
            provide(CONNECTION, use_factory=share, inject=[ENDPOINT], lazy=True),
            provide(DistributedLockService, use_factory=keep_locks, inject=[CONNECTION], lazy=True),
            WorkerFleet,
            *providers,
        ],
        exports=[SETUP, CONNECTION, DistributedLockService, *modules],
        is_global=True,
        key=key,
    )
