"""Ending tasks, whatever they do."""

from __future__ import annotations

import asyncio

from bullworks.tasks import cancel_and_wait, wait_or_cancel


async def fail() -> None:
    raise ValueError("a task of a test")


async def test_what_failed_or_was_never_begun_can_be_cancelled() -> None:
    endless, failing = asyncio.ensure_future(asyncio.Event().wait()), asyncio.ensure_future(fail())
    await cancel_and_wait(endless, None, failing)
    assert endless.cancelled()
    assert failing.done()


async def test_what_ends_in_time_is_not_cancelled() -> None:
    quick = asyncio.ensure_future(asyncio.sleep(0, "done"))
    assert await wait_or_cancel([quick], 60)
    assert quick.result() == "done"


async def test_what_does_not_end_in_time_is_cancelled_and_told() -> None:
    endless = asyncio.ensure_future(asyncio.Event().wait())
    assert not await wait_or_cancel([endless], 0)
    assert endless.cancelled()


async def test_nothing_to_wait_for_is_fine() -> None:
    assert await wait_or_cancel([], 0)
    await cancel_and_wait()
