"""BullModule: queues, processors and their connections, as modules to import."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from typing_extensions import Unpack

from bullworks.core import Discovery, ModuleContainer, OptionsSource, Token, dynamic_module, provide, provide_options
from bullworks.limits import Window
from bullworks.workers.flow_producers import FlowProducerOptions, flow_producer_module, flow_producer_module_async
from bullworks.workers.limits import limit_module
from bullworks.workers.options import BullOptions, RootOptions, WorkersSetup, complete, complete_from, complete_named
from bullworks.workers.options_factories import (
    RegisterFlowProducerOptionsFactory,
    RegisterQueueOptionsFactory,
    SharedBullConfigurationFactory,
)
from bullworks.workers.queues import NamedQueueOptions, QueueOptions, named_queue_module, queue_module_async
from bullworks.workers.root import root_module
from bullworks.workers.settings import QueueSettings, WorkersSettings
from bullworks.workers.tokens import DEFAULT_PRODUCER, ROOT_OPTIONS, SETUP, ConnectionTokens


class BullModule:
    """The module of queues and workers: `for_root()` once, in the root module, `register_queue()` per queue."""

    @classmethod
    def for_root(
        cls,
        *,
        config_key: str | None = None,
        queues: Sequence[str] = (),
        providers: Sequence[Any] = (),
        imports: Sequence[Any] = (),
        **options: Unpack[BullOptions],
    ) -> ModuleContainer:
        """Provide the connection, the workers of all modules, and the queues and providers named here.

        A dependency-injector container: import it, or run it with `create_application()`. Its queues are visible
        in every module.

        Args:
            config_key: name of a further connection, for what is registered with the same key. It takes queues,
                providers, imports, connection and prefix; the rest is said by the `for_root()` without a key.
            queues: names of queues to register.
            providers: processors and what they need.
            imports: modules that the providers need.
            options: see `BullOptions`. With no connection, those left out come from the settings, read when the
                application is built.

        Raises:
            InvalidOptionError: a queue's name cannot be used, or an option does not go with config_key.
            WiringError: the modules do not fit together, whatever is overridden.
        """
        given = RootOptions.of(options)
        tokens = ConnectionTokens.of(config_key)
        if config_key is None:
            needed = [QueueSettings, WorkersSettings] if given.connection is None else []
            setup = [
                *needed,
                provide(ROOT_OPTIONS, use_value=given),
                provide(SETUP, use_factory=partial(complete, given), inject=needed),
            ]
        else:
            given.further_connection()  # wrong options are reported at once
            setup = [provide(tokens.setup, use_factory=partial(complete_named, given), inject=[SETUP])]
        return root_module(
            cls,
            tokens,
            setup,
            queues=queues,
            providers=providers,
            imports=imports,
            # the plain for_root() of several feature modules is one and the same
            key=None if providers or imports else (cls, config_key, tuple(queues), given),
        )

    @classmethod
    def for_root_async(
        cls,
        *,
        config_key: str | None = None,
        use_factory: Callable[..., Any] | None = None,
        inject: Sequence[Any] | None = None,
        use_class: type[SharedBullConfigurationFactory] | None = None,
        use_existing: type[SharedBullConfigurationFactory] | Token[Any] | str | None = None,
        queues: Sequence[str] = (),
        providers: Sequence[Any] = (),
        imports: Sequence[Any] = (),
    ) -> ModuleContainer:
        """Provide the connection and workers with options from elsewhere; see `for_root`. Give one `use_*`.

        Args:
            use_factory: a function, async or not, that returns `BullOptions`, a dict.
            inject: its arguments, of what `imports` export; read from its annotations unless given.
            use_class: a class, built here, whose `create_shared_configuration()` returns them.
            use_existing: the token of such an object, of what `imports` export.

        Raises:
            TypeError: not exactly one is given, or the class has no such method.
        """
        tokens = ConnectionTokens.of(config_key)
        options = provide_options(
            "workers:given_options",
            method="create_shared_configuration",
            use_factory=use_factory,
            inject=inject,
            use_class=use_class,
            use_existing=use_existing,
        )
        if config_key is None:
            setup = provide(SETUP, use_factory=_complete, inject=[options[-1].token, Discovery])
        else:
            setup = provide(tokens.setup, use_factory=_complete_named, inject=[options[-1].token, SETUP])
        return root_module(cls, tokens, [*options, setup], queues=queues, providers=providers, imports=imports)

    @classmethod
    def register_queue(
        cls, *names: str | NamedQueueOptions, config_key: str | None = None, **options: Unpack[QueueOptions]
    ) -> ModuleContainer:
        """Make queues visible in the module that imports this.

        A queue that several modules register alike is one Queue object.

        Args:
            names: of the queues; or, as in Nest, dicts with a name and options: `{"name": "ticker"}`.
            config_key: of the `for_root()` that says where they are; unless given, the one without.
            options: of each, see QueueOptions: prefix, default_job_options, streams, types.

        Raises:
            InvalidOptionError: a name or an option cannot be used.
        """
        return _exporting(*(named_queue_module(name, options, config_key) for name in names))

    @classmethod
    def register_queue_async(
        cls,
        name: str,
        *,
        config_key: str | None = None,
        use_factory: Callable[..., Any] | None = None,
        inject: Sequence[Any] | None = None,
        use_class: type[RegisterQueueOptionsFactory] | None = None,
        use_existing: type[RegisterQueueOptionsFactory] | Token[Any] | str | None = None,
        imports: Sequence[Any] = (),
    ) -> ModuleContainer:
        """Make a queue visible, with options from elsewhere; see `register_queue`. Give one `use_*`.

        Modules that register a queue with the same function, class or token share one Queue object.

        Args:
            use_factory: a function, async or not, that returns `QueueOptions`, a dict.
            inject: its arguments, of what `imports` export; read from its annotations unless given.
            use_class: a class, built here, whose `create_register_queue_options()` returns them.
            use_existing: the token of such an object, of what `imports` export.

        Raises:
            TypeError: not exactly one is given, or the class has no such method.
        """
        source: OptionsSource = {
            "use_factory": use_factory,
            "inject": inject,
            "use_class": use_class,
            "use_existing": use_existing,
        }
        return _exporting(queue_module_async(name, source, imports, config_key))

    @classmethod
    def register_flow_producer(
        cls, name: str = DEFAULT_PRODUCER, *, config_key: str | None = None, **options: Unpack[FlowProducerOptions]
    ) -> ModuleContainer:
        """Make a flow producer visible in the module that imports this; an application has one, shared.

        Args:
            name: for InjectFlowProducer and get_flow_producer_token, where there are several.
            config_key: of the `for_root()` that says where it adds flows; unless given, the one without.
            options: see FlowProducerOptions: prefix.

        Raises:
            InvalidOptionError: an option cannot be used.
        """
        return _exporting(flow_producer_module(name, options, config_key))

    @classmethod
    def register_flow_producer_async(
        cls,
        name: str = DEFAULT_PRODUCER,
        *,
        config_key: str | None = None,
        use_factory: Callable[..., Any] | None = None,
        inject: Sequence[Any] | None = None,
        use_class: type[RegisterFlowProducerOptionsFactory] | None = None,
        use_existing: type[RegisterFlowProducerOptionsFactory] | Token[Any] | str | None = None,
        imports: Sequence[Any] = (),
    ) -> ModuleContainer:
        """Make a flow producer visible, with options from elsewhere; see `register_queue_async()`.

        Args:
            use_factory: returns `FlowProducerOptions`, a dict.
            use_class, use_existing: have `create_register_flow_producer_options()`.
        """
        source: OptionsSource = {
            "use_factory": use_factory,
            "inject": inject,
            "use_class": use_class,
            "use_existing": use_existing,
        }
        return _exporting(flow_producer_module_async(name, source, imports, config_key))

    @classmethod
    def register_limit(cls, name: str, *windows: Window, config_key: str | None = None) -> ModuleContainer:
        """Make a limit visible in the module that imports this: `InjectLimit(name)` injects it.

        Modules that register the same limit share one Limit object.

        Args:
            name: in Redis, where all users of that name share it, whatever their queues and prefixes.
            windows: what it allows, the same wherever it is used.
            config_key: of the `for_root()` whose Redis it is counted in; default: the one without a key.

        Raises:
            InvalidLimitError: the name or the windows cannot be used.
        """
        return _exporting(limit_module(name, windows, config_key))


def _complete(options: BullOptions, discovery: Discovery) -> WorkersSetup:
    return complete_from(RootOptions.of(options), discovery.settings)


def _complete_named(options: BullOptions, root: WorkersSetup) -> WorkersSetup:
    return complete_named(RootOptions.of(options), root)


def _exporting(*modules: ModuleContainer) -> ModuleContainer:
    return dynamic_module(BullModule, imports=modules, exports=modules)
