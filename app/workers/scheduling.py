"""What WorkersModule gives the schedule: which workers' crons run here, the shared connection, the settings."""

from typing import Any

from app.core import Discovery, ModuleRef
from app.redis.pipelined import PipelinedConnection
from app.schedule.surroundings import Surroundings, SurroundingsToken
from app.settings import Settings
from app.workers.options import WorkersSetup
from app.workers.processor import worker_name_of
from app.workers.tokens import CONNECTION

SURROUNDINGS = SurroundingsToken(Settings.load)


def surroundings(setup: WorkersSetup, modules: ModuleRef, discovery: Discovery) -> Surroundings:
    """What is around the schedule of an application with workers."""

    def is_selected(cls: type[Any]) -> bool:
        return setup.selection.is_selected(worker_name_of(cls))

    async def connect() -> PipelinedConnection:
        return await modules.resolve(CONNECTION)

    def uses_redis() -> bool:
        return any(provider.token == CONNECTION and provider.is_built for provider in discovery.providers())

    return Surroundings(
        is_selected=is_selected,
        connect=connect,
        uses_redis=uses_redis,
        shutdown_grace_ms=setup.shutdown_grace_ms,
        runs=setup.schedule_runs,
    )
