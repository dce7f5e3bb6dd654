"""The page of the audit trail."""

from __future__ import annotations

from typing import Any

from bullworks.board.audit import AuditEvent
from bullworks.board.board import Board
from bullworks.board.options import BoardOptions
from bullworks.board.pages.audit import PAGE_EVENTS
from bullworks.board.queues import BoardQueues
from bullworks.board.security import Access
from bullworks.bullmq import Queue
from tests.bullworks.board.conftest import MakeBoard, OpenQueue

NASTY = "<img src=x onerror=alert(1)>"


async def record(home: Queue[Any], **fields: Any) -> None:
    board = Board(BoardQueues([home]), BoardOptions())
    await board.audit.record(AuditEvent(**{"who": "ada", "action": "pause", **fields}))


async def test_a_change_is_told_with_who_what_and_where(board: MakeBoard, queue: Queue[Any]) -> None:
    job = await queue.add("welcome", {})
    client = board()
    await client.change("PUT", f"api/queues/email/{job.id}/clean")
    await client.change("PUT", "api/queues/email/gone/retry")
    page = (await client.get("-/audit")).text
    assert "local" in page
    assert "remove-job" in page
    assert f'job?queue=email&amp;id={job.id}"' in page
    assert page.index('data-outcome="refused"') < page.index('data-outcome="done"')


async def test_what_was_written_down_is_shown_as_text(board: MakeBoard, queue: Queue[Any]) -> None:
    await record(queue, who=NASTY, queue=NASTY, job=NASTY, note=NASTY, action=NASTY)
    page = (await board().get("-/audit")).text
    assert NASTY not in page
    assert page.count("&lt;img src=x") == 5


async def test_pages_go_back_in_time(board: MakeBoard, queue: Queue[Any]) -> None:
    for number in range(PAGE_EVENTS + 3):
        await record(queue, queue="email", note=f"number {number};")
    client = board()
    newest = (await client.get("-/audit")).text
    assert f"number {PAGE_EVENTS + 2};" in newest
    assert "number 2;" not in newest
    older = newest.partition('rel="next" href="')[2].partition('"')[0]
    page = (await client.get(older)).text
    assert "number 2;" in page
    assert "number 3;" not in page
    assert 'rel="next"' not in page
    assert "number 3;" in (await client.get("-/audit?before=nonsense")).text


async def test_events_of_a_queue_that_one_may_not_see_are_not_told(
    board: MakeBoard, open_queue: OpenQueue, queue: Queue[Any]
) -> None:
    await record(queue, queue="secret", note="of the secret one")
    await record(queue, queue=None, note="of all of them")
    await record(queue, queue=None, who="local", note="my own")
    await record(queue, queue="email", note="of email")

    def may(access: Access) -> bool:
        return access.queue != "secret"

    page = (await board(queue, open_queue("secret"), policy=may).get("-/audit")).text
    assert "of email" in page
    assert "my own" in page
    assert "secret" not in page
    assert "of all of them" not in page
    hidden = (await board(queue, hidden=["secret"]).get("-/audit")).text
    assert "of email" in hidden
    assert "secret" not in hidden


async def test_an_empty_trail_says_so(board: MakeBoard) -> None:
    assert "Nothing was changed yet." in (await board().get("-/audit")).text
