"""What `BullModule.for_root()` is made of: a connection that queues share, and what runs workers."""

from collections.abc import Hashable, Sequence
from typing import Any, NoReturn

from bullworks.bullmq import InvalidOptionError
from bullworks.core import Discovery, ModuleContainer, ModuleRef, Scope, dynamic_module, provide
from bullworks.locks import DistributedLockService
from bullworks.schedule import ScheduleModule
from bullworks.schedule.host_context import HOST_CONTEXT
from bullworks.workers.connection import keep_locks, reach, share
from bullworks.workers.enhancers.adding import AddSide
from bullworks.workers.errors import NoJobError
from bullworks.workers.explorer import Explorer, check
from bullworks.workers.fleet import WorkerFleet
from bullworks.workers.queues import queue_module
from bullworks.workers.registrar import WorkersRegistrar
from bullworks.workers.scheduling import host_context
from bullworks.workers.tokens import ADD_SIDE, JOB, ConnectionTokens


def root_module(
    cls: type[Any],
    tokens: ConnectionTokens,
    setup: Sequence[Any],
    *,
    queues: Sequence[str],
    providers: Sequence[Any],
    imports: Sequence[Any],
    key: Hashable = None,
) -> ModuleContainer:
    """Create the global module of one connection.

    Args:
        setup: providers of the token of the connection's setup, and of what that needs.
        queues, providers, imports: what the caller of `for_root()` adds.
        key: roots of one key are one.
    """
    if isinstance(queues, str):
        raise InvalidOptionError("queues", f"takes several names, as in queues=({queues!r},)")
    modules = [queue_module(name, config_key=tokens.setup.config_key) for name in queues]
    # lazy: with every queue replaced, as in a test, nothing is reached
    connection = [
        *setup,
        provide(tokens.endpoint, use_factory=reach, inject=[tokens.setup], lazy=True),
        provide(tokens.connection, use_factory=share, inject=[tokens.endpoint], lazy=True),
    ]
    is_further = tokens.setup.config_key is not None
    return dynamic_module(
        cls,
        imports=[*modules, *imports, *([] if is_further else [ScheduleModule.for_root()])],
        providers=[*connection, *([] if is_further else _running(tokens)), *providers],
        exports=[tokens.setup, tokens.connection, *([] if is_further else _EXPORTS), *modules],
        is_global=True,
        key=key,
        checks=() if is_further else [check],
    )


_EXPORTS = (ADD_SIDE, DistributedLockService, JOB, WorkerFleet, WorkersRegistrar)


def _running(tokens: ConnectionTokens) -> list[Any]:
    """What an application has once, however many connections there are."""
    return [
        provide(DistributedLockService, use_factory=keep_locks, inject=[tokens.connection], lazy=True),
        provide(JOB, use_factory=_no_job, scope=Scope.REQUEST),
        provide(HOST_CONTEXT, use_factory=host_context, inject=[tokens.setup, ModuleRef, Discovery]),
        provide(ADD_SIDE, use_factory=_add_side, inject=[Discovery, ModuleRef]),
        WorkerFleet,
        WorkersRegistrar,
    ]


def _add_side(discovery: Discovery, modules: ModuleRef) -> AddSide:
    return AddSide(lambda: Explorer.explore(discovery).add_places(), modules)


def _no_job() -> NoReturn:
    raise NoJobError
