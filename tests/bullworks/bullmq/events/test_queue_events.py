"""QueueEvents: everything that happens after it has started, by name, once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bullworks.bullmq import EventsClosedError, InvalidOptionError, Queue, QueueEvents
from bullworks.redis.errors import ConnectError
from tests.bullworks.bullmq.events.ear import Ear
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


def listening(queue: Queue, **options: Any) -> QueueEvents:
    return QueueEvents("q", connection=queue.connection, prefix=queue.keys.prefix, **options)


async def test_the_life_of_a_job_is_told_in_order(queue: Queue, hand: HandWorker, ear: Ear) -> None:
    job = await queue.add("mail", {"n": 1})
    await hand.take()
    await job.update_progress({"step": 1})
    await hand.complete({"ok": True})
    await ear.until("drained")
    assert [(name, args) for name, args, _ in ear.heard] == [
        ("added", {"job_id": "1", "name": "mail"}),
        ("waiting", {"job_id": "1"}),
        ("active", {"job_id": "1", "prev": "waiting"}),
        ("progress", {"job_id": "1", "data": {"step": 1}}),
        ("completed", {"job_id": "1", "returnvalue": {"ok": True}, "prev": "active"}),
        ("drained", {}),
    ]
    stream = await queue.connection.execute("XRANGE", queue.keys.of("events"), "-", "+")
    assert ear.ids == [event_id.decode() for event_id, _ in stream]


async def test_what_is_done_to_a_queue_is_told(queue: Queue, hand: HandWorker, ear: Ear) -> None:
    await queue.add("a", job_id="bad")
    await queue.add("a", job_id="bad")
    await hand.take()
    await hand.fail("no such address")
    await queue.add("a", delay=60_000, job_id="later")
    await queue.remove("later")
    await queue.pause()
    await queue.resume()
    await queue.clean(0, "failed")
    assert await ear.until("cleaned") == [{"count": 1}]
    assert ear.of("duplicated") == [{"job_id": "bad"}]
    assert ear.of("failed") == [{"job_id": "bad", "failed_reason": "no such address", "prev": "active"}]
    assert ear.of("retries_exhausted") == [{"job_id": "bad", "attempts_made": 1}]
    assert ear.of("delayed")[0]["delay"] > 1_700_000_000_000
    assert ear.of("removed") == [{"job_id": "later", "prev": "delayed"}]
    assert ear.of("paused") == ear.of("resumed") == [{}]
    assert ear.errors == []


async def test_callbacks_get_args_and_id_or_as_few_as_they_take(queue: Queue, events: QueueEvents) -> None:
    heard: list[Any] = []
    events.on("added", lambda args, event_id: heard.append((args["job_id"], "-" in event_id)))
    events.on("added", lambda args: heard.append(args["name"]))
    events.on("added", lambda: heard.append("none"))

    async def slowly(args: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        heard.append(("async", args["job_id"]))

    events.on("added", slowly)
    await queue.add("mail")
    await eventually(lambda: len(heard) == 4)
    assert heard == [("1", True), "mail", "none", ("async", "1")]


async def test_once_hears_the_next_event_only(queue: Queue, events: QueueEvents, ear: Ear) -> None:
    heard: list[str] = []

    def hear(args: dict[str, Any]) -> None:
        heard.append(args["job_id"])

    assert events.once("added", hear) is hear
    await queue.add("a")
    await queue.add("a")
    await ear.until("added", 2)
    assert heard == ["1"]


async def test_off_takes_callbacks_of_every_kind_off(queue: Queue, events: QueueEvents, ear: Ear) -> None:
    heard: list[Any] = []

    def hear(*args: Any) -> None:
        heard.append(args)

    events.on("added", hear)
    events.once("waiting", hear)
    events.on_any(hear)
    events.on_custom("mine", hear)
    events.off("added", hear)
    events.off("waiting", hear)
    events.off_any(hear)
    events.off_custom("mine", hear)
    events.off("completed", hear)
    await queue.add("a")
    await queue.connection.execute("XADD", queue.keys.of("events"), "*", "event", "mine")
    await ear.until("mine")
    assert heard == []


async def test_an_event_may_be_heard_for_one_job_alone(queue: Queue, events: QueueEvents, ear: Ear) -> None:
    heard: list[str] = []
    events.on("waiting:b", lambda args: heard.append(args["job_id"]))
    for job_id in ("a", "b", "c"):
        await queue.add("n", job_id=job_id)
    await ear.until("waiting", 3)
    assert heard == ["b"]


@pytest.mark.parametrize("register", [QueueEvents.on, QueueEvents.once])
@pytest.mark.parametrize(
    ("event", "hint"),
    [
        ("compleated", "did you mean completed?"),
        ("retries-exhausted", "did you mean retries_exhausted?"),
        ("my-news", "known: active, added"),
        ("gap:1", "did you mean gap?"),
        ("my-news:1", "known: active, added"),
        ("", "known: active, added"),
        (5, "known: active, added"),
    ],
)
async def test_an_event_that_is_none_is_refused(register: Any, event: Any, hint: str, queue: Queue) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        register(listening(queue), event, print)
    assert hint in str(caught.value)
    assert str(caught.value).endswith("Use on_custom for custom events")


async def test_events_of_ones_own_are_heard_by_on_custom(queue: Queue, events: QueueEvents, ear: Ear) -> None:
    heard: list[Any] = []
    events.on_custom("error", heard.append)
    events.on_custom("painted", lambda args, event_id: heard.append((args, event_id)))
    stream = queue.keys.of("events")
    await queue.connection.execute("XADD", stream, "5-1", "event", "error", "what", "an event named so")
    await queue.connection.execute("XADD", stream, "5-2", "event", "painted", "colorName", "red", "data", "{}")
    await ear.until("painted")
    assert heard == [{"what": "an event named so"}, ({"colorName": "red", "data": "{}"}, "5-2")]
    assert ear.errors == []


async def test_nothing_is_missed_between_the_start_and_the_first_read(redis_server: RedisServer, queue: Queue) -> None:
    events = listening(queue)
    ear = Ear(events)
    stream = queue.keys.of("events")
    with redis_server.client() as client:
        client.xadd(stream, {"event": "before"})
        await events.start()
        # Its task has not had a turn yet: this client blocks the loop.
        first = client.xadd(stream, {"event": "first"})
        second = client.xadd(stream, {"event": "second"})
    try:
        await ear.until("second")
        assert ear.names == ["first", "second"]
        assert ear.ids == [first.decode(), second.decode()]
    finally:
        await events.close()


async def test_the_first_event_of_a_new_queue_is_no_gap(redis_server: RedisServer, queue: Queue) -> None:
    events = listening(queue)
    ear = Ear(events)
    await events.start()
    with redis_server.client() as client:
        client.xadd(queue.keys.of("events"), {"event": "first"})
    try:
        await ear.until("first")
        assert ear.gaps == []
    finally:
        await events.close()


async def test_it_goes_on_after_a_stored_id(queue: Queue) -> None:
    for _ in range(3):
        await queue.add("a")
    async with listening(queue, last_event_id="0") as events:
        everything = Ear(events)
        await everything.until("waiting", 3)
        assert everything.of("added") == [{"job_id": str(n), "name": "a"} for n in (1, 2, 3)]
        stored = everything.ids[2]
        await eventually(lambda: events.last_event_id == everything.ids[-1])
    async with listening(queue, last_event_id=stored) as events:
        rest = Ear(events)
        await rest.until("waiting", 2)
        assert rest.ids == everything.ids[3:]
        assert rest.gaps == []


async def test_a_backlog_of_many_reads_is_told_whole_and_in_order(queue: Queue) -> None:
    stream = queue.keys.of("events")
    ids = await asyncio.gather(
        *(queue.connection.execute("XADD", stream, "*", "event", "n", "i", i) for i in range(1_750))
    )
    async with listening(queue, last_event_id="0") as events:
        ear = Ear(events)
        await ear.until("n", 1_750)
    assert ear.ids == [event_id.decode() for event_id in ids]
    assert [args["i"] for args in ear.of("n")] == [str(i) for i in range(1_750)]


async def test_last_event_id_is_open_before_the_start_and_concrete_after(queue: Queue) -> None:
    events = listening(queue)
    assert events.last_event_id == "$"
    await queue.add("a")
    await events.start()
    newest, _ = (await queue.connection.execute("XREVRANGE", queue.keys.of("events"), "+", "-", "COUNT", 1))[0]
    assert events.last_event_id == newest.decode()
    await events.close()


async def test_starting_and_closing_may_be_repeated(queue: Queue) -> None:
    never = listening(queue)
    await never.close()
    await never.close()
    events = listening(queue)
    ear = Ear(events)
    await asyncio.gather(*(events.start() for _ in range(5)))
    await events.start()
    await queue.add("a")
    await ear.until("waiting")
    assert ear.names == ["added", "waiting"]
    await asyncio.gather(events.close(), events.close())
    for closed in (events, never):
        with pytest.raises(EventsClosedError, match="the events of queue q were closed; make a new"):
            await closed.start()


async def test_closing_while_it_starts_ends_the_start(queue: Queue) -> None:
    events = listening(queue)
    starting = asyncio.create_task(events.start())
    await asyncio.sleep(0)
    await events.close()
    with pytest.raises(EventsClosedError):
        await starting


async def test_cancelling_one_who_starts_leaves_it_to_the_others(queue: Queue) -> None:
    events = listening(queue)
    impatient, patient = asyncio.create_task(events.start()), asyncio.create_task(events.start())
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await patient
    assert events.last_event_id != "$"
    await events.close()


async def test_run_returns_once_it_is_closed_and_closes_when_cancelled(queue: Queue) -> None:
    events = listening(queue)
    running = asyncio.create_task(events.run())
    await eventually(lambda: events.last_event_id != "$")
    await events.close()
    await asyncio.wait_for(running, 5)
    other = listening(queue)
    running = asyncio.create_task(other.run())
    await eventually(lambda: other.last_event_id != "$")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(EventsClosedError):
        await other.start()


async def test_closing_lets_async_callbacks_end(queue: Queue) -> None:
    ended: list[bool] = []

    async def slow() -> None:
        await asyncio.sleep(0.05)
        ended.append(True)

    events = listening(queue)
    ear = Ear(events)
    events.on("added", slow)
    await events.start()
    await queue.add("a")
    await ear.until("added")
    await events.close()
    assert ended == [True]


async def test_a_callback_may_close_it(queue: Queue) -> None:
    events = listening(queue)
    running = asyncio.create_task(events.run())
    await eventually(lambda: events.last_event_id != "$")
    events.on("added", events.close)
    await queue.add("a")
    await asyncio.wait_for(running, 5)
    assert running.done()


async def test_its_connection_has_the_name_that_node_gives(queue: Queue, events: QueueEvents) -> None:
    clients = (await queue.connection.execute("CLIENT", "LIST")).decode()
    assert f" name={queue.keys.prefix}:cQ==:qe " in clients
    assert await queue.get_workers() == []


async def test_where_there_is_no_redis_the_start_says_so_and_may_be_tried_again(own_server: RedisServer) -> None:
    events = QueueEvents("q", connection=own_server.url)
    await asyncio.to_thread(own_server.stop)
    for _ in range(2):
        with pytest.raises(ConnectError, match="refused"):
            await events.start()
    await asyncio.to_thread(own_server.start)
    ear = Ear(events)
    await events.start()
    await asyncio.to_thread(own_server.run, "XADD", "bull:q:events", "*", "event", "n")
    await ear.until("n")
    await events.close()
    assert ear.names == ["n"]


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"queue_name": "a:b"}, "queue name"),
        ({"prefix": ""}, "prefix"),
        ({"last_event_id": "newest"}, "last_event_id"),
        ({"blocking_timeout": 0}, "blocking_timeout"),
        ({"blocking_timeout": "5s"}, "blocking_timeout"),
    ],
)
def test_a_bad_option_is_refused_at_once(options: dict[str, Any], option: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        QueueEvents(**{"queue_name": "q", "connection": "redis://127.0.0.1:1", **options})
    assert caught.value.option == option


def test_its_repr_shows_no_password() -> None:
    events = QueueEvents("q", connection="redis://:secret@127.0.0.1:1")
    assert "secret" not in repr(events)
    assert "queue 'q'" in repr(events)


def _awaited(bad: Callable[[Any], None]) -> Any:
    async def awaited(args: dict[str, Any]) -> None:
        bad(args)

    return awaited


@pytest.mark.parametrize("make", [lambda bad: bad, _awaited], ids=["sync", "async"])
async def test_a_callback_that_raises_stops_nothing(
    make: Callable[[Any], Any], queue: Queue, events: QueueEvents, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    def bad(args: dict[str, Any]) -> None:
        raise RuntimeError(f"boom {args['job_id']}")

    events.on("added", make(bad))
    await queue.add("a")
    await queue.add("a")
    await ear.until("waiting", 2)
    await eventually(lambda: "boom 2" in caplog.text)
    assert ear.names == ["added", "waiting"] * 2
