"""Applications of WorkersModule on the real server, under a key prefix of the test's own."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from app.bullmq import Queue
from app.core import Application, ModuleContainer, create_application
from app.workers import WorkersModule, get_queue_token

Workers = Callable[..., ModuleContainer]


@pytest.fixture
def workers(redis_url: str, key_prefix: str) -> Workers:
    """`WorkersModule.for_root` on the test's server and prefix."""

    def for_root(*providers: Any, **options: Any) -> ModuleContainer:
        given = {"connection": redis_url, "prefix": key_prefix, "queues": ("email",), **options}
        return WorkersModule.for_root(providers=providers, **given)

    return for_root


@pytest.fixture
def run(workers: Workers) -> Callable[..., Application]:
    """An application of these providers, not started yet."""
    return lambda *providers, **options: create_application(workers(*providers, **options))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("app.redis.endpoint.Endpoint.open", refuse)


def queue_of(app: Application, name: str = "email") -> Queue[Any]:
    return app.get(get_queue_token(name))
