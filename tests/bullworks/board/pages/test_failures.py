"""Failures grouped by error: what the page shows, and retrying and removing all of a group."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from bullworks.board import Access, board_app
from bullworks.board.api.call import Call
from bullworks.board.board import Board
from bullworks.board.options import BoardOptions
from bullworks.board.pages import failure_changes, failure_groups, failures
from bullworks.board.pages.failure_groups import groups_of
from bullworks.board.pages.folding import fold, group_id
from bullworks.board.queues import BoardQueue, BoardQueues
from bullworks.bullmq import FlowProducer, Queue, Worker
from bullworks.redis.endpoint import Endpoint
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard, OpenQueue
from tests.bullworks.board.pages.failing import WriteCounter, fail
from tests.bullworks.bullmq.hand_worker import HandWorker

REFUSED = "connect ECONNREFUSED 10.0.0.{}:5432"
EVIL = "<img src=x onerror=alert(1)>"


def action(queue: str, reason: str, what: str) -> str:
    return f"-/api/queues/{queue}/failures/{group_id(fold(reason))}/{what}"


def rows(page: str) -> list[str]:
    return re.findall(r"<tr data-group=.*?</tr>", page, re.DOTALL)


async def test_jobs_that_failed_alike_are_one_row(queue: Queue[Any], board: MakeBoard) -> None:
    await fail(queue, REFUSED.format(0), name="send")
    await fail(queue, REFUSED.format(1), name="sync")
    newest = await fail(queue, REFUSED.format(2), name="sync")
    await fail(queue, "out of stock")
    page = (await board().get("-/failures")).text
    assert "All 4 failed jobs were read." in page
    first, second = rows(page)
    assert "connect ECONNREFUSED &lt;host&gt;" in first
    assert '<td class="number">3</td>' in first
    assert REFUSED.format(2) in first
    assert f"id={newest.id}" in first
    assert "sync, send" in first
    assert "Error: connect ECONNREFUSED" in first
    assert f"api/queues/email/{newest.id}/retry" in first
    assert "out of stock" in second
    assert "Retry 1 job of email?" in second


async def test_where_it_failed_is_shown_for_python_and_for_node(
    queue: Queue[Any], board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    async def handler(job: Any) -> None:
        raise ValueError("from Python")

    await queue.wait_until_ready()
    await queue.add("send", {}, attempts=1)
    async with Worker("email", handler, connection=redis_url, prefix=key_prefix):
        async with asyncio.timeout(10):
            while not (await queue.get_job_counts("failed"))["failed"]:
                await asyncio.sleep(0.01)
    node = await fail(queue, "from Node")
    stack = ["Error: from Node\n    at send (/srv/mail.js:3:7)\n    at process (/srv/worker.js:9:1)"]
    await queue.connection.execute("HSET", queue.keys.of(node.id), "stacktrace", json.dumps(stack))
    page = (await board().get("-/failures?queue=email")).text
    assert "at send (/srv/mail.js:3:7)" in page
    assert "at process" not in page
    assert re.search(r"File &#34;[^<]*test_failures.py&#34;, line \d+, in handler", page)


async def test_how_many_were_looked_at_is_shown(
    queue: Queue[Any], board: MakeBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await fail(queue, f"error {chr(97 + number)}")
    monkeypatch.setattr(failures, "MOST_JOBS", 3)
    page = (await board().get("-/failures?queue=email")).text
    assert "The newest 3 of 5 failed jobs were read" in page
    assert [f"error {letter}" in page for letter in "abcde"] == [False, False, True, True, True]


async def test_all_queues_that_may_be_seen_are_shown_and_no_other(open_queue: OpenQueue, board: MakeBoard) -> None:
    for name in ("email", "video", "hidden", "secret"):
        await fail(open_queue(name), f"broken {name}")
    client = board(
        *(open_queue(name) for name in ("email", "video", "hidden", "secret")),
        hidden=["hidden"],
        policy=lambda access: access.queue != "secret",
    )
    page = (await client.get("-/failures")).text
    assert "broken email" in page
    assert "broken video" in page
    assert "secret" not in page
    assert "hidden=" not in page
    assert "broken hidden" not in page
    assert (await client.get("-/failures?queue=secret")).status_code == 404
    assert (await client.get("-/failures?queue=hidden")).status_code == 404
    refused = await client.change("PUT", action("secret", "broken secret", "retry"))
    assert refused.status_code == 404


async def test_texts_of_jobs_are_escaped(queue: Queue[Any], board: MakeBoard) -> None:
    job = await fail(queue, EVIL, name=EVIL, job_id=EVIL)
    await queue.connection.execute("HSET", queue.keys.of(job.id), "stacktrace", json.dumps([f"    at {EVIL}"]))
    page = (await board().get("-/failures")).text
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=") >= 3


async def test_a_reason_or_trace_too_large_is_not_read_and_an_unreadable_job_spoils_nothing(
    queue: Queue[Any], board: MakeBoard
) -> None:
    await fail(queue, "x" * 20_000)
    traced = await fail(queue, "plain")
    await queue.connection.execute("HSET", queue.keys.of(traced.id), "stacktrace", json.dumps(["y" * 70_000]))
    broken = await fail(queue, "broken")
    await queue.connection.execute("DEL", queue.keys.of(broken.id))
    await queue.connection.execute("SET", queue.keys.of(broken.id), "no hash")
    gone = await fail(queue, "gone")
    await queue.connection.execute("DEL", queue.keys.of(gone.id))
    page = (await board().get("-/failures")).text
    assert "(the reason is too large to be read)" in page
    assert "(the job cannot be read)" in page
    assert "plain" in page
    assert "yyyy" not in page
    assert len(rows(page)) == 3
    assert len(page) < 20_000


async def test_a_queue_that_cannot_be_read_is_shown_as_that(open_queue: OpenQueue, board: MakeBoard) -> None:
    await fail(open_queue("email"), "plain")
    broken = open_queue("broken")
    await broken.wait_until_ready()
    await broken.connection.execute("SET", broken.keys.of("failed"), "no set")
    page = (await board(open_queue("email"), broken).get("-/failures")).text
    assert re.search(r"broken cannot be read: .*WRONGTYPE", page), page[-1500:]
    assert "plain" in page


async def test_all_of_a_group_wait_again_and_the_audit_trail_tells(queue: Queue[Any], board: MakeBoard) -> None:
    alike = [await fail(queue, REFUSED.format(number)) for number in range(5)]
    other = await fail(queue, "out of stock")
    client = board()
    answer = await client.change("PUT", action("email", REFUSED.format(9), "retry"), {"newest": 100})
    assert answer.status_code == 200
    assert answer.json() == {"done": 5, "of": 5, "moved": 0, "kept": 0, "message": "5 of 5 retried"}
    assert [await job.get_state() for job in alike] == ["waiting"] * 5
    assert [job.id for job in await queue.get_waiting()] == [job.id for job in alike]  # the first that failed first
    assert await other.get_state() == "failed"
    again = await client.change("PUT", action("email", REFUSED.format(9), "retry"))
    assert again.status_code == 404
    assert "has this failure any more" in again.json()["message"]


async def test_a_retried_job_keeps_its_place_in_line(queue: Queue[Any], board: MakeBoard) -> None:
    """Options say so: lifo, priority."""
    first = await fail(queue, "e", lifo=True)
    ranked = await fail(queue, "e", priority=5)
    waiting = await queue.add("waits")
    assert (await board().change("PUT", action("email", "e", "retry"))).json()["done"] == 2
    assert [job.id for job in await queue.get_waiting()] == [first.id, waiting.id]
    assert [job.id for job in await queue.get_prioritized()] == [ranked.id]


async def test_all_of_a_group_are_removed_and_no_other(queue: Queue[Any], board: MakeBoard) -> None:
    for number in range(4):
        await fail(queue, REFUSED.format(number))
    other = await fail(queue, "out of stock")
    answer = await board().change("PUT", action("email", REFUSED.format(1), "remove"))
    assert answer.json()["message"] == "4 of 4 removed"
    assert [job.id for job in await queue.get_failed()] == [other.id]


@pytest.mark.parametrize("state", ["waiting", "active", "delayed", "failed elsewhere"])
async def test_a_job_that_somebody_retried_meanwhile_is_not_removed(
    queue: Queue[Any], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Between looking and removing: it waits, runs, or is delayed by then."""
    stays, goes = await fail(queue, "e"), await fail(queue, "e")

    async def look_and_be_late(entry: BoardQueue, newest: int) -> failure_groups.FoundGroups:
        found = await groups_of(entry, newest)
        await stays.retry()
        if state == "active":
            assert await HandWorker(queue).take() == stays.id
        if state == "delayed":
            await queue.connection.execute("LREM", queue.keys.of("wait"), 1, stays.id)
            await queue.connection.execute("ZADD", queue.keys.of("delayed"), 10**16, stays.id)
        if state == "failed elsewhere":
            await stays.remove()
        return found

    monkeypatch.setattr(failure_changes, "groups_of", look_and_be_late)
    entry = BoardQueue(queue=queue)
    board = Board(BoardQueues([entry]), BoardOptions())
    call = Call(board=board, who="", params={"group": group_id("e")}, queue_entry=entry)
    answer = await failure_changes.remove_group(call)
    assert (answer["done"], answer["of"], answer["moved"]) == (1, 2, 1)
    assert await goes.get_state() == "unknown"
    assert await stays.get_state() == ("unknown" if state == "failed elsewhere" else state)


