"""The page of who works on what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bullworks.board import board_app
from bullworks.board.pages import workers as page_of_workers
from bullworks.board.security import Access
from bullworks.bullmq import Job, JobSpec, Queue, Worker
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.workers.presence import HeartbeatSender, WorkerRecord
from bullworks.workers.presence.keys import PresenceKeys
from bullworks.workers.presence.scripts import beat
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard, OpenQueue
from tests.bullworks.board.costs import CountingConnection
from tests.bullworks.compat.node import Node
from tests.bullworks.waiting import eventually

NASTY = "<img src=x onerror=alert(1)>"


@asynccontextmanager
async def busy(queue: Queue[Any], **options: Any) -> AsyncIterator[tuple[Worker, Job]]:
    """A worker that holds a job."""
    going, may_end = asyncio.Event(), asyncio.Event()

    async def wait(job: Job) -> None:
        del job
        going.set()
        await may_end.wait()

    worker = Worker(queue.name, wait, connection=queue.connection.endpoint, prefix=queue.keys.prefix, **options)
    async with worker:
        job = await queue.add("welcome", {})
        async with asyncio.timeout(10):
            await going.wait()
        try:
            yield worker, job
        finally:
            may_end.set()


async def test_a_worker_its_job_and_its_lock_are_shown(board: MakeBoard, queue: Queue[Any]) -> None:
    async with busy(queue, name="post", concurrency=2) as (worker, job):
        heartbeats = HeartbeatSender()
        heartbeats.follow(worker, queue)
        await heartbeats.beat()
        page = (await board().get("-/workers?queue=email")).text
        assert "1 of 2" in page
        assert 'data-state="works"' in page
        assert 'data-grip="held"' in page
        assert f"job?queue=email&amp;id={job.id}" in page
        assert "post (" in page
        assert "no heartbeat" not in page
        assert "not connected" not in page
        token = await queue.connection.execute("GET", queue.keys.of(f"{job.id}:lock"))
        assert token.decode() not in page


async def test_all_active_jobs_are_cancelled_where_that_is_allowed(board: MakeBoard, queue: Queue[Any]) -> None:
    async with busy(queue, name="post", concurrency=2) as (_, job):
        path = "-/api/queues/email/active/cancel"
        assert path in (await board().get("-/workers?queue=email")).text
        refused = board(policy=lambda access: access.action == "read")
        assert path not in (await refused.get("-/workers?queue=email")).text
        waiting = await queue.add("later", {}, delay=60_000)
        answer = (await board().change("PUT", path, {"reason": "a mistake"})).json()
        assert answer == {"done": 1, "of": 1, "message": "1 of 1 cancelled"}
        await eventually(job.is_failed)
        assert await waiting.is_delayed()
    await job.refresh()
    assert job.failed_reason == "cancelled: a mistake"


async def test_a_stalled_job_comes_first_and_stands_out(board: MakeBoard, queue: Queue[Any]) -> None:
    async with busy(queue, name="post") as (_, job):
        page = (await board().get("-/workers")).text
        assert 'data-grip="held"' in page
        await queue.connection.execute("PEXPIRE", queue.keys.of(f"{job.id}:lock"), 2_000)
        await queue.connection.execute("SADD", queue.keys.of("stalled"), job.id)
        page = (await board().get("-/workers")).text
        assert 'data-grip="runs out"' in page
        assert "not renewed since the last refresh" in page
        await queue.connection.execute("DEL", queue.keys.of(f"{job.id}:lock"))
        page = (await board().get("-/workers")).text
        assert 'data-grip="stalled"' in page


async def test_a_worker_of_node_has_a_connection_and_no_heartbeat(
    board: MakeBoard, queue: Queue[Any], redis_url: str
) -> None:
    connection = PipelinedConnection(Endpoint.of(redis_url))
    await connection.connect()
    await connection.execute("CLIENT", "SETNAME", queue.keys.client_name("from-node"))
    await queue.connection.execute(
        "HSET", queue.keys.of("7"), "name", "x", "timestamp", 1, "pb", "from-node", "processedOn", 1_700_000_000_000
    )
    await queue.connection.execute("LPUSH", queue.keys.of("active"), "7")
    await queue.connection.execute("SET", queue.keys.of("7:lock"), "0f-0f:1", "PX", 30_000)
    page = (await board().get("-/workers?queue=email")).text
    await connection.close()
    assert 'data-state="no heartbeat"' in page
    assert page.count("from-node") == 2  # the worker, and who holds the job
    assert "2023-11-14 22:13:20Z" in page


async def test_a_real_worker_of_node_is_shown_beside_ours(
    board: MakeBoard, queue: Queue[Any], redis_url: str, key_prefix: str, node: Node
) -> None:
    question = {"url": redis_url, "prefix": key_prefix, "queue": "email"}
    client = board()
    async with busy(queue, name="ours") as (worker, _), node.serve("worker.mjs", question):
        heartbeats = HeartbeatSender()
        heartbeats.follow(worker, queue)
        await heartbeats.beat()

        async def are_shown() -> bool:
            page = (await client.get("-/workers")).text
            return "node-worker" in page and "ours" in page

        await eventually(are_shown)
        page = (await client.get("-/workers")).text
    assert page.count('data-state="no heartbeat"') == 1
    assert page.count('data-state="works"') == 1


async def test_a_worker_whose_connection_is_gone_is_told_apart(
    board: MakeBoard, queue: Queue[Any], key_prefix: str
) -> None:
    await beat(queue.connection, PresenceKeys(key_prefix, "email"), [WorkerRecord(id="0123456789", host="far", pid=7)])
    page = (await board().get("-/workers")).text
    assert 'data-state="not connected"' in page
    assert "far, pid 7" in page


async def test_hostile_names_are_shown_as_text(board: MakeBoard, open_queue: OpenQueue, key_prefix: str) -> None:
    queue = open_queue(NASTY)
    record = WorkerRecord(id=NASTY, name=NASTY, host=NASTY, version=NASTY, python=NASTY)
    await beat(queue.connection, PresenceKeys(key_prefix, NASTY), [record])
    await queue.connection.execute("LPUSH", queue.keys.of("active"), NASTY)
    await queue.connection.execute("HSET", queue.keys.of(NASTY), "name", NASTY, "pb", NASTY)
    page = (await board(queue).get("-/workers")).text
    assert "<img" not in page
    assert page.count("&lt;img src=x") > 7
    lost = await board(queue).get("-/workers", params={"queue": "<img>"})
    assert lost.status_code == 404
    assert "<img" not in lost.text


async def test_a_queue_that_one_may_not_see_is_not_there(board: MakeBoard, open_queue: OpenQueue) -> None:
    def may(access: Access) -> bool:
        return access.queue != "secret"

    client = board(open_queue("email"), open_queue("secret"), policy=may)
    assert "secret" not in (await client.get("-/workers")).text
    assert (await client.get("-/workers?queue=secret")).status_code == 404


async def test_an_unreadable_job_or_queue_spoils_nothing_else(
    board: MakeBoard, open_queue: OpenQueue, queue: Queue[Any]
) -> None:
    broken = open_queue("broken")
    await broken.connection.execute("SET", broken.keys.of("active"), "no list")
    await queue.connection.execute("SET", queue.keys.of("bad"), "no hash")
    await queue.connection.execute("LPUSH", queue.keys.of("active"), "bad", "gone")
    page = await board(queue, broken).get("-/workers")
    assert page.status_code == 200
    assert "broken cannot be read: " in page.text
    assert "cannot be read: Redis answered: WRONGTYPE" in page.text
    assert page.text.count('data-grip="') == 2


async def test_it_takes_as_many_trips_for_many_jobs_as_for_one(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_workers, "MOST_JOBS", 30)
    connection = CountingConnection(Endpoint.of(redis_url))
    writes = {}
    for name, count in (("one", 1), ("many", 50)):
        queue = Queue[Any](name, connection=connection, prefix=key_prefix)
        await queue.add_bulk([JobSpec("x", {})] * count)
        for _ in range(count):
            await connection.execute("LMOVE", queue.keys.of("wait"), queue.keys.of("active"), "RIGHT", "LEFT")
        client = BoardClient(board_app(queues=[queue]))
        await client.get(f"-/workers?queue={name}")
        spent = []
        for _ in range(5):  # what comes back in two reads is asked on in two writes
            connection.writes = 0
            page = (await client.get(f"-/workers?queue={name}")).text
            spent.append(connection.writes)
        writes[name] = min(spent)
        assert page.count('data-grip="stalled"') == min(count, 30)
    await connection.close()
    assert "30 of 50 active jobs are shown" in page
    assert writes["many"] == writes["one"] <= 5


async def test_who_is_connected_is_not_told_where_the_board_hides_workers(board: MakeBoard, queue: Queue[Any]) -> None:
    async with busy(queue, name="post"):
        await eventually(queue.get_active_count)
        page = (await board(show_workers=False).get("-/workers")).text
        assert "process</th>" not in page
