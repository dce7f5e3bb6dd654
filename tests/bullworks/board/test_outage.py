"""The board while Redis is frozen, killed and back: it always answers, and says of when."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bullworks.board import board_app
from bullworks.board.last_answers import MOST_ANSWERS, UNREACHABLE_HEADER, KeptAnswer, LastAnswers
from bullworks.board.pages import PAGES
from bullworks.bullmq import Queue
from tests.bullworks.board.client import BoardClient
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

ASKED = [
    *(f"-{page.path}" for page in PAGES if page.path != "/search"),
    "-/search?q=welcome", "-/queue?name=email", "-/job?queue=email&id=1",
    "api/queues?activeQueue=email", "api/queues/email/1", "api/redis/stats", "api/job-schedulers",
]  # fmt: skip
LONGEST_S = 10  # 1.6 s, on a machine that is busy with other tests; without patience it takes 20 and more


async def asked(board: BoardClient, paths: list[str]) -> list[Any]:
    async with asyncio.timeout(LONGEST_S):
        return await asyncio.gather(*(board.get(path) for path in paths))


async def test_every_page_answers_while_redis_is_away_and_is_fresh_after(tmp_path: Path) -> None:
    with RedisServer(tmp_path, append_only=True) as server:
        queue = Queue[Any]("email", connection=server.url)
        await queue.add("welcome", {})
        board, stranger = BoardClient(board_app(queues=[queue])), "-/search?q=never-asked"
        for answer in await asked(board, ASKED):
            assert answer.status_code == 200
            assert UNREACHABLE_HEADER not in answer.headers

        server.freeze()
        await said_to_be_away(board, stranger)
        change = await board.change("PUT", "api/queues/email/pause")
        assert (change.status_code, change.json()["code"]) == (503, "REDIS_AWAY")
        server.thaw()
        await eventually(lambda: is_fresh(board), what="fresh figures after the freeze")

        server.kill()
        await said_to_be_away(board, stranger)
        server.start()
        await eventually(lambda: is_fresh(board), what="fresh figures after the restart")
        assert not await queue.is_paused()
        await queue.close()


async def said_to_be_away(board: BoardClient, stranger: str) -> None:
    """Every address has the last answer and says so; one that was never asked says why there is none."""
    *known, unknown = await asked(board, [*ASKED, stranger])
    for path, answer in zip(ASKED, known, strict=True):
        assert answer.status_code == 200, path
        assert answer.headers[UNREACHABLE_HEADER], path
        if path.startswith("-"):
            assert "Redis unreachable since 20" in answer.text, path
        else:
            assert answer.json() is not None
    assert unknown.status_code == 503
    assert "Redis unreachable since 20" in unknown.text
    assert unknown.headers["Content-Type"].startswith("text/html")


async def is_fresh(board: BoardClient) -> bool:
    answer = await board.get("-/")
    return answer.status_code == 200 and UNREACHABLE_HEADER not in answer.headers


def test_what_is_kept_is_bounded_and_of_one_person() -> None:
    last = LastAnswers()
    answer = KeptAnswer(200, [], b"x" * 1_000_000, "token", 1)
    for number in range(MOST_ANSWERS * 2):
        last.keep(("ada", str(number)), answer)
    kept = [number for number in range(MOST_ANSWERS * 2) if last.get(("ada", str(number)))]
    assert kept == list(range(MOST_ANSWERS * 2 - len(kept), MOST_ANSWERS * 2))
    assert 10 <= len(kept) <= 16
    assert last.get(("eve", str(kept[-1]))) is None


async def test_a_kept_page_holds_the_token_of_the_browser_that_asks(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        queue = Queue[Any]("email", connection=server.url)
        app = board_app(queues=[queue])
        first, second = BoardClient(app), BoardClient(app)
        theirs, ours = await first.token(), await second.token()
        assert theirs in (await first.get("-/")).text
        server.kill()
        page = (await second.get("-/")).text
        assert "Redis unreachable" in page
        assert theirs not in page
        assert ours in page
        await queue.close()
