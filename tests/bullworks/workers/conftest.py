"""Applications of BullModule on the real server, under a key prefix of the test's own."""

from collections.abc import Callable
from typing import Any

import pytest

from bullworks.bullmq import Queue
from bullworks.core import Application, ModuleContainer, create_application
from bullworks.workers import BullModule, get_queue_token

Workers = Callable[..., ModuleContainer]


@pytest.fixture
def workers(redis_url: str, key_prefix: str) -> Workers:
    """`BullModule.for_root` on the test's server and prefix."""

    def for_root(*providers: Any, **options: Any) -> ModuleContainer:
        given = {"connection": redis_url, "prefix": key_prefix, "queues": ("email",), **options}
        return BullModule.for_root(providers=providers, **given)

    return for_root


@pytest.fixture
def run(workers: Workers) -> Callable[..., Application]:
    """An application of these providers, not started yet."""
    return lambda *providers, **options: create_application(workers(*providers, **options))


def queue_of(app: Application, name: str = "email") -> Queue[Any]:
    return app.get(get_queue_token(name))
