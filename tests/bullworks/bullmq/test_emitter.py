"""In-process events: a callback can take less than it is given, and can do no harm."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError
from bullworks.bullmq.events.emitter import Emitter


@pytest.fixture
def emitter() -> Emitter:
    return Emitter({"completed", "failed"}, "worker of queue q")


def test_callbacks_are_called_in_the_order_they_were_registered(emitter: Emitter) -> None:
    heard: list[str] = []
    emitter.on("completed", lambda: heard.append("first"))
    emitter.on("completed", lambda: heard.append("second"))
    emitter.emit("completed")
    emitter.emit("failed")
    assert heard == ["first", "second"]


def test_a_callback_may_take_fewer_arguments_than_the_event_has(emitter: Emitter) -> None:
    heard: list[Any] = []
    emitter.on("failed", lambda: heard.append(()))
    emitter.on("failed", lambda job: heard.append((job,)))
    emitter.on("failed", lambda *all_of_it: heard.append(all_of_it))
    emitter.on("failed", lambda job, error, prev="default": heard.append((job, error, prev)))
    emitter.emit("failed", 1, 2, 3)
    assert heard == [(), (1,), (1, 2, 3), (1, 2, 3)]


def test_an_event_that_does_not_exist_is_refused_with_the_near_one(emitter: Emitter) -> None:
    with pytest.raises(InvalidOptionError, match="compleated: unknown option; did you mean completed"):
        emitter.on("compleated", print)


def test_a_callback_that_raises_is_logged_and_the_next_is_called(
    emitter: Emitter, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def bad() -> None:
        raise RuntimeError("boom")

    emitter.on("completed", bad)
    emitter.on("completed", lambda: heard.append(1))
    with caplog.at_level(logging.ERROR):
        emitter.emit("completed")
    assert heard == [1]
    assert "worker of queue q: a callback of the event completed failed" in caplog.text
    assert "boom" in caplog.text


async def test_async_callbacks_run_as_tasks_that_drain_awaits(
    emitter: Emitter, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []
    go = asyncio.Event()

    async def slow(value: int) -> None:
        await go.wait()
        heard.append(value)

    async def bad(_: int) -> None:
        raise RuntimeError("late boom")

    emitter.on("completed", slow)
    emitter.on("completed", bad)
    emitter.emit("completed", 5)
    assert heard == []
    go.set()
    await emitter.drain(5)
    assert heard == [5]
    assert "late boom" in caplog.text


async def test_draining_gives_up_on_a_callback_that_does_not_end(emitter: Emitter) -> None:
    cancelled: list[bool] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    emitter.on("completed", endless)
    emitter.emit("completed")
    await asyncio.wait_for(emitter.drain(0.05), 5)
    assert cancelled == [True]
    await asyncio.wait_for(emitter.drain(0.05), 5)


def test_a_callback_can_be_taken_off_again(emitter: Emitter) -> None:
    heard: list[int] = []

    def hear() -> None:
        heard.append(1)

    emitter.on("completed", hear)
    assert emitter.has("completed")
    emitter.off("completed", hear)
    emitter.off("completed", hear)
    emitter.emit("completed")
    assert heard == []
    assert not emitter.has("completed")


def test_a_callback_that_takes_itself_off_spares_the_others(emitter: Emitter) -> None:
    heard: list[str] = []

    def once() -> None:
        heard.append("once")
        emitter.off("completed", once)

    emitter.on("completed", once)
    emitter.on("completed", lambda: heard.append("always"))
    emitter.emit("completed")
    emitter.emit("completed")
    assert heard == ["once", "always", "always"]


def test_on_can_be_used_as_a_decorator_would_be(emitter: Emitter) -> None:
    def hear() -> None: ...

    assert emitter.on("completed", hear) is hear
