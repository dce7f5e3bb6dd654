"""Boards over queues on the real server, under a key prefix of the test's own, and the real Bull Board."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from bullworks.board import board_app
from bullworks.board.ui import BoardUi, fetch
from bullworks.bullmq import Queue
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.node_board import NodeBoard
from tests.bullworks.compat.node import Node, NodeMissingError
from tests.bullworks.servers import RedisServer, server_binary

OpenQueue = Callable[[str], Queue[Any]]
MakeBoard = Callable[..., BoardClient]


@pytest.fixture
async def open_queue(redis_url: str, key_prefix: str) -> AsyncIterator[OpenQueue]:
    """Opens queues of the test; closed afterwards."""
    opened: dict[str, Queue[Any]] = {}

    def open_one(name: str) -> Queue[Any]:
        if name not in opened:
            opened[name] = Queue(name, connection=redis_url, prefix=key_prefix)
        return opened[name]

    yield open_one
    for queue in opened.values():
        await queue.close()


@pytest.fixture
def queue(open_queue: OpenQueue) -> Queue[Any]:
    """A queue called `email`."""
    return open_queue("email")


@pytest.fixture
def board(queue: Queue[Any]) -> MakeBoard:
    """A board, of the queue `email` unless others are given."""

    def make(*queues: Any, **options: Any) -> BoardClient:
        return BoardClient(board_app(queues=queues or (queue,), **options))

    return make


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with npm's Bull Board; skips where there is none, fails in CI."""
    try:
        found = Node.find()
        NodeBoard.check()
    except NodeMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    return found


@pytest.fixture(scope="session")
def emptied_redis(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that these tests may empty; the shared one is requested, so that its absence skips."""
    with RedisServer(tmp_path_factory.mktemp("board-redis"), binary=server_binary()) as server:
        yield server


@pytest.fixture(scope="session")
def page() -> BoardUi:
    """Bull Board's page, fetched if need be; skips where it cannot be had, fails in CI."""
    try:
        fetch.fetch()
    except fetch.UiFetchError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    loaded = BoardUi.load()
    assert loaded is not None
    return loaded
