"""What looking costs: many queues, many jobs, large jobs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.board import board_app
from bullworks.bullmq import JobSpec, Queue
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import Argument, PipelinedConnection
from tests.bullworks.board.client import BoardClient

QUEUES = 500
MANY_JOBS = 1_000_000
LONGEST_S = 0.3

FILL = """
for state = 1, 3 do
  for chunk = 0, ARGV[1] / 1000 - 1 do
    local ids = {}
    for i = 1, 1000 do
      local id = 'x' .. chunk * 1000 + i
      if state == 1 then ids[i] = id else ids[2 * i - 1] = chunk * 1000 + i; ids[2 * i] = id end
    end
    redis.call(state == 1 and 'RPUSH' or 'ZADD', KEYS[state], unpack(ids))
  end
end
"""


class CountingConnection(PipelinedConnection):
    """Counts what leaves."""

    writes = 0
    commands = 0

    def send(self, *command: Argument) -> asyncio.Future[Any]:
        self.commands += 1
        return super().send(*command)

    def flush(self) -> None:
        self.writes += 1
        super().flush()


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[PipelinedConnection]:
    connection = PipelinedConnection(Endpoint.of(redis_url))
    yield connection
    await connection.close()


async def spent(connection: PipelinedConnection, board: BoardClient, path: str) -> tuple[float, int, int]:
    """Seconds, commands that clients sent, bytes that Redis sent: the least of five times."""
    measured = []
    for _ in range(5):
        before = await _stats(connection)
        began = time.perf_counter()
        answer = await board.get(path)
        seconds = time.perf_counter() - began
        after = await _stats(connection)
        assert answer.status_code == 200
        measured.append((seconds, after[0] - before[0], after[1] - before[1]))
    return min(measured)


async def _stats(connection: PipelinedConnection) -> tuple[int, int]:
    lines: bytes = await connection.execute("INFO", "stats")
    stats = dict(line.split(b":") for line in lines.splitlines() if b":" in line)
    return int(stats[b"total_commands_processed"]), int(stats[b"total_net_output_bytes"])


async def test_five_hundred_queues_are_listed_in_time(connection: PipelinedConnection, key_prefix: str) -> None:
    queues = [Queue[Any](f"queue {number}", connection=connection, prefix=key_prefix) for number in range(QUEUES)]
    for queue in queues:
        await queue.wait_until_ready()
    await queues[7].add_bulk([JobSpec("job", {"n": number}) for number in range(30)])
    board = BoardClient(board_app(queues=queues))
    seconds, commands, _ = await spent(connection, board, "api/queues?activeQueue=queue%207")
    page, _, _ = await spent(connection, board, "-/")
    answer = (await board.get("api/queues?activeQueue=queue%207")).json()["queues"]
    assert len(answer) == QUEUES
    assert len(answer[7]["jobs"]) == 10
    assert seconds < LONGEST_S
    assert page < LONGEST_S
    assert commands < 30 * QUEUES  # those within scripts included


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
        keys = [queue.keys.of(state) for state in ("wait", "completed", "failed")]
        await connection.execute("EVAL", FILL, 3, *keys, jobs)
        await queue.add_bulk([JobSpec("job", {"n": number}) for number in range(20)])
        board = BoardClient(board_app(queues=[queue]))
        for path in (
            "api/queues",
            f"api/queues?activeQueue={name}",
            f"api/queues?activeQueue={name}&status=waiting",
            "-/",
        ):
            costs[path.replace(name, "name"), name] = await spent(connection, board, path)
        assert (await board.get("api/queues")).json()["queues"][0]["counts"]["completed"] == jobs
        await connection.execute("UNLINK", *keys)
    for path in {path for path, _ in costs}:
        few, many = costs[path, "few"], costs[path, "many"]
        assert many[1] == few[1], path
        assert many[2] <= few[2] * 1.2 + 500, path
        assert many[0] <= few[0] * 3 + 0.02, path
