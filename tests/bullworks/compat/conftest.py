"""Fixtures for tests against the real npm bullmq."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.bullworks.compat.comparison import Comparison
from tests.bullworks.compat.line_process import LineProcess
from tests.bullworks.compat.node import Node, NodeMissingError
from tests.bullworks.compat.node_player import NodePlayer
from tests.bullworks.servers import RedisServer, server_binary


def pytest_report_header() -> str:
    """Say whether the tests against Node will run."""
    try:
        return f"node: {Node.find().version()}"
    except NodeMissingError as error:
        return f"node: {error}"


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with npm bullmq; skips where there is none, fails in CI."""
    try:
        return Node.find()
    except NodeMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def node_player(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodePlayer]:
    """One Node process that plays scenarios."""
    process = LineProcess(node, "player.mjs", tmp_path_factory.mktemp("node") / "player.log")
    yield NodePlayer(process)
    process.close()


@pytest.fixture(scope="session")
def comparison(
    node_player: NodePlayer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Comparison]:
    """Both sides on a server that they may empty; the shared one is requested, so that its absence skips."""
    with RedisServer(tmp_path_factory.mktemp("compat-redis"), binary=server_binary()) as server:
        databases = [server.url.removesuffix("/0") + f"/{number}" for number in (0, 1)]
        yield Comparison(node_player, *databases)
