"""A schedule without an application, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bullworks.core import Application, create_application, dynamic_module
from bullworks.schedule import ScheduleModule, SchedulerRegistry
from tests.bullworks.schedule.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def registry(clock: FakeClock) -> AsyncIterator[SchedulerRegistry]:
    """An open one."""
    registry = SchedulerRegistry(clock)
    registry.open()
    yield registry
    await registry.close(1)


@pytest.fixture
def application() -> Callable[..., Application]:
    """An application of these providers, not started yet."""

    class Root: ...

    def create(*providers: Any, **options: Any) -> Application:
        imports = [ScheduleModule.for_root(**options)]
        return create_application(dynamic_module(Root, imports=imports, providers=providers))

    return create
