"""A long-lived task: started, watched, cancelled and awaited."""

import asyncio
import logging

import pytest

from bullworks.redis import background
from bullworks.redis.background import Background, BackgroundEndedError, is_ending
from tests.bullworks.waiting import eventually


class Part:
    """Counts its starts, and ends as often as it is told to."""

    def __init__(self, *endings: BaseException | None) -> None:
        self.starts = 0
        self._endings = list(endings)

    async def run(self) -> None:
        self.starts += 1
        if self._endings:
            ending = self._endings.pop(0)
            if ending is not None:
                raise ending
            return
        await asyncio.get_running_loop().create_future()


async def test_starting_twice_starts_one_task_and_closing_ends_it():
    part = Part()
    task = Background("part", part.run)
    task.start()
    task.start()
    await eventually(lambda: part.starts)
    assert task.is_running
    assert await task.close()
    assert await task.close()
    assert (part.starts, task.is_running, task.task) == (1, False, None)


async def test_closing_one_that_was_never_started_is_fine():
    assert await Background("part", Part().run).close()


async def test_a_closed_one_can_be_started_again():
    part = Part()
    task = Background("part", part.run)
    for _ in range(3):
        task.start()
        await asyncio.sleep(0)
        await task.close()
    assert part.starts == 3


@pytest.mark.parametrize("ending", [None, ValueError("broken"), asyncio.CancelledError()], ids=str)
async def test_one_that_ends_is_told_of_and_started_again(
    ending: BaseException | None, caplog: pytest.LogCaptureFixture
):
    part = Part(ending)
    task = Background("part", part.run)
    task.start()
    await eventually(lambda: part.starts == 2)
    await task.close()
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "part ended" in record.getMessage()


async def test_one_that_was_cancelled_by_somebody_else_is_started_again(caplog: pytest.LogCaptureFixture):
    part = Part()
    task = Background("part", part.run)
    task.start()
    await eventually(lambda: part.starts == 1)
    assert task.task is not None
    task.task.cancel()
    await eventually(lambda: part.starts == 2)
    await task.close()
    assert "its task was cancelled" in caplog.text


async def test_one_that_ends_over_and_over_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(background, "_MOST_STARTS", 3)
    part = Part(*(ValueError("broken") for _ in range(10)))
    told: list[BackgroundEndedError] = []
    task = Background("part", part.run, on_given_up=told.append)
    task.start()
    await eventually(lambda: told)
    assert part.starts == 3
    assert not task.is_running
    assert "part ended" in str(told[0])
    assert "broken" in str(told[0])
    await task.close()


async def test_one_that_ignores_its_cancellation_is_waited_for_as_long_as_asked():
    is_over = asyncio.Event()

    async def run() -> None:
        while not is_over.is_set():
            try:
                await is_over.wait()
            except asyncio.CancelledError:
                continue

    task = Background("part", run)
    task.start()
    await asyncio.sleep(0)
    assert not await task.close(0.01)
    is_over.set()
    assert await task.close()


def test_a_loop_that_ends_is_known_and_nothing_is_started_again(caplog: pytest.LogCaptureFixture):
    part = Part()
    seen: list[bool] = []

    async def run() -> None:
        try:
            await part.run()
        finally:
            seen.append(is_ending(asyncio.get_running_loop()))

    async def main() -> None:
        Background("part", run).start()
        await asyncio.sleep(0)
        seen.append(is_ending(asyncio.get_running_loop()))

    asyncio.run(main())
    assert seen == [False, True]
    assert part.starts == 1
    assert not caplog.records
