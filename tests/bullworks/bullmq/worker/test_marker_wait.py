"""Ending a wait on the marker, however early or late that is asked for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq.scripts.processing import FetchTerms
from bullworks.bullmq.scripts.worker import WorkerScripts
from bullworks.bullmq.worker.marker_wait import MarkerWait
from bullworks.redis.errors import ConnectionLostError
from bullworks.redis.pipelined import PipelinedConnection
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import BUSY_S, eventually


class Waiting:
    """A wait of 10 s at most, over connections of its own."""

    def __init__(self, bench: Bench) -> None:
        self.commands = PipelinedConnection(bench.queue.connection.endpoint)
        name = bench.queue.keys.client_name(None)
        self.blocking = PipelinedConnection(bench.queue.connection.endpoint, client_name=name)
        scripts = WorkerScripts(self.commands, self.blocking, bench.queue.keys, FetchTerms())
        self.wait = MarkerWait(scripts, self.blocking, self.commands, longest_block_ms=10_000)

    def begin(self) -> "asyncio.Task[Any]":
        return asyncio.create_task(self.wait.until_marked(None))


@pytest.fixture
async def waiting(bench: Bench) -> AsyncIterator[Waiting]:
    waiting = Waiting(bench)
    yield waiting
    await asyncio.gather(waiting.commands.close(), waiting.blocking.close())


@pytest.mark.parametrize("turns", range(1, 9))
async def test_a_wait_ends_however_early_that_is_asked_for(waiting: Waiting, turns: int):
    """CLIENT UNBLOCK may reach Redis before the command that it is to end."""
    fetching = waiting.begin()
    for _ in range(turns):
        await asyncio.sleep(0)
    await waiting.wait.interrupt(timeout_s=5)
    assert await asyncio.wait_for(fetching, BUSY_S) is None
    assert waiting.blocking.is_connected


async def test_what_came_with_the_end_of_a_wait_is_returned(bench: Bench, waiting: Waiting):
    fetching = waiting.begin()
    adding = asyncio.create_task(bench.queue.add("n"))
    await waiting.wait.interrupt(timeout_s=5)
    await adding
    marker = await asyncio.wait_for(fetching, BUSY_S)
    assert await bench.command("EXISTS", bench.key("marker")) == (0 if marker else 1)
    assert await bench.ids("active") == []


async def test_a_marker_that_was_taken_for_nothing_is_given_back(bench: Bench, waiting: Waiting):
    fetching = waiting.begin()
    await bench.queue.add("n")
    marker = await asyncio.wait_for(fetching, 5)
    assert await bench.command("EXISTS", bench.key("marker")) == 0
    await waiting.wait.give_back(marker)
    assert await bench.command("ZRANGE", bench.key("marker"), 0, -1, "WITHSCORES") == [b"0", b"0"]


async def test_a_wait_that_is_cancelled_takes_its_connection_with_it(bench: Bench, waiting: Waiting):
    """Redis would give the next marker to a connection that nobody reads."""
    fetching = waiting.begin()
    await bench.blocked_in_redis()
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)

    async def is_gone() -> bool:
        return b"bzpopmin" not in await bench.command("CLIENT", "LIST")

    await eventually(is_gone)
    await bench.queue.add("n")
    assert await asyncio.wait_for(waiting.begin(), 5) is not None


async def test_with_no_wait_under_way_there_is_nothing_to_end(waiting: Waiting):
    await waiting.wait.interrupt(timeout_s=5)
    assert not waiting.blocking.is_connected


async def test_a_wait_that_cannot_be_ended_in_time_is_dropped(bench: Bench, waiting: Waiting):
    fetching = waiting.begin()
    await bench.blocked_in_redis()
    await waiting.commands.close()  # nobody is left to send CLIENT UNBLOCK
    await waiting.wait.interrupt(timeout_s=0.1)
    with pytest.raises(ConnectionLostError):
        await asyncio.wait_for(fetching, BUSY_S)
