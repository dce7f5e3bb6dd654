"""Fixtures every folder of tests may use: a real server, its URL, and keys of one's own on it."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.bullworks.servers import RedisServer, redis_binary, server_binary

# Whoever brings the whole service up listens somewhere that nobody else wants, and so do processes of his.
os.environ["HTTP_PORT"] = "0"

# Each run draws other examples; `--hypothesis-profile=thorough` draws many. A loaded machine breaks deadlines.
hypothesis.settings.register_profile("suite", max_examples=40, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=2_000, deadline=None)
hypothesis.settings.load_profile("suite")

pytest_plugins = ["tests.marks", "tests.parallel", "tests.whole_files"]


def pytest_report_header() -> str:
    """Say which server the tests run on, and why if it is not redis-server."""
    try:
        binary = server_binary()
    except LookupError as error:
        return f"redis: {error}"
    reason = "" if redis_binary() else " (no redis-server on PATH)"
    return f"redis: {binary}{reason}"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for the whole run: never stop it or flush it, tests that do so start their own."""
    try:
        binary = server_binary()
    except LookupError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    with RedisServer(tmp_path_factory.mktemp("redis"), binary=binary) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """URL of the shared server; keep to keys under `key_prefix`."""
    return redis_server.url


@pytest.fixture
def key_prefix() -> str:
    """A prefix no other test uses on the shared server."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("bullworks.redis.endpoint.Endpoint.open", refuse)