async def test_what_may_not_be_removed_is_skipped_and_counted(
    queue: Queue[Any], board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    """A job below it runs: neither goes. Its options are no JSON: it cannot be retried."""
    async with FlowProducer(connection=redis_url, prefix=key_prefix) as flows:
        tree = await flows.add(
            {"name": "parent", "queue_name": "email", "children": [{"name": "child", "queue_name": "email"}]}
        )
    assert await HandWorker(queue).take() is not None  # the child
    parent = tree.job
    await queue.connection.execute("ZREM", queue.keys.of("waiting-children"), parent.id)
    await queue.connection.execute("ZADD", queue.keys.of("failed"), 1, parent.id)
    await queue.connection.execute("HSET", queue.keys.of(parent.id), "failedReason", "e", "opts", "{")
    client = board()
    removed = (await client.change("PUT", action("email", "e", "remove"))).json()
    assert (removed["done"], removed["of"], removed["kept"]) == (0, 1, 1)
    assert "1 cannot be" in removed["message"]
    retried = (await client.change("PUT", action("email", "e", "retry"))).json()
    assert (retried["done"], retried["kept"]) == (0, 1)
    assert await queue.get_job_state(parent.id) == "failed"


async def test_only_who_may_is_offered_it_and_gets_it(queue: Queue[Any], board: MakeBoard) -> None:
    job = await fail(queue, "e")

    def policy(access: Access) -> bool:
        return access.action in {"read", "retry-all"}

    client = board(policy=policy)
    page = (await client.get("-/failures")).text
    assert [text in page for text in ("Retry the newest", "Retry all", "Remove all")] == [False, True, False]
    assert (await client.change("PUT", action("email", "e", "remove"))).status_code == 403
    assert await job.get_state() == "failed"
    for quiet in (board(read_only=True), board(BoardQueue(queue=queue, read_only=True))):
        assert "data-method" not in (await quiet.get("-/failures")).text
        assert (await quiet.change("PUT", action("email", "e", "retry"))).status_code == 405
    not_again = (await board(BoardQueue(queue=queue, allow_retries=False)).get("-/failures")).text
    assert "Retry all" not in not_again
    assert "Remove all" in not_again


@pytest.mark.parametrize("newest", [0, 10**9, "all", None, True])
async def test_a_bound_that_is_none_is_refused(queue: Queue[Any], board: MakeBoard, newest: Any) -> None:
    job = await fail(queue, "e")
    answer = await board().change("PUT", action("email", "e", "remove"), {"newest": newest})
    assert answer.status_code == 400
    assert await job.get_state() == "failed"


async def test_audit_names_count_and_error(queue: Queue[Any]) -> None:
    for number in range(3):
        await fail(queue, f"error {number}")
    app = board_app(queues=[queue])
    await BoardClient(app).change("PUT", action("email", "error 0", "retry"))
    event = (await app.board.audit.latest(1))[0]
    assert (event.action, event.queue, event.outcome, event.note) == (
        "retry-all",
        "email",
        "done",
        "3 of 3 retried: error #",
    )


async def test_many_queues_cost_as_many_trips_as_one(redis_url: str, key_prefix: str) -> None:
    connection = WriteCounter(Endpoint.of(redis_url))
    queues = [Queue[Any](f"q{number}", connection=connection, prefix=key_prefix) for number in range(20)]
    writes = {}
    for queue in queues:
        await fail(queue, "error")
        await fail(queue, "another")
    for count in (1, 20):
        client = BoardClient(board_app(queues=queues[:count]))
        await client.get("-/failures")
        connection.writes = 0
        await client.get("-/failures")
        writes[count] = connection.writes
    await connection.close()
    assert (
        writes[20] == writes[1] <= 8
    )  # in four trips: where one waits for nothing, its first command leaves by itself
