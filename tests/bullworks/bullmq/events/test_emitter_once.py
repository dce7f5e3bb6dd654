"""Callbacks for the next event only."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError
from bullworks.bullmq.events.emitter import Emitter


@pytest.fixture
def emitter() -> Emitter:
    return Emitter({"a", "b"}, "queue q")


def test_once_is_called_once_with_as_many_arguments_as_it_takes(emitter: Emitter) -> None:
    heard: list[Any] = []
    emitter.once("a", heard.append)
    emitter.once("a", lambda first: heard.append(first + 1))
    emitter.on("a", lambda: heard.append("always"))
    emitter.emit("b", 0)
    emitter.emit("a", 1)
    emitter.emit("a", 2)
    assert heard == [1, 2, "always", "always"]


def test_once_keeps_its_place_among_the_others(emitter: Emitter) -> None:
    heard: list[str] = []
    emitter.on("a", lambda: heard.append("first"))
    emitter.once("a", lambda: heard.append("second"))
    emitter.on("a", lambda: heard.append("third"))
    emitter.emit("a")
    assert heard == ["first", "second", "third"]


def test_an_event_within_its_own_callback_calls_it_no_second_time(emitter: Emitter) -> None:
    heard: list[int] = []

    def again() -> None:
        heard.append(1)
        emitter.emit("a")

    emitter.on("a", lambda: None)
    emitter.once("a", again)
    emitter.emit("a")
    assert heard == [1]


def test_a_callback_before_it_may_take_it_off(emitter: Emitter) -> None:
    heard: list[int] = []

    def hear() -> None:
        heard.append(1)

    emitter.on("a", lambda: emitter.off("a", hear))
    emitter.once("a", hear)
    emitter.emit("a")
    assert heard == []


def test_an_event_that_nobody_listens_to_any_more_leaves_nothing_behind(emitter: Emitter) -> None:
    emitter.once("a", print)
    emitter.on("b", print)
    emitter.off("b", print)
    emitter.emit("a")
    assert not emitter.has("a")
    assert emitter._callbacks == {}


def test_once_refuses_an_event_that_does_not_exist(emitter: Emitter) -> None:
    with pytest.raises(InvalidOptionError, match="c: unknown option"):
        emitter.once("c", print)


def test_without_a_list_of_events_every_name_will_do() -> None:
    emitter = Emitter(None, "queue q")
    heard: list[int] = []
    emitter.on("whatever", heard.append)
    emitter.emit("whatever", 5)
    assert heard == [5]
