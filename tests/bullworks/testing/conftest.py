"""No test of this folder may open a socket, unless it says that it needs a server."""

import socket
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects fails the test, by name of what was connected to."""
    if request.node.get_closest_marker("usefixtures") is None and not {"redis_url", "bull_redis"} & set(
        request.fixturenames
    ):

        def refuse(*what: Any, **_: Any) -> None:
            raise AssertionError(f"a socket was opened, or a server started: {what}")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr("bullworks.redis.embedded.EmbeddedServer.attach", refuse)
