"""QueueEventsProducer: events of one's own, stored as npm bullmq's producer stores them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, Queue, QueueEvents, QueueEventsProducer
from bullworks.redis.errors import ConnectionLostError
from tests.bullworks.bullmq.events.ear import Ear


@pytest.fixture
async def producer(queue: Queue, redis_url: str) -> AsyncIterator[QueueEventsProducer]:
    async with QueueEventsProducer("q", connection=redis_url, prefix=queue.keys.prefix) as producer:
        yield producer


async def test_an_event_of_ones_own_reaches_those_who_listen(
    producer: QueueEventsProducer, events: QueueEvents, ear: Ear
) -> None:
    heard: list[Any] = []
    events.on_custom("painted", lambda args, event_id: heard.append((args, event_id)))
    event_id = await producer.publish_event(
        {"event_name": "painted", "color": "żółty", "coats": 2, "share": 0.5, "dry": False, "by": None}
    )
    await ear.until("painted")
    assert heard == [({"color": "żółty", "coats": "2", "share": "0.5", "dry": "false", "by": ""}, event_id)]


async def test_an_event_may_have_no_fields(producer: QueueEventsProducer, ear: Ear) -> None:
    await producer.publish_event({"event_name": "painted"})
    assert await ear.until("painted") == [{}]


async def test_the_stream_is_kept_about_as_long_as_asked(producer: QueueEventsProducer, queue: Queue) -> None:
    for n in range(350):
        await producer.publish_event({"event_name": "n", "n": n}, max_events=100)
    kept = await queue.connection.execute("XLEN", queue.keys.of("events"))
    assert 100 <= kept < 300


@pytest.mark.parametrize(
    ("event", "option"),
    [
        ({}, "event_name"),
        ({"event_name": ""}, "event_name"),
        ({"event_name": 5}, "event_name"),
        ({"event_name": "\ud800"}, "event_name"),
        ({"event_name": "error"}, "event_name"),
        ({"event_name": "gap"}, "event_name"),
        ({"event_name": "n", "event": "x"}, "event"),
        ({"event_name": "n", 5: "x"}, "event"),
        ({"event_name": "n", "": "x"}, "event"),
        ({"event_name": "n", "a": {"b": 1}}, "event field a"),
        ({"event_name": "n", "a": [1]}, "event field a"),
        ({"event_name": "n", "a": float("nan")}, "event field a"),
        ({"event_name": "n", "a": "\ud800"}, "event field a"),
    ],
    ids=repr,
)
async def test_what_could_not_be_told_is_refused(
    event: dict[Any, Any], option: str, producer: QueueEventsProducer, queue: Queue
) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        await producer.publish_event(event)
    assert caught.value.option == option
    assert await queue.connection.execute("EXISTS", queue.keys.of("events")) == 0


@pytest.mark.parametrize("max_events", [-1, True, 1.5, "10"])
async def test_a_bad_length_is_refused(max_events: Any, producer: QueueEventsProducer) -> None:
    with pytest.raises(InvalidOptionError, match="max_events"):
        await producer.publish_event({"event_name": "n"}, max_events)


async def test_it_closes_its_own_connection_and_spares_a_shared_one(queue: Queue, redis_url: str) -> None:
    own = QueueEventsProducer("q", connection=redis_url, prefix=queue.keys.prefix)
    shared = QueueEventsProducer("q", connection=queue.connection, prefix=queue.keys.prefix)
    for producer in (own, shared):
        await producer.publish_event({"event_name": "n"})
        await producer.close()
        await producer.close()
    with pytest.raises(ConnectionLostError):
        await own.publish_event({"event_name": "n"})
    await shared.publish_event({"event_name": "n"})
    assert await queue.connection.execute("XLEN", queue.keys.of("events")) == 3


def test_bad_names_are_refused_and_its_repr_shows_no_password() -> None:
    with pytest.raises(InvalidOptionError, match="queue name"):
        QueueEventsProducer("a:b", connection="redis://127.0.0.1:1")
    assert "secret" not in repr(QueueEventsProducer("q", connection="redis://:secret@127.0.0.1:1"))
