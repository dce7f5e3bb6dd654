"""What BullModule gives the schedule: which workers' crons run here, the shared connection, the settings."""

from typing import Any

from bullworks.core import Discovery, ModuleRef
from bullworks.redis import PipelinedConnection
from bullworks.schedule.host_context import HostContext
from bullworks.workers.options import WorkersSetup
from bullworks.workers.processor import worker_name_of
from bullworks.workers.tokens import CONNECTION


def host_context(setup: WorkersSetup, modules: ModuleRef, discovery: Discovery) -> HostContext:
    """Build the HostContext of an application with workers."""

    def is_selected(cls: type[Any]) -> bool:
        return setup.selection.is_selected(worker_name_of(cls))

    async def connect() -> PipelinedConnection:
        return await modules.resolve(CONNECTION)

    def uses_redis() -> bool:
        return any(provider.token == CONNECTION and provider.is_built for provider in discovery.providers())

    return HostContext(
        is_selected=is_selected,
        connect=connect,
        uses_redis=uses_redis,
        shutdown_grace_ms=setup.shutdown_grace_ms,
        runs=setup.schedule_runs,
    )
