"""Test: a module made for one test, with what the test puts in the place of providers and modules."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload

from dependency_injector import providers

from bullworks.bullmq import FlowProducer
from bullworks.core import AnyToken, Binding, ModuleContainer, Token, label, provide
from bullworks.core.assembling import assemble
from bullworks.core.container import graph_of, node_of
from bullworks.core.graph import Graph
from bullworks.core.hints import distinguish_names
from bullworks.core.module import ModuleSpec
from bullworks.core.provide import Made, UseValue
from bullworks.core.substitutes import Substitutes
from bullworks.redis import Client, Endpoint
from bullworks.testing.errors import UnknownOverrideError
from bullworks.testing.harness import QueueHarness
from bullworks.testing.harness_flow_producer import HarnessFlowProducer
from bullworks.testing.harness_group import HarnessGroup
from bullworks.testing.isolation.isolation import Isolation, NamedServer
from bullworks.testing.mocking import Mocker, mock_of
from bullworks.testing.testing_module import TestingModule, TestingRoot
from bullworks.workers import get_queue_token
from bullworks.workers.tokens import FlowProducerToken

T = TypeVar("T")


class Test:
    """Builds testing modules, as `Test` of `@nestjs/testing`."""

    __test__ = False

    @classmethod
    def create_testing_module(
        cls, *, imports: Sequence[Any] = (), providers: Sequence[Any] = (), exports: Sequence[Any] = ()
    ) -> "TestingModuleBuilder":
        """Begin a testing module with these arguments of `@module`; `compile()` builds it.

        ref = await Test.create_testing_module(
            providers=[EmailWorker, provide(MailService, use_value=mail)],
        ).compile()
        worker = ref.get(EmailWorker)
        """
        return TestingModuleBuilder(imports, providers, exports)


class TestingModuleBuilder:
    """Configures a testing module; each call returns the builder."""

    __test__ = False

    def __init__(self, imports: Sequence[Any], providers: Sequence[Any], exports: Sequence[Any]) -> None:
        self._spec = ModuleSpec("TestingModule", TestingRoot, imports, providers, exports)
        self._providers: dict[AnyToken, Binding] = {}
        self._modules: dict[Any, Any] = {}
        self._mocker: Mocker | None = None
        self._harnesses: dict[str, QueueHarness[Any]] = {}
        self._servers: dict[str | None, NamedServer] = {}
        self._runs_schedule = False

    @overload
    def override_provider(self, token: type[T]) -> "ProviderOverride[T]": ...
    @overload
    def override_provider(self, token: Token[T]) -> "ProviderOverride[T]": ...
    @overload
    def override_provider(self, token: type[Any] | str) -> "ProviderOverride[Any]": ...
    def override_provider(self, token: AnyToken) -> "ProviderOverride[Any]":
        """Override a provider in every module that has or needs it."""
        return ProviderOverride(self, token)

    def override_module(self, module: type[Any] | ModuleContainer) -> "ModuleOverride":
        """Import another module wherever this one is imported.

        Args:
            module: a module class, which stands for all dynamic modules made of it too; or what one `for_root()`
                returned.
        """
        return ModuleOverride(self, module)

    def use_mocker(self, mocker: Mocker = mock_of) -> "TestingModuleBuilder":
        """Let `mocker` create what no module provides.

        Args:
            mocker: called with each missing token; None: it stays missing, which is an error. By default an autospec
                of the class.
        """
        self._mocker = mocker
        return self

    def use_harness(self, harness: QueueHarness[Any]) -> "TestingModuleBuilder":
        """Replace a harness's queue in all modules, and run its jobs in the modules' processors.

        Flows, too, land in the harnesses of the module, by the names of their queues.
        """
        self._harnesses[harness.queue_name] = harness
        return self.override_provider(get_queue_token(harness.queue_name)).use_value(harness.queue)

    def use_redis(
        self, server: str | Client | Endpoint, *, prefix: str | None = None, config_key: str | None = None
    ) -> "TestingModuleBuilder":
        """Connect everything without a harness to this server, instead of the one in modules or settings.

        Without it, and without `BullModule.for_root(connection=...)`, nothing connects: whatever would raises
        UnnamedServerError, and locks are kept in memory.

        Args:
            server: a URL, such as that of the fixture `bull_redis`, a redis.asyncio client, or an endpoint.
            prefix: of the queues there, but for those that are registered with one of their own; as the modules say,
                unless given.
            config_key: of the connection that is meant; unless given, the one without.

        Raises:
            BadUrlError, UnusableClientError: it cannot be used.
        """
        self._servers[config_key] = NamedServer(Endpoint.of(server), prefix)
        return self

    def use_schedule(self) -> "TestingModuleBuilder":
        """Run crons, intervals and timeouts by the clock once the module is initialised, as the settings say.

        Without it they run only by hand: `registry.get_cron_job(name).fire_on_tick()`.
        """
        self._runs_schedule = True
        return self

    async def compile(self) -> TestingModule:
        """Link and build everything; no lifecycle hook is called before `init()`, and no socket is opened.

        Raises:
            WiringError: the modules do not fit together; lists every problem.
            UnknownOverrideError: something is overridden that is not there.
        """
        harnesses = [harness for harness in self._harnesses.values() if self._is_used(harness)]

        def flows(beyond: FlowProducer) -> FlowProducer:
            return HarnessFlowProducer(*harnesses, beyond=beyond) if harnesses else beyond

        isolation = Isolation(self._servers, self._providers, flows, runs_schedule=self._runs_schedule)
        substitutes = Substitutes(self._providers, self._modules, isolation.adapt)
        container = assemble(self._spec, substitutes)
        graph = graph_of(container)
        isolation.look(graph)
        _refuse_unused(substitutes, graph, [get_queue_token(harness.queue_name) for harness in harnesses])
        for problem in isolation.unused():
            raise problem
        if harnesses:
            _mock_missing(graph, _flows_for_nobody(harnesses))
        if self._mocker is not None:
            _mock_missing(graph, self._mocker)
        module = TestingModule(container, HarnessGroup(*harnesses))
        try:
            await container.build_async()
            module.attach_harnesses()
        except BaseException:
            await module.close()
            raise
        return module

    def _is_used(self, harness: QueueHarness[Any]) -> bool:
        """Whether nothing else was put in the place of its queue afterwards."""
        return self._providers[get_queue_token(harness.queue_name)].recipe == UseValue(harness.queue)

    def _override_provider(self, binding: Binding) -> "TestingModuleBuilder":
        self._providers[binding.token] = binding
        return self

    def _override_module(self, module: type[Any] | ModuleContainer, other: Any) -> "TestingModuleBuilder":
        key = node_of(module).spec.identity if isinstance(module, ModuleContainer) else module
        self._modules[key] = other
        return self


class ProviderOverride(Generic[T]):
    """Chooses the replacement of a provider; call one method."""

    def __init__(self, builder: TestingModuleBuilder, token: Any) -> None:
        self._builder = builder
        self._token = token

    def use_value(self, value: T) -> TestingModuleBuilder:
        """Replace the provider by an object, such as a mock."""
        return self._use(provide(self._token, use_value=value))

    def use_class(self, cls: type[T]) -> TestingModuleBuilder:
        """Replace the provider by a class, built with its constructor's dependencies."""
        return self._use(provide(self._token, use_class=cls))

    def use_factory(
        self, factory: Callable[..., Made[T]], *, inject: Sequence[Any] | None = None
    ) -> TestingModuleBuilder:
        """Replace the provider by a factory; sync, async or a generator, as in `provide()`."""
        return self._use(provide(self._token, use_factory=factory, inject=inject))

    def _use(self, binding: Binding) -> TestingModuleBuilder:
        return self._builder._override_provider(binding)  # noqa: SLF001 - its other half


