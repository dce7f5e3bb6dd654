"""What looking costs: many queues, many jobs, large jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bullworks.board import board_app
from bullworks.bullmq import JobSpec, Queue
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.costs import CountingConnection, cost, fill
from tests.bullworks.board.pages.test_search import looked_at
from tests.bullworks.servers import RedisServer

pytestmark = pytest.mark.process

QUEUES = 500
# In each of three states: a million.
MANY_JOBS = 350_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of these tests' own: what measures one, and fills it with millions of ids, shares it with nobody."""
    with RedisServer(tmp_path_factory.mktemp("large")) as server:
        yield server


@pytest.fixture
async def connection(server: RedisServer) -> AsyncIterator[PipelinedConnection]:
    connection = PipelinedConnection(Endpoint.of(server.url))
    yield connection
    await connection.close()


async def test_five_hundred_queues_cost_some_commands_each(connection: PipelinedConnection, key_prefix: str) -> None:
    queues = [Queue[Any](f"queue {number}", connection=connection, prefix=key_prefix) for number in range(QUEUES)]
    for queue in queues:
        await queue.wait_until_ready()
    await queues[7].add_bulk([JobSpec("job", {"n": number}) for number in range(30)])
    board = BoardClient(board_app(queues=queues))
    answering = await cost(connection, board, "api/queues?activeQueue=queue%207")
    page = await cost(connection, board, "-/")
    answer = (await board.get("api/queues?activeQueue=queue%207")).json()["queues"]
    assert len(answer) == QUEUES
    assert len(answer[7]["jobs"]) == 10
    assert answering.commands < 30 * QUEUES
    assert page.commands < 40 * QUEUES


async def test_a_poll_is_one_write_for_all_queues(redis_url: str, key_prefix: str) -> None:
    """Many queues cost as many trips as one: what is asked of them leaves together."""
    connection = CountingConnection(Endpoint.of(redis_url))
    queues = [Queue[Any](f"q{number}", connection=connection, prefix=key_prefix) for number in range(50)]
    await asyncio.gather(*(queue.wait_until_ready() for queue in queues))
    writes, commands = {}, {}
    for count in (1, 50):
        board = BoardClient(board_app(queues=queues[:count]))
        await board.get("api/queues")
        connection.writes = connection.commands = 0
        await board.get("api/queues")
        writes[count], commands[count] = connection.writes, connection.commands
    await connection.close()
    assert writes[50] == writes[1] <= 2
    # One CLIENT LIST for all; of each queue its counts (one script), limits, schedulers and rate limit.
    assert commands == {1: 5, 50: 1 + 50 * 4}


@pytest.mark.timeout(60)
async def test_a_million_jobs_cost_a_poll_no_more_than_a_thousand(
    connection: PipelinedConnection, key_prefix: str
) -> None:
    costs = {}
    for name, jobs in (("few", 1_000), ("many", MANY_JOBS)):
        queue = Queue[Any](name, connection=connection, prefix=key_prefix)
        await queue.wait_until_ready()
        keys = await fill(queue, jobs)
        await queue.add_bulk([JobSpec("job", {"n": number}) for number in range(20)])
        board = BoardClient(board_app(queues=[queue]))
        for path in (
            "api/queues",
            f"api/queues?activeQueue={name}",
            f"api/queues?activeQueue={name}&status=waiting",
            "-/",
        ):
            costs[path.replace(name, "name"), name] = await cost(connection, board, path)
        assert (await board.get("api/queues")).json()["queues"][0]["counts"]["completed"] == jobs
        await connection.execute("UNLINK", *keys)
    for path in {path for path, _ in costs}:
        few, many = costs[path, "few"], costs[path, "many"]
        assert many.commands == few.commands, path
        assert many.sent_bytes <= few.sent_bytes * 1.2 + 500, path


@pytest.mark.timeout(60)
async def test_many_jobs_cost_a_search_no_more_than_some_thousands(
    connection: PipelinedConnection, key_prefix: str
) -> None:
    costs = {}
    for name, jobs in (("few", 6_000), ("many", 60_000)):
        queue = Queue[Any](name, connection=connection, prefix=key_prefix)
        await queue.wait_until_ready()
        keys = await fill(queue, jobs)
        await queue.add_bulk([JobSpec("job", {"n": number}) for number in range(20)])
        client = BoardClient(board_app(queues=[queue]))
        for path in ("-/search?q=needle", "-/search?q=7", "-/search?q=x&in=name&from=1000", "-/failures"):
            costs[path, name] = await cost(connection, client, path)
        page = (await client.get("-/search?q=needle&in=data")).text
        assert f"of {3 * jobs + 20:,} jobs" in looked_at(page)
        await connection.execute("UNLINK", *keys)
    for path in {path for path, _ in costs}:
        few, many = costs[path, "few"], costs[path, "many"]
        assert many.commands <= few.commands + 2, path
        assert many.sent_bytes <= few.sent_bytes * 1.2 + 500, path
