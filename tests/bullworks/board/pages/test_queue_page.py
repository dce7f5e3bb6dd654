"""The page of a queue: its jobs by state, page by page, and what may be done with it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from bullworks.board import BoardQueue
from bullworks.bullmq import JobSpec, Queue, Worker
from tests.bullworks.board.conftest import MakeBoard, OpenQueue

EVIL = "<img src=x onerror=alert(1)>"


async def fail(queue: Queue[Any], redis_url: str, key_prefix: str, reason: str = "no such address") -> str:
    async with Worker[Any, Any](queue.name, None, connection=redis_url, prefix=key_prefix) as worker:
        job = await worker.get_next_job("token", block=False)
        assert job is not None
        await job.move_to_failed(ValueError(reason), "token", fetch_next=False)
        return job.id


def ids(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*/job\?[^"]*">([^<]*)</a>', page)


def offered(page: str) -> set[str]:
    return set(re.findall(r'data-path="([^"]*)"', page))


async def test_jobs_are_paged_by_state(queue: Queue[Any], board: MakeBoard) -> None:
    await queue.add_bulk([JobSpec(f"job {number}", {}) for number in range(30)])
    made = board()
    first = (await made.get("-/queue?name=email&state=waiting")).text
    second = (await made.get("-/queue?name=email&state=waiting&page=2")).text
    assert (len(ids(first)), len(ids(second))) == (25, 5)
    assert not set(ids(first)) & set(ids(second))
    assert "page 1 of 2" in first
    assert 'rel="next"' in first
    assert 'rel="next"' not in second
    assert "No waiting jobs on this page." in (await made.get("-/queue?name=email&state=waiting&page=99999999")).text
    for page in ("0", "-1", "x", "1e9", "9" * 40, "٣"):
        assert ids((await made.get(f"-/queue?name=email&state=waiting&page={page}")).text) == ids(first)


async def test_the_state_that_needs_looking_at_is_shown_first(
    queue: Queue[Any], board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    made = board()
    assert "No waiting jobs." in (await made.get("-/queue?name=email")).text
    await queue.add_bulk([JobSpec("job", {}), JobSpec("job", {})])
    failed = await fail(queue, redis_url, key_prefix)
    page = (await made.get("-/queue?name=email")).text
    assert ids(page) == [failed]
    assert "no such address" in page
    assert len(ids((await made.get("-/queue?name=email&state=waiting")).text)) == 1
    assert ids((await made.get("-/queue?name=email&state=unheard-of")).text) == [failed]


async def test_what_is_offered_fits_the_queue_the_policy_and_read_only(
    queue: Queue[Any], board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    api = "api/queues/email"
    await queue.add("job", {})
    assert offered((await board().get("-/queue?name=email")).text) == {f"{api}/pause"}
    await fail(queue, redis_url, key_prefix)
    await queue.add("later", {}, delay=60_000)
    await queue.pause()
    all_of_it = {f"{api}/resume", f"{api}/promote", f"{api}/retry/failed"}
    assert offered((await board().get("-/queue?name=email")).text) == all_of_it
    kept = board(policy=lambda access: access.action in {"read", "resume"})
    assert offered((await kept.get("-/queue?name=email")).text) == {f"{api}/resume"}
    assert offered((await board(read_only=True).get("-/queue?name=email")).text) == set()
    fixed = (await board(BoardQueue(queue=queue, read_only=True)).get("-/queue?name=email")).text
    assert offered(fixed) == set()
    assert ">read only<" in fixed


async def test_what_is_offered_is_answered_by_the_contract(queue: Queue[Any], board: MakeBoard) -> None:
    made = board()
    await queue.wait_until_ready()
    for expected in (True, False):
        (path,) = offered((await made.get("-/queue?name=email")).text)
        assert (await made.change("PUT", path, {})).status_code == 200
        assert await queue.is_paused() is expected


async def test_hostile_names_and_errors_are_text(
    open_queue: OpenQueue, board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    queue = open_queue(EVIL)
    await queue.add(EVIL, {}, job_id='"><b>&x=1')
    await fail(queue, redis_url, key_prefix, EVIL)
    made = board(queue)
    page = (await made.get(f"-/queue?name={quote(EVIL)}")).text
    assert "<img" not in page
    assert "<b>&" not in page
    (link,) = re.findall(r'<th scope="row"><a href="([^"]*)"', page)
    shown = await made.get(link.replace("&amp;", "&"))
    assert shown.status_code == 200
    assert "<img" not in shown.text
    assert "&lt;img" in shown.text


async def test_a_queue_that_may_not_be_seen_is_not_there(open_queue: OpenQueue, board: MakeBoard) -> None:
    made = board(open_queue("secret"), policy=lambda access: access.queue != "secret")
    there, nowhere = await made.get("-/queue?name=secret"), await made.get("-/queue?name=nowhere")
    assert there.status_code == nowhere.status_code == 404
    assert there.text == nowhere.text


async def test_a_queue_that_cannot_be_read_says_why(queue: Queue[Any], board: MakeBoard) -> None:
    await queue.wait_until_ready()
    await queue.connection.execute("SET", queue.keys.of("completed"), "no sorted set")
    answer = await board().get("-/queue?name=email")
    assert answer.status_code == 200
    assert "This queue cannot be read: " in answer.text
