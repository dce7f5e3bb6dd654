"""The overview: each queue with its figures, totals, and charts for those who may see everything."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bullworks.board import BoardQueue, HistorySource, board_app
from bullworks.board.queues import BoardQueues
from bullworks.bullmq import JobSpec, Queue, Worker
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import ConnectionLostError
from bullworks.workers.history import Tally
from bullworks.workers.history.keys import HistoryKeys
from bullworks.workers.history.scripts import record
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard, OpenQueue
from tests.bullworks.board.costs import CountingConnection


def row(page: str, name: str) -> list[str]:
    """The cells of a queue's row, without markup."""
    found = re.search(rf"<tr><th[^>]*><a[^>]*>{re.escape(name)}</a>.*?</tr>", page, re.DOTALL)
    assert found is not None, page
    return [" ".join(re.sub(r"<[^>]*>", "", cell).split()) for cell in re.findall(r"<td.*?</td>", found[0], re.DOTALL)]


def figures(page: str) -> dict[str, str]:
    found = re.findall(r"<li[^>]*><b>(.*?)</b><span>(.*?)</span></li>", page)
    return {name: value for value, name in found}


async def test_each_queue_is_shown_with_its_counts_and_the_sum_of_all(open_queue: OpenQueue, board: MakeBoard) -> None:
    one, two = open_queue("one"), open_queue("two")
    await one.add_bulk([JobSpec("job", {}) for _ in range(3)])
    await one.add("later", {}, delay=60_000)
    await two.add("job", {})
    await two.pause()
    await two.set_global_concurrency(4)
    page = (await board(one, two).get("-/")).text
    # active, waiting, waiting-children, prioritized, completed, failed, delayed
    assert row(page, "one")[:7] == ["0", "3", "0", "0", "0", "0", "1"]
    assert row(page, "two")[1] == "1"
    assert row(page, "two")[-1] == "at most 4 at once"
    assert figures(page)["queues, 1 paused"] == "2"
    assert figures(page)["waiting"] == "4"
    assert 'data-state="paused"' in page


async def test_the_oldest_waiting_job_and_the_workers_are_told(
    open_queue: OpenQueue, board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    queue = open_queue("email")
    await queue.add("old", {}, timestamp=int(time.time() * 1000) - 7_200_000)
    await queue.add("new", {})
    async with Worker[Any, Any]("idle", None, connection=redis_url, prefix=key_prefix):
        page = (await board().get("-/")).text
    assert row(page, "email")[7] == "2.0 h"
    assert figures(page)["oldest waiting job"] == "2.0 h"
    assert row(page, "email")[8] == "0"
    hidden = (await board(show_workers=False).get("-/")).text
    assert "workers</th>" not in hidden


async def test_a_queue_that_cannot_be_read_is_a_line_and_the_others_are_shown(
    open_queue: OpenQueue, board: MakeBoard
) -> None:
    good, broken = open_queue("good"), open_queue("broken")
    await good.add("job", {})
    await broken.connection.execute("SET", broken.keys.of("completed"), "no sorted set")
    page = (await board(good, broken).get("-/")).text
    assert row(page, "good")[1] == "1"
    assert row(page, "broken")[0].startswith("cannot be read: ")


async def test_hidden_queues_are_not_there_and_make_no_charts(open_queue: OpenQueue, board: MakeBoard) -> None:
    made = board(open_queue("seen"), open_queue("secret"), policy=lambda access: access.queue != "secret")
    page = (await made.get("-/")).text
    assert "secret" not in page
    assert "<svg" not in page
    assert "need read access to every queue" in page
    assert "<svg" in (await board(open_queue("seen")).get("-/")).text


async def test_charts_show_what_workers_recorded(queue: Queue[Any], board: MakeBoard, key_prefix: str) -> None:
    now_ms = int(time.time() * 1000)
    tally = Tally()
    for ms in (10, 20, 4_000):
        tally.completed += 1
        tally.run.add(ms)
        tally.wait.add(ms * 2)
    tally.failed = 1
    await queue.wait_until_ready()
    minute_ms = now_ms // 60_000 * 60_000
    await record(queue.connection, HistoryKeys(key_prefix), "email", minute_ms, tally)
    for span in ("", "?span=day", "?span=unheard-of"):
        page = (await board().get(f"-/{span}")).text
        assert "3 completed" in page
        assert "1 failed" in page
        assert len(re.findall(r"<rect ", page)) == 2
        assert len(re.findall(r"<polyline ", page)) == 6
        current = re.findall(r'span=(hour|day)" aria-current', page)
        assert current == ["day" if "day" in span else "hour"]


class Broken(HistorySource):
    """One that is away, or of a kind that we do not know."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def series(self, *_: Any, **__: Any) -> Sequence[tuple[int, float]]:
        raise self._error

    async def latency(self, *_: Any, **__: Any) -> Sequence[tuple[int, int, Mapping[float, float]]]:
        raise self._error

    async def usage(self) -> Mapping[str, Any]:
        return {}

    async def purge(self, **_: Any) -> tuple[int, int]:
        return 0, 0


async def test_a_history_that_fails_costs_the_charts_only(board: MakeBoard) -> None:
    for error, told in ((ConnectionLostError("r:1", "it broke"), "r:1"), (KeyError("s3cret"), "see the log")):
        page = (await board(history=Broken(error)).get("-/")).text
        assert "The history cannot be read" in page
        assert told in page
        assert "s3cret" not in page
        assert row(page, "email")[1] == "0"


async def test_pausing_all_is_offered_to_whoever_may(open_queue: OpenQueue, board: MakeBoard) -> None:
    queue = open_queue("email")
    assert 'data-path="api/queues/pause"' in (await board(queue).get("-/")).text
    assert "data-path" not in (await board(queue, read_only=True).get("-/")).text
    kept = board(queue, policy=lambda access: access.action == "read")
    assert "data-path" not in (await kept.get("-/")).text


async def test_an_empty_board_says_so(board: MakeBoard) -> None:
    page = (await BoardClient(board_app(queues=[])).get("-/")).text
    assert "No queues to show." in page
    assert len(BoardQueues()) == 0


async def test_the_overview_is_a_few_writes_for_one_queue_and_for_many(redis_url: str, key_prefix: str) -> None:
    connection = CountingConnection(Endpoint.of(redis_url))
    queues = [BoardQueue(queue=Queue[Any](f"q{n}", connection=connection, prefix=key_prefix)) for n in range(50)]
    await asyncio.gather(*(entry.queue.wait_until_ready() for entry in queues))
    writes = {}
    for count in (1, 50):
        made = BoardClient(board_app(queues=queues[:count]))
        await made.get("-/")
        connection.writes = 0
        await made.get("-/")
        writes[count] = connection.writes
    await connection.close()
    # Which commands leave together may differ by one write; a loaded machine asks whether Redis is there, too.
    assert max(writes.values()) <= 5
