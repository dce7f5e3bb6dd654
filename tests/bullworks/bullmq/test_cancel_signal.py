"""CancelSignal: aborted once, told to all who listen, on the loop and in threads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from bullworks.bullmq import CancelSignal, JobCancelledError, UnrecoverableError


def test_it_is_aborted_once_and_keeps_the_first_reason() -> None:
    signal = CancelSignal("1")
    assert (signal.aborted, signal.reason) == (False, None)
    signal.throw_if_aborted()
    assert signal.abort("first")
    assert not signal.abort("second")
    assert (signal.aborted, signal.reason) == (True, "first")
    with pytest.raises(JobCancelledError, match="first"):
        signal.throw_if_aborted()


def test_an_error_as_the_reason_is_the_error_that_is_raised() -> None:
    signal = CancelSignal("1")
    signal.abort(UnrecoverableError("for good"))
    with pytest.raises(UnrecoverableError, match="for good"):
        signal.throw_if_aborted()


def test_callbacks_are_called_once_with_the_reason_and_late_ones_at_once() -> None:
    told: list[Any] = []
    signal = CancelSignal("1")
    signal.add_callback(told.append)
    signal.add_callback(forgotten := (lambda _: told.append("forgotten")))
    signal.remove_callback(forgotten)
    signal.remove_callback(forgotten)
    signal.abort("why")
    signal.abort("again")
    signal.add_callback(told.append)
    assert told == ["why", "why"]


async def test_waiting_ends_with_the_abort_and_leaves_nothing_when_it_is_given_up() -> None:
    signal = CancelSignal("1")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(signal.wait(), 0.01)
    waiting = asyncio.create_task(signal.wait())
    await asyncio.sleep(0)
    signal.abort("why")
    assert await waiting == "why"
    assert await signal.wait() == "why"


def test_a_thread_waits_until_the_abort_or_its_timeout() -> None:
    signal = CancelSignal("1")
    assert not signal.wait_in_thread(5)
    aborter = threading.Timer(0.02, signal.abort, ["why"])
    aborter.start()
    assert signal.wait_in_thread(5_000)
    aborter.join()
    assert signal.wait_in_thread()
    early = CancelSignal("2")
    early.abort()
    assert early.wait_in_thread(0)