class ModuleOverride:
    """Chooses the replacement of a module."""

    def __init__(self, builder: TestingModuleBuilder, module: type[Any] | ModuleContainer) -> None:
        self._builder = builder
        self._module = module

    def use_module(self, module: Any) -> TestingModuleBuilder:
        """Replace the module by another; importers see its exports that they needed of the first."""
        return self._builder._override_module(self._module, module)  # noqa: SLF001 - its other half


def _refuse_unused(substitutes: Substitutes, graph: Graph, on_harnesses: Sequence[AnyToken]) -> None:
    """Raises UnknownOverrideError for the first override without effect.

    Queues on harnesses reach flow producers too, where there is one.
    """
    tokens = {token for node in graph.nodes for token in (*node.entries, *node.missing)}
    spared = on_harnesses if any(isinstance(token, FlowProducerToken) for token in tokens) else ()
    for node in graph.nodes:
        for entry in node.entries.values() if node.spec is substitutes.added else ():
            if entry.token not in spared and not graph.is_used(entry):
                known = [e.token for e in graph.entries() if e.node is not node]
                raise _unknown("override_provider", entry.token, "no module provides or needs it", known)
    for module in substitutes.unused_modules:
        wanted = module if isinstance(module, type) else getattr(module, "name", str(module))
        modules = [node.spec.cls or node.spec.name for node in graph.nodes if node is not graph.root]
        raise _unknown("override_module", wanted, "no module imports it", modules)


def _unknown(call: str, wanted: AnyToken, what: str, known: Sequence[AnyToken]) -> UnknownOverrideError:
    shown, near = distinguish_names(wanted, known)
    return UnknownOverrideError(call, shown, what, near, sorted({label(token) for token in known}))


def _flows_for_nobody(harnesses: Sequence[QueueHarness[Any]]) -> Mocker:
    """Makes the flow producer that modules ask for and none registers."""
    producer = HarnessFlowProducer(*harnesses)
    return lambda token: producer if isinstance(token, FlowProducerToken) else None


def _mock_missing(graph: Graph, mocker: Mocker) -> None:
    missing = {entry.token: entry for node in graph.nodes for entry in node.missing.values()}
    for token, entry in missing.items():
        mock = None if entry.is_overridden else mocker(token)
        if mock is not None:
            entry.provider.override(providers.Object(mock))
