"""What our board changes in Redis is what the real Bull Board changes, from the same start."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bullworks.board import board_app
from bullworks.bullmq import FlowProducer, JobSpec, Queue, Worker
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.differences import without_own_links
from tests.bullworks.board.node_board import NodeBoard
from tests.bullworks.compat.comparison import Seen
from tests.bullworks.compat.dump import clear, dump
from tests.bullworks.compat.node import Node
from tests.bullworks.compat.normaliser import Normaliser
from tests.bullworks.servers import RedisServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ("q", "r")
OLD_MS = 1_700_000_000_000
YEARLY = "5 4 1 1 *"
FAR_MS = 4_000_000_000_000
TEN_DAYS_MS = 864_000_000
# The next slot is some days away: to the second, it is no chance what is left until then.
OFFSET_MS = (int(time.time() * 1000) + 3 * 86_400_000) % TEN_DAYS_MS
# Stands for a time almost a day after the side's own start, which the normaliser makes the same for both.
TOMORROW_MS = -1
_ALMOST_A_DAY_MS = 86_000_000

Start = Callable[[Queue[Any], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Sides:
    """Both boards, each on a database of its own."""

    theirs: NodeBoard
    ours: BoardClient
    their_url: str
    our_url: str

    async def seen(self, start: Start, method: str, path: str, body: Any) -> tuple[tuple[int, Seen], tuple[int, Seen]]:
        """(status, what came of it) of theirs, and of ours."""
        sides = ((self.their_url, self.theirs.change), (self.our_url, self.ours.change))
        their, our = [await _seen(url, change, start, method, path, body) for url, change in sides]
        return their, our


async def _seen(
    url: str, change: Callable[..., Awaitable[Any]], start: Start, method: str, path: str, body: Any
) -> tuple[int, Seen]:
    clear(url)
    async with Queue[Any]("q", connection=url) as queue:
        await queue.wait_until_ready()
        await start(queue, url)
    started_ms = int(time.time() * 1000)
    normaliser = Normaliser(started_ms)
    if body == {"runAt": TOMORROW_MS}:
        body = {"runAt": started_ms + _ALMOST_A_DAY_MS}
    answer = await change(method, f"api/{path}", body)
    given = answer.json() if answer.content else None
    stored = {key: value for key, value in dump(url).items() if not key.startswith("bullworks:")}
    return answer.status_code, Seen(normaliser.answers([_plain(without_own_links(given))]), normaliser.keys(stored))


def _plain(answer: Any) -> Any:
    """Without what our errors say in addition, and what Node leaves out of a job that it has not read from Redis."""
    if isinstance(answer, dict) and "error" in answer:
        return {"refused": answer["error"], **{name: answer[name] for name in ("jobSchedulerId",) if name in answer}}
    if isinstance(answer, dict) and "job" in answer:
        unread = {"delay": 0, "data": {}}
        job = {name: value for name, value in answer["job"].items() if name not in unread or value != unread[name]}
        return {**answer, "job": job}
    return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sides(node: Node, emptied_redis: RedisServer) -> AsyncIterator[Sides]:
    """Bull Board on database 1, ours on database 2."""
    their_url, our_url = (emptied_redis.url.removesuffix("/0") + f"/{number}" for number in (1, 2))
    async with AsyncExitStack() as stack:
        queues = [await stack.enter_async_context(Queue[Any](name, connection=our_url)) for name in NAMES]
        theirs = await stack.enter_async_context(NodeBoard.served(node, their_url, NAMES))
        yield Sides(theirs, BoardClient(board_app(queues=queues)), their_url, our_url)


async def nothing(queue: Queue[Any], url: str) -> None:
    """An empty queue."""


async def some(queue: Queue[Any], url: str) -> None:
    """Jobs that wait, with a priority and without, delayed ones, and one a state that workers leave."""
    await queue.add_bulk([JobSpec("waits", {"n": number}, timestamp=OLD_MS + number) for number in range(4)])
    await queue.add("first", {}, timestamp=OLD_MS + 5, priority=2)
    await queue.add("late", {}, timestamp=OLD_MS + 6, delay=10**12)
    await queue.add("later", {"keep": 1}, timestamp=OLD_MS + 7, delay=10**12 + 9, priority=5)
    async with Worker[Any, Any]("q", None, connection=url) as worker:
        done = await worker.get_next_job("token", block=False)
        failed = await worker.get_next_job("token", block=False)
        active = await worker.get_next_job("token", block=False)
        assert done is not None
        assert failed is not None
        assert active is not None
        await done.move_to_completed("sent", "token", fetch_next=False)
        await failed.move_to_failed(ValueError("no"), "token", fetch_next=False)


async def finished_long_ago(queue: Queue[Any], url: str) -> None:
    """Finished jobs that are older than what cleaning spares."""
    await some(queue, url)
    connection = queue.connection
    for state in ("completed", "failed"):
        for job_id in await queue.get_ranges("completed" if state == "completed" else "failed"):
            await connection.execute("ZADD", queue.keys.of(state), OLD_MS, job_id)


async def several_failed(queue: Queue[Any], url: str) -> None:
    await queue.add_bulk([JobSpec("fails", {"n": number}, timestamp=OLD_MS + number) for number in range(3)])
    async with Worker[Any, Any]("q", None, connection=url) as worker:
        for _ in range(3):
            job = await worker.get_next_job("token", block=False)
            assert job is not None
            await job.move_to_failed(ValueError("no"), "token", fetch_next=False)


async def paused(queue: Queue[Any], url: str) -> None:
    await queue.add_bulk([JobSpec("waits", {}, timestamp=OLD_MS + number) for number in range(2)])
    await queue.pause()


async def paused_while_active(queue: Queue[Any], url: str) -> None:
    await some(queue, url)
    await queue.pause()


async def limited(queue: Queue[Any], url: str) -> None:
    await queue.set_global_concurrency(3)
    await queue.set_global_rate_limit(5, 1_000)
    await queue.rate_limit(60_000)


async def scheduled(queue: Queue[Any], url: str) -> None:
    await queue.upsert_job_scheduler(
        "nightly",
        {"pattern": "0 3 29 2 *", "tz": "Europe/Paris"},
        {"name": "night", "data": {"n": 1}, "opts": {"attempts": 3, "backoff": 500, "keep_logs": 7}},
    )
    await queue.upsert_job_scheduler("far", {"every": 86_400_000, "start_date": 4_000_000_000_000})


async def scheduled_with_offset(queue: Queue[Any], url: str) -> None:
    await queue.upsert_job_scheduler("offset", {"every": TEN_DAYS_MS, "offset": OFFSET_MS})


async def family(queue: Queue[Any], url: str) -> None:
    async with FlowProducer(connection=url) as flows:
        child = {"queue_name": "r", "opts": {"timestamp": OLD_MS}}
        await flows.add(
            {
                "name": "parent",
                "queue_name": "q",
                "opts": {"job_id": "parent", "timestamp": OLD_MS},
                "children": [
                    {"name": "one", **child, "opts": {"job_id": "one", "timestamp": OLD_MS}},
                    {"name": "two", **child, "opts": {"job_id": "two", "timestamp": OLD_MS + 1}},
                ],
            }
        )


BAD_BODY = "ERRORS.INVALID_REQUEST_BODY"
OPTIONS = {
    "attempts": 3, "backoff": {"type": "exponential", "delay": 500}, "priority": 4, "removeOnComplete": True,
    "removeOnFail": {"count": 5, "age": 100}, "jobId": "mine", "keepLogs": 3, "timestamp": OLD_MS, "lifo": True,
}  # fmt: skip

CHANGES: list[tuple[Start, str, str, Any]] = [
    (nothing, "POST", "queues/q/add", {"name": "plain", "options": {"timestamp": OLD_MS}}),
    (nothing, "POST", "queues/q/add", {"name": "null", "data": None, "options": {"timestamp": OLD_MS}}),
    (nothing, "POST", "queues/q/add", {"name": "full", "data": {"a": ["ü", 1.5]}, "options": OPTIONS}),
    (nothing, "POST", "queues/q/add", {"name": "late", "data": 1, "options": {"delay": 5_000, "timestamp": OLD_MS}}),
    (nothing, "POST", "queues/nowhere/add", {"name": "x"}),
    (nothing, "POST", "queues/q/add", {"name": 5}),
    (nothing, "PUT", "queues/pause", None),
    (paused, "PUT", "queues/pause", None),
    (paused, "PUT", "queues/resume", None),
    (some, "PUT", "queues/q/pause", None),
    (paused, "PUT", "queues/q/resume", None),
    (some, "PUT", "queues/q/retry/failed", None),
    (some, "PUT", "queues/q/retry/completed", None),
    (some, "PUT", "queues/q/retry/waiting", None),
    (some, "PUT", "queues/q/clean/completed", None),
    *(
        (finished_long_ago, "PUT", f"queues/q/clean/{state}", None)
        for state in ("completed", "failed", "delayed", "wait", "prioritized")
    ),
    (some, "PUT", "queues/q/empty", None),
    (nothing, "PUT", "queues/q/concurrency", {"concurrency": 5}),
    (limited, "PUT", "queues/q/concurrency", {"concurrency": 0}),
    *((nothing, "PUT", "queues/q/concurrency", {"concurrency": bad}) for bad in (-1, 1.5, "2", None)),
    (nothing, "PUT", "queues/q/rate-limit", {"max": 5, "duration": 1_000}),
    (limited, "PUT", "queues/q/rate-limit", {"max": None}),
    (limited, "PUT", "queues/q/rate-limit", {}),
    *((nothing, "PUT", "queues/q/rate-limit", bad) for bad in ({"max": 5}, {"max": 0, "duration": 1}, {"max": "5"})),
    (limited, "PUT", "queues/q/rate-limit/release", None),
    (some, "PUT", "queues/q/obliterate", {"force": False}),
    (paused, "PUT", "queues/q/obliterate", {"force": False}),
    (paused, "PUT", "queues/q/obliterate", {}),
    (paused_while_active, "PUT", "queues/q/obliterate", {"force": False}),
    (paused_while_active, "PUT", "queues/q/obliterate", {"force": True}),
    (scheduled, "PUT", "queues/q/job-schedulers/nightly/remove", None),
    (scheduled, "PUT", "queues/q/job-schedulers/nobody/remove", None),
    (scheduled, "PUT", "queues/q/job-schedulers/nightly/run", None),
    (scheduled, "PUT", "queues/q/job-schedulers/far/run", None),
    (scheduled, "PUT", "queues/q/job-schedulers/nobody/run", None),
    (scheduled, "PATCH", "queues/q/job-schedulers/nightly", {"pattern": " 5 4 1 1 * ", "tz": "Asia/Tokyo"}),
    (scheduled, "PATCH", "queues/q/job-schedulers/far", {"every": "172800000", "limit": 9}),
    (scheduled, "PATCH", "queues/q/job-schedulers/nobody", {"every": 5_000}),
    *(
        (scheduled, "PATCH", "queues/q/job-schedulers/nightly", bad)
        for bad in (
            {}, {"every": 1_000, "pattern": "* * * * *"}, {"every": 0}, {"every": "soon"}, {"pattern": "no cron"},
            {"every": 1_000, "limit": 0}, {"every": 1_000, "endDate": 5}, {"pattern": " "},
            {"every": 1_000, "tz": 5}, {"pattern": YEARLY, "tz": None}, {"pattern": YEARLY, "tz": ["UTC"]},
            {"pattern": YEARLY, "tz": "Nowhere/None"}, {"pattern": 5}, {"pattern": None}, {"pattern": None, "every": 5},
            {"every": True}, {"every": [5]}, {"every": -1}, {"every": ""}, {"every": "0x"}, {"every": {}},
            {"every": 1_000, "limit": "5"}, {"every": 1_000, "limit": 1.5}, {"every": 1_000, "limit": True},
            {"every": 1_000, "limit": -1}, {"every": 1_000, "endDate": "soon"}, {"every": 1_000, "endDate": True},
            {"pattern": "", "every": 0}, {"pattern": "x", "every": None, "limit": 0}, {"every": None},
        )
    ),
    *(
        (start, "PATCH", f"queues/q/job-schedulers/{scheduler}", body)
        for start, scheduler in ((scheduled, "nightly"), (scheduled, "far"), (scheduled_with_offset, "offset"))
        for body in (
            {"pattern": YEARLY, "tz": " Asia/Tokyo "}, {"pattern": YEARLY, "tz": "", "every": None},
            {"pattern": YEARLY, "limit": 3, "endDate": FAR_MS}, {"pattern": YEARLY, "limit": None, "endDate": None},
            {"pattern": YEARLY, "endDate": str(FAR_MS)},
        )
    ),
    *(
        (scheduled_with_offset, "PATCH", "queues/q/job-schedulers/offset", body)
        for body in (
            {"every": TEN_DAYS_MS}, {"every": TEN_DAYS_MS, "limit": 4}, {"every": 2 * TEN_DAYS_MS},
            {"every": TEN_DAYS_MS, "tz": "Asia/Tokyo"}, {"every": TEN_DAYS_MS, "endDate": FAR_MS},
            {"every": str(TEN_DAYS_MS)}, {"every": f"{TEN_DAYS_MS / 1e6}e6"}, {"every": "864_000_000"},
            {"every": TEN_DAYS_MS, "limit": 4, "offset": 5, "startDate": 5, "immediately": True},
        )
    ),
    (several_failed, "PUT", "queues/q/2/retry", None),
    (some, "PUT", "queues/q/1/retry", None),
    (some, "PUT", "queues/q/4/retry", None),
    (some, "PUT", "queues/q/nobody/retry", None),
    (some, "PUT", "queues/q/1/clean", None),
    (some, "PUT", "queues/q/4/clean", None),
    (some, "PUT", "queues/q/6/clean", None),
    (some, "PUT", "queues/q/3/clean", None),
    (some, "PUT", "queues/q/nobody/clean", None),
    (scheduled, "PUT", "queues/q/repeat%3Afar%3A4000000000000/clean", None),
    (family, "PUT", "queues/r/one/clean", None),
    (family, "PUT", "queues/q/parent/clean", None),
    (some, "PUT", "queues/q/6/promote", None),
    (some, "PUT", "queues/q/7/promote", None),
    (some, "PATCH", "queues/q/4/update-data", {"jobData": {"new": ["data"]}}),
    (some, "PATCH", "queues/q/4/update-data", {"jobData": None}),
    (some, "PATCH", "queues/q/4/update-data", {}),
    (some, "PATCH", "queues/q/6/delay", {"runAt": TOMORROW_MS}),
    (some, "PATCH", "queues/q/6/delay", {"runAt": 5}),
    (some, "PATCH", "queues/q/4/delay", {"runAt": TOMORROW_MS}),
    *((some, "PATCH", "queues/q/6/delay", bad) for bad in ({"runAt": "soon"}, {}, {"runAt": None})),
    (some, "PATCH", "queues/q/4/priority", {"priority": 9}),
    (some, "PATCH", "queues/q/5/priority", {"priority": 0}),
    (some, "PATCH", "queues/q/7/priority", {"priority": 1}),
    *((some, "PATCH", "queues/q/4/priority", {"priority": bad}) for bad in (-1, 2**21, 1.5, "1")),
    (family, "PUT", "queues/q/parent/remove-unprocessed-children", None),
    (family, "PUT", "queues/r/one/remove-unprocessed-children", None),
]  # fmt: skip


def _named(change: tuple[Start, str, str, Any]) -> str:
    start, method, path, body = change
    return f"{start.__name__}: {method} {path.removeprefix('queues/')} {'' if body is None else json.dumps(body)[:60]}"


@pytest.mark.parametrize("change", CHANGES, ids=_named)
async def test_each_change_leaves_the_same(sides: Sides, change: tuple[Start, str, str, Any]) -> None:
    (their_status, theirs), (our_status, ours) = await sides.seen(*change)
    assert theirs.differences(ours) == {}
    assert our_status == their_status


@pytest.mark.parametrize(
    ("start", "method", "path", "body", "status", "key"),
    [
        (some, "PUT", "queues/q/4/promote", None, 400, "ERRORS.JOB_NOT_DELAYED"),
        (some, "PUT", "queues/q/clean/unheard-of", None, 400, BAD_BODY),
        (
            nothing,
            "POST",
            "queues/q/add",
            {"name": "x", "options": {"attempts": -5}},
            400,
            "ERRORS.INVALID_REQUEST_BODY",
        ),
        (
            nothing,
            "POST",
            "queues/q/add",
            {"name": "x", "options": {"delay": "soon"}},
            400,
            "ERRORS.INVALID_REQUEST_BODY",
        ),
        (nothing, "POST", "queues/q/add", {"name": "x", "options": {"atempts": 5}}, 400, BAD_BODY),
        (nothing, "POST", "queues/q/add", {}, 400, BAD_BODY),
    ],
)
async def test_what_bull_board_takes_or_breaks_at_is_refused_with_its_reason(
    sides: Sides, start: Start, method: str, path: str, body: Any, status: int, key: str
) -> None:
    (their_status, _), (our_status, ours) = await sides.seen(start, method, path, body)
    assert their_status in {200, 500}
    assert (our_status, ours.answers[0]["refused"]["key"]) == (status, key)


async def test_promoting_all_differs_as_the_parity_page_says(sides: Sides) -> None:
    """npm bullmq lets promoted jobs lose their priority, and keeps their delay; docs/bullmq-parity.md, promoteJobs."""
    (their_status, theirs), (our_status, ours) = await sides.seen(some, "PUT", "queues/q/promote", None)
    assert (their_status, our_status) == (200, 200)
    assert "bull:q:delayed" not in ours.keys
    assert "bull:q:delayed" not in theirs.keys
    assert set(theirs.differences(ours)) == {
        "bull:q:6/2/delay", "bull:q:7/2/delay", "bull:q:pc/2", "bull:q:prioritized/2", "bull:q:wait/2",
    }  # fmt: skip


@pytest.mark.parametrize("every", [TEN_DAYS_MS + 0.5, f"{TEN_DAYS_MS}.5"])
async def test_a_fraction_of_a_millisecond_between_runs_is_refused_here_only(sides: Sides, every: Any) -> None:
    """On purpose: BullMQ stores the fraction, and shows and runs whole ms."""
    change = (scheduled_with_offset, "PATCH", "queues/q/job-schedulers/offset", {"every": every})
    (their_status, _), (our_status, ours) = await sides.seen(*change)
    assert (their_status, our_status) == (204, 400)
    assert ours.answers == [{"refused": {"key": "ERRORS.INVALID_SCHEDULER_INTERVAL"}}]
