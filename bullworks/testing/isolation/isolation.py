"""Isolation: what becomes of the providers of modules when they are put into a testing module."""

import functools
from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any

from bullworks.bullmq import FlowProducer
from bullworks.core import AnyToken, Binding, Discovery, Shutdown, Token
from bullworks.core.graph import Graph
from bullworks.core.provide import UseClass, UseFactory
from bullworks.limits import Window
from bullworks.redis import Endpoint, PipelinedConnection, connection_to
from bullworks.schedule import SchedulerRegistry
from bullworks.schedule.scheduler import Scheduler
from bullworks.testing.errors import UnknownOverrideError
from bullworks.testing.isolation.idle_scheduler import IdleScheduler
from bullworks.testing.isolation.unnamed_server import UnnamedConnection, UnnamedServer
from bullworks.testing.isolation.users import ConnectionUsers
from bullworks.testing.memory.limits import MemoryLimit
from bullworks.testing.memory.locks import MemoryLocks
from bullworks.workers import CONNECTION
from bullworks.workers.connection import keep_locks
from bullworks.workers.options import RootOptions, WorkersSetup
from bullworks.workers.tokens import ConnectionTokens, FlowProducerToken, LimitToken, SetupToken


@dataclass(frozen=True, slots=True)
class NamedServer:
    """The server that a test named.

    Args:
        prefix: of the queues there; None means the prefix that the modules set.
    """

    endpoint: Endpoint
    prefix: str | None

    def instead_of(self, setup: WorkersSetup) -> WorkersSetup:
        """Build the endpoint that replaces the one of a `for_root()`."""
        return replace(setup, server=self.endpoint, prefix=self.prefix or setup.prefix)


class Isolation:
    """Prevents connections to servers that the test did not name, and anything that runs by the clock.

    A server is named by `use_redis`, by `BullModule.for_root(connection=...)`, or by an override of what provides the
    setup, the endpoint or the connection; not by settings, nor by what `for_root_async` asks a function for.

    Args:
        servers: those that the test named, by config_key.
        overridden: the tokens that it overrides.
        flows: makes of a flow producer the one that is used.
        runs_schedule: what is due runs by the clock.
    """

    def __init__(
        self,
        servers: Mapping[str | None, NamedServer],
        overridden: Container[AnyToken],
        flows: Callable[[FlowProducer], FlowProducer],
        *,
        runs_schedule: bool,
    ) -> None:
        self._servers = servers
        self._overridden = overridden
        self._flows = flows
        self._runs_schedule = runs_schedule
        self._unnamed: dict[Token[PipelinedConnection], ConnectionUsers] = {}
        self._roots: set[str | None] = set()

    def unused(self) -> Iterator[UnknownOverrideError]:
        """List problems with servers named for a `for_root()` that no module imports."""
        known = sorted(map(_describe_root, self._roots))
        for key in self._servers:
            if key not in self._roots:
                yield UnknownOverrideError(
                    "use_redis", _argument(key), f"no module imports {_describe_root(key)}", None, known
                )

    def adapt(self, given: Binding) -> Binding:
        """Replace a module's binding by its isolated version."""
        recipe = given.recipe
        if recipe == UseClass(Scheduler):
            return replace(given, recipe=UseFactory(self._scheduler, (SchedulerRegistry, Discovery, Shutdown)))
        return self._adapt_factory(given, recipe) if isinstance(recipe, UseFactory) else given

    def look(self, graph: Graph) -> None:
        """Find the providers that might connect, for error messages."""
        for connection, users in self._unnamed.items():
            users.look(graph, connection)

    def _adapt_factory(self, given: Binding, recipe: UseFactory) -> Binding:
        token = given.token
        if isinstance(token, SetupToken):
            return self._setup(given, recipe, token)
        if isinstance(token, FlowProducerToken):
            return _then(given, recipe, self._flows)
        if token in self._unnamed:
            return replace(given, recipe=replace(recipe, function=_share))
        if not self._unnamed.keys().isdisjoint(recipe.inject or ()):
            if recipe.function is keep_locks:
                return replace(given, recipe=UseFactory(_keep_locks, ()))
            if isinstance(token, LimitToken) and isinstance(recipe.function, functools.partial):
                return replace(given, recipe=UseFactory(functools.partial(_keep_limit, *recipe.function.args), ()))
        return given

    def _setup(self, given: Binding, recipe: UseFactory, token: SetupToken) -> Binding:
        key, options, tokens = token.config_key, _options_of(recipe), ConnectionTokens.of(token.config_key)
        self._roots.add(key)
        if key in self._servers:
            return _then(given, recipe, self._servers[key].instead_of)
        if tokens.endpoint in self._overridden or tokens.connection in self._overridden:
            return given
        if options is not None and options.connection is not None:
            return given
        users = self._unnamed[tokens.connection] = ConnectionUsers()
        said_by = "from the settings, QUEUE_REDIS_URL" if options is not None else "from BullModule.for_root_async()"

        def without_server(setup: WorkersSetup) -> WorkersSetup:
            return replace(setup, server=UnnamedServer.instead_of(setup.server, said_by, users))

        return _then(given, recipe, without_server)

    def _scheduler(self, registry: SchedulerRegistry, discovery: Discovery, shutdown: Shutdown) -> Scheduler:
        is_alone = CONNECTION in self._unnamed
        return IdleScheduler(registry, discovery, shutdown, runs=self._runs_schedule, is_alone=is_alone)


def _options_of(recipe: UseFactory) -> RootOptions | None:
    """The options that a `for_root()` was given, which its factory is bound to; None for a `for_root_async()`."""
    bound = recipe.function.args if isinstance(recipe.function, functools.partial) else ()
    return next((each for each in bound if isinstance(each, RootOptions)), None)


def _argument(config_key: str | None) -> str:
    return "" if config_key is None else f"config_key={config_key!r}"


def _describe_root(config_key: str | None) -> str:
    return f"BullModule.for_root({_argument(config_key)})"


async def _share(endpoint: Endpoint) -> AsyncIterator[PipelinedConnection]:
    # an override on the compiled container may have named a server after all
    connection = UnnamedConnection(endpoint) if isinstance(endpoint, UnnamedServer) else connection_to(endpoint)
    yield connection
    await connection.close()


async def _keep_locks() -> AsyncIterator[MemoryLocks]:
    locks = MemoryLocks()
    yield locks
    await locks.close()


def _keep_limit(name: str, windows: tuple[Window, ...]) -> MemoryLimit:
    return MemoryLimit(name, *windows)


def _then(given: Binding, recipe: UseFactory, change: Callable[[Any], Any]) -> Binding:
    """The same factory with what it makes changed; one that makes things in another way is left as it is."""
    make = recipe.function
    if isgeneratorfunction(make) or isasyncgenfunction(make):
        return given

    @functools.wraps(make)
    def then(*args: Any, **kwargs: Any) -> Any:
        return change(make(*args, **kwargs))

    @functools.wraps(make)
    async def then_async(*args: Any, **kwargs: Any) -> Any:
        return change(await make(*args, **kwargs))

    return replace(given, recipe=replace(recipe, function=then_async if iscoroutinefunction(make) else then))
