"""Reading queues and jobs: what is shown, what is not, and what a user of Redis with few rights can see."""

from __future__ import annotations

from typing import Any

from bullworks.board import board_app
from bullworks.bullmq import Queue
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard, OpenQueue
from tests.bullworks.servers import RedisServer

# What a worker needs, and nothing that the board alone does.
MINIMAL_RIGHTS = [
    "~bull:*", "~bullworks:*", "-@all", "+@hash", "+@list", "+@set", "+@sortedset", "+@stream", "+@string",
    "+@transaction", "-@dangerous", "+eval", "+evalsha", "+script|load", "+exists", "+del", "+unlink", "+pexpire",
    "+pttl", "+type", "+scan", "+client|setname", "+client|id", "+hello", "+auth", "+ping", "+select", "+time",
]  # fmt: skip


async def test_what_is_not_to_be_shown_is_refused(board: MakeBoard, queue: Queue[Any]) -> None:
    await queue.wait_until_ready()
    made = board(show_redis=False, show_workers=False)
    assert (await made.get("api/redis/stats")).status_code == 403
    workers = await made.get("api/queues/email/workers")
    assert (workers.status_code, workers.json()["error"]["key"]) == (403, "ERRORS.WORKERS_DISABLED")
    assert (await made.get("api/queues")).json()["queues"][0]["hasWorkers"] is None
    page = (await made.get("")).text
    if made_with_page(page):
        assert '"hideRedisDetails": true' in page
        assert '"showWorkers": false' in page


def made_with_page(html: str) -> bool:
    """Whether it is Bull Board's."""
    return "__UI_CONFIG__" in html


async def test_a_user_of_redis_with_a_workers_rights_sees_all_but_workers_and_server(
    emptied_redis: RedisServer,
) -> None:
    emptied_redis.run("ACL", "SETUSER", "small", "on", ">s3cret", *MINIMAL_RIGHTS)
    url = emptied_redis.url.replace("redis://", "redis://small:s3cret@")
    async with Queue[Any]("limited", connection=url) as queue:
        await queue.add("job", {"n": 1})
        app = board_app(queues=[queue])
        made = BoardClient(app)
        (listed,) = (await made.get("api/queues?activeQueue=limited")).json()["queues"]
        assert listed["hasWorkers"] is None  # unknown, which is not none
        assert [job["data"] for job in listed["jobs"]] == [{"n": 1}]
        assert (await made.get("api/queues/limited/workers")).json() == {"workers": None}
        assert (await made.get("api/redis/stats")).status_code == 502
        assert (await made.change("PUT", "api/queues/limited/pause")).json() == {}
        assert (await app.board.audit.latest(1))[0].queue == "limited"


async def test_a_long_log_shows_its_newest_lines(board: MakeBoard, queue: Queue[Any]) -> None:
    job = await queue.add("job", {})
    key = queue.keys.logs(job.id)
    await queue.connection.execute("RPUSH", key, *(f"line {number}" for number in range(5_000)), "x" * 50_000)
    lines = (await board(shown_bytes=1_000).get("api/queues/email/1/logs")).json()
    assert len(lines) == 2_000
    assert lines[0] == "line 3001"
    assert lines[-1] == "x" * 1_000 + "... (50000 characters)"


async def test_a_wide_flow_is_cut_and_says_so(open_queue: OpenQueue) -> None:
    queue = open_queue("email")
    await queue.add("parent", {}, job_id="parent")
    children = [f"{queue.keys.base}child-{number}" for number in range(3_000)]
    await queue.connection.execute("SADD", queue.keys.of("parent:dependencies"), *children)
    for number in range(3_000):
        await queue.connection.execute("HSET", queue.keys.of(f"child-{number}"), "name", "child", "timestamp", 1)
    made = BoardClient(board_app(queues=[queue]))
    root = (await made.get("api/queues/email/parent/flow?maxChildren=1000")).json()["flowRoot"]
    assert len(root["children"]) == 200
    assert root["truncated"] is True
    assert root["dependencies"]["unprocessed"] == 3_000
    alone = (await made.get("api/queues/email/parent/flow?depth=2&maxChildren=1000")).json()["flowRoot"]
    assert len(alone["children"]) == 1_000


async def test_a_flow_through_a_hidden_queue_ends_there(open_queue: OpenQueue) -> None:
    email, secret = open_queue("email"), open_queue("secret")
    await email.add("parent", {}, job_id="parent")
    parent = {"id": "parent", "queue": email.keys.base[:-1]}
    await secret.add("s3cret-child", {}, job_id="child", parent=parent)
    await email.add("open-child", {}, job_id="open", parent=parent)
    made = BoardClient(board_app(queues=[email, secret], hidden=["secret"]))
    root = (await made.get("api/queues/email/parent/flow")).json()["flowRoot"]
    assert [child["name"] for child in root["children"]] == ["open-child"]
    policed = BoardClient(board_app(queues=[email, secret], policy=lambda access: access.queue != "secret"))
    assert "s3cret" not in (await policed.get("api/queues/email/parent/flow")).text


async def test_numbers_that_json_cannot_hold_are_null(board: MakeBoard, queue: Queue[Any]) -> None:
    await queue.add("job", {})
    await queue.connection.execute("HSET", queue.keys.of("1"), "data", '{"a": [1e999, -1e999, 5]}')
    answer = await board().get("api/queues/email/1")
    assert answer.json()["job"]["data"] == {"a": [None, None, 5]}


async def test_half_a_character_is_shown_as_it_was_written(board: MakeBoard, queue: Queue[Any]) -> None:
    await queue.add("job", {})
    await queue.connection.execute("HSET", queue.keys.of("1"), "data", '{"a": "\\ud83d"}')
    answer = await board().get("api/queues/email/1")
    assert answer.status_code == 200
    assert '"\\ud83d"' in answer.text
