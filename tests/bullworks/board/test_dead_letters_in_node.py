"""The unmodified Bull Board shows a dead-letter queue as any other."""

from __future__ import annotations

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.board.node_board import NodeBoard
from tests.bullworks.compat.node import Node
from tests.bullworks.waiting import eventually


async def test_bull_board_shows_the_letters_with_where_they_come_from(
    node: Node, redis_url: str, key_prefix: str
) -> None:
    async def fail(_: Job) -> None:
        raise ValueError("no such address")

    NodeBoard.check()
    async with (
        Queue("email", connection=redis_url, prefix=key_prefix) as queue,
        Queue("email-dead", connection=redis_url, prefix=key_prefix) as dead,
        Worker("email", fail, connection=redis_url, prefix=key_prefix, dead_letter=True),
    ):
        job = await queue.add("welcome", {"to": "a@b"})

        async def has_moved() -> bool:
            return (await dead.get_job_counts("waiting"))["waiting"] == 1

        await eventually(has_moved)
        async with NodeBoard.served(node, redis_url, ["email", "email-dead"], prefix=key_prefix) as board:
            found = (await board.get("api/queues?activeQueue=email-dead&status=latest&page=1")).json()
    (shown,) = [each for each in found["queues"] if each["name"] == "email-dead"]
    assert shown["counts"]["waiting"] == 1
    (letter,) = shown["jobs"]
    assert (letter["name"], letter["data"]["queue"], letter["data"]["id"]) == ("welcome", "email", job.id)
    assert (letter["data"]["reason"], letter["data"]["data"]) == ("no such address", {"to": "a@b"})
