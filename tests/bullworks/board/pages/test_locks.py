"""The page of distributed locks. Their names are shared by all who use the server: each test has names of its own."""

from __future__ import annotations

import asyncio

import pytest

from bullworks.board import board_app
from bullworks.board.pages import locks as page_of_locks
from bullworks.locks import DistributedLockService
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard


async def test_who_holds_a_lock_and_who_waits_is_shown(board: MakeBoard, redis_url: str, key_prefix: str) -> None:
    name = f"{key_prefix}<b>report</b>"
    async with DistributedLockService(connection=redis_url) as locks:
        held = await locks.acquire(name, 60_000)
        assert held is not None
        page = (await board().get("-/locks")).text
        assert f"{key_prefix}&lt;b&gt;report&lt;/b&gt;" in page
        assert "<b>report" not in page
        assert str(held.fence) in page
        assert locks.instance in page
        assert held.token.partition(":")[2] not in page
        await held.release()
        assert f"{key_prefix}&lt;b&gt;" not in (await board().get("-/locks")).text


async def test_no_more_names_are_looked_at_than_the_page_says(
    board: MakeBoard, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_locks, "MOST_LOCKS", 1)
    async with DistributedLockService(connection=redis_url) as locks:
        held = await asyncio.gather(*(locks.acquire(f"{key_prefix}-{number}", 60_000) for number in range(3)))
        page = (await board().get("-/locks")).text
        assert "The first 1 of " in page
        assert page.count('<th scope="row"') <= 1
        for lock in held:
            assert lock is not None
            await lock.release()


async def test_a_board_without_queues_shows_no_locks() -> None:
    page = await BoardClient(board_app(queues=[])).get("-/locks")
    assert page.status_code == 200
    assert "No lock is held." in page.text
