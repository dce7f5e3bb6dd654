"""What our board answers is what the real Bull Board answers, over the same Redis."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from bullworks.board import board_app
from bullworks.board.api.checks import STATUSES
from bullworks.board.api.routes import ROUTES
from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.board.busy_queues import NAMES, fill
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.differences import differences
from tests.bullworks.board.node_board import NodeBoard
from tests.bullworks.compat.dump import clear
from tests.bullworks.compat.node import Node
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

ODD_ID = quote("my id a/b%2F", safe="")
LISTS = [
    "queues",
    "queues?activeQueue=busy",
    *(
        f"queues?activeQueue=busy&status={status}"
        for status in STATUSES
    ),
    "queues?activeQueue=busy&status=waiting&page=2&jobsPerPage=6",
    "queues?activeQueue=busy&status=waiting&page=9",
    "queues?activeQueue=busy&status=&page=&jobsPerPage=",
    "queues?activeQueue=other&status=latest&jobsPerPage=2",
    "queues?activeQueue=nowhere",
    "queues?page=0",
    "queues?page=x",
    "queues?page=1.5",
    "queues?jobsPerPage=301",
    "queues?status=unheard-of",
]  # fmt: skip
QUEUES = [
    f"queues/{name}/{what}"
    for name in ("busy", "empty", "nowhere")
    for what in ("metrics", "default-job-options", "workers", "rate-limit", "job-data-schema")
]
JOBS = [
    *(f"queues/busy/{job_id}" for job_id in ("1", "2", "3", "10", "branch", ODD_ID, "nobody", "repeat:hourly:0")),
    *(f"queues/busy/{job_id}/logs" for job_id in ("1", "2", "nobody")),
    "queues/nowhere/1",
    "queues/nowhere/1/logs",
]
FLOWS = [
    f"queues/{path}/flow{window}"
    for path in (
        "other/root", "busy/branch", "other/leaf-1", "busy/1", "other/nobody", "busy/orphan", "busy/lost",
    )
    for window in (
        "", "?root=node", "?depth=1", "?depth=2&maxChildren=2", "?maxChildren=1", "?depth=0&maxChildren=-5", "?depth=x",
    )
]  # fmt: skip
SCHEDULERS = ["job-schedulers", "job-schedulers?queueName=busy", "job-schedulers?queueName=nowhere"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def boards(node: Node, emptied_redis: RedisServer) -> AsyncIterator[tuple[NodeBoard, BoardClient]]:
    """Both, over queues that have some of everything."""
    clear(emptied_redis.url)
    await fill(emptied_redis.url)
    async with AsyncExitStack() as stack:
        queues = [await stack.enter_async_context(Queue[Any](name, connection=emptied_redis.url)) for name in NAMES]
        theirs = await stack.enter_async_context(NodeBoard.served(node, emptied_redis.url, NAMES))
        yield theirs, BoardClient(board_app(queues=queues))


@pytest.mark.parametrize("path", [*LISTS, *QUEUES, *JOBS, *FLOWS, *SCHEDULERS])
async def test_each_reading_answer_is_the_same(boards: tuple[NodeBoard, BoardClient], path: str) -> None:
    theirs, ours = boards
    expected, given = await asyncio.gather(theirs.get(f"api/{path}"), ours.get(f"api/{path}"))
    assert given.status_code == expected.status_code
    assert differences(expected.json(), given.json()) == {}


async def test_the_compared_lists_are_not_empty(boards: tuple[NodeBoard, BoardClient]) -> None:
    _, ours = boards
    busy, other, empty = (await ours.get("api/queues?activeQueue=busy")).json()["queues"]
    assert busy["counts"] == {
        "active": 1, "waiting": 16, "waiting-children": 1, "prioritized": 3, "completed": 1, "failed": 1, "delayed": 3,
    }  # fmt: skip
    assert len(busy["jobs"]) == 20
    assert (busy["globalConcurrency"], busy["jobSchedulerCount"], other["isPaused"]) == (7, 3, True)
    assert sum(empty["counts"].values()) == 0
    flow = (await ours.get("api/queues/other/leaf-1/flow")).json()["flowRoot"]
    assert (flow["id"], len(flow["children"]), flow["dependencies"]["ignored"]) == ("root", 4, 1)


async def test_workers_of_both_languages_are_named_alike(
    boards: tuple[NodeBoard, BoardClient], node: Node, emptied_redis: RedisServer
) -> None:
    theirs, ours = boards

    async def process(job: Job[Any, Any]) -> None:
        return None

    worker = Worker[Any, Any]("empty", process, connection=emptied_redis.url, name="python-worker")
    nodes = node.serve("worker.mjs", {"url": emptied_redis.url, "prefix": "bull", "queue": "empty"})
    async with worker, nodes:
        await worker.wait_until_ready()

        async def both_listed() -> bool:
            return len((await theirs.get("api/queues/empty/workers")).json()["workers"]) == 2

        await eventually(both_listed)

        async def named_alike() -> bool:
            # looked at one after the other: a worker that connects anew in between has another id
            expected = (await theirs.get("api/queues/empty/workers")).json()["workers"]
            given = (await ours.get("api/queues/empty/workers")).json()["workers"]
            return [{**worker, "age": 0} for worker in given] == [{**worker, "age": 0} for worker in expected]

        await eventually(named_alike)
        given = (await ours.get("api/queues/empty/workers")).json()["workers"]
        assert "python-worker" in {worker["name"] for worker in given}
        listed = (await ours.get("api/queues")).json()["queues"]
        assert {queue["name"]: queue["hasWorkers"] for queue in listed} == {
            "busy": False,
            "other": False,
            "empty": True,
        }


async def test_the_state_of_the_server_is_told_alike(boards: tuple[NodeBoard, BoardClient]) -> None:
    theirs, ours = boards
    expected, given = (await theirs.get("api/redis/stats")).json(), (await ours.get("api/redis/stats")).json()
    for answer in (expected, given):
        # what moves while it is looked at
        assert answer["memory"].pop("used") > 0
        assert answer["memory"].pop("peak") > 0
        assert answer["memory"].pop("fragmentationRatio") > 0
        assert answer["clients"].pop("connected") > 0
        assert answer.pop("uptime") >= 0
    assert differences(expected, given) == {}


async def test_bull_board_has_no_route_that_we_lack(boards: tuple[NodeBoard, BoardClient]) -> None:
    """A newer Bull Board may ask for more: then this fails."""
    theirs, _ = boards
    known = await theirs.routes()
    ours = [[route.method, f"/api/{route.path}"] for route in ROUTES]
    names = {"queueName": "queue", "jobId": "job", "schedulerId": "scheduler", "queueStatus": "status"}
    expected = [[method, re.sub(r":(\w+)", lambda name: f":{names[name[1]]}", path)] for method, path in known["api"]]
    assert sorted(ours) == sorted(expected)
    assert known["pages"] == [
        "/",
        "/metrics-history",
        "/job-schedulers",
        "/queue/:queueName",
        "/queue/:queueName/:jobId",
    ]


async def test_our_pages_answers_are_what_bull_board_declares(boards: tuple[NodeBoard, BoardClient]) -> None:
    theirs, ours = boards
    for schema, path in {
        "GetQueuesResponse": "queues?activeQueue=busy",
        "GetJobSchedulersResponse": "job-schedulers",
        "GetJobResponse": "queues/busy/2",
        "GetJobFlowResponse": "queues/busy/branch/flow",
        "GetRedisStatsResponse": "redis/stats",
        "GetQueueMetricsResponse": "queues/busy/metrics",
        "GetQueueWorkersResponse": "queues/busy/workers",
    }.items():
        assert await theirs.issues(schema, (await ours.get(f"api/{path}")).json()) == []
    assert await theirs.issues("GetQueuesResponse", {"queues": [{}]}) != []
