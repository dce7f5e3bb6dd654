"""What looking at a board costs, and queues that are large enough to tell."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from bullworks.bullmq import Queue
from bullworks.redis.pipelined import Argument, PipelinedConnection
from tests.bullworks.board.client import BoardClient

_FILL = """
for chunk = ARGV[1] / 1000, ARGV[2] / 1000 - 1 do
  local waiting, finished = {}, {}
  for i = 1, 1000 do
    local id = 'x' .. chunk * 1000 + i
    waiting[i] = id
    finished[2 * i - 1] = chunk * 1000 + i
    finished[2 * i] = id
  end
  redis.call('RPUSH', KEYS[1], unpack(waiting))
  redis.call('ZADD', KEYS[2], unpack(finished))
end
"""
# So that no script keeps the server from answering others for long, on a loaded machine neither.
_FILL_JOBS = 50_000


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


class Cost(NamedTuple):
    """Of one request.

    Attributes:
        commands: those within scripts included.
        sent_bytes: by Redis.
    """

    commands: int
    sent_bytes: int


async def fill(queue: Queue[Any], jobs: int) -> list[str]:
    """Give a queue ids of so many waiting, completed and failed jobs each; returns their keys."""
    waiting, completed, failed = (queue.keys.of(state) for state in ("wait", "completed", "failed"))
    for start in range(0, jobs, _FILL_JOBS):
        end = min(start + _FILL_JOBS, jobs)
        await queue.connection.execute("EVAL", _FILL, 2, waiting, completed, start, end)
    await queue.connection.execute("COPY", completed, failed)
    return [waiting, completed, failed]


async def cost(connection: PipelinedConnection, board: BoardClient, path: str) -> Cost:
    """What a request costs: the least of five times."""
    measured = []
    for _ in range(5):
        before = await _server_cost(connection)
        answer = await board.get(path)
        after = await _server_cost(connection)
        assert answer.status_code == 200
        measured.append(Cost(*(end - start for start, end in zip(before, after, strict=True))))
    return min(measured)


async def _server_cost(connection: PipelinedConnection) -> tuple[int, int]:
    lines: bytes = await connection.execute("INFO", "stats")
    found = dict(line.split(b":") for line in lines.splitlines() if b":" in line)
    return int(found[b"total_commands_processed"]), int(found[b"total_net_output_bytes"])
