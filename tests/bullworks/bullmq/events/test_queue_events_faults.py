"""Whatever happens to Redis: each event that it keeps is told once, in order, and what is lost is told too."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from bullworks.bullmq import EventsMissedError, JobSpec, MalformedEventError, Queue, QueueEvents, Worker
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import ConnectionLostError
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.events.ear import Ear
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.kill

JOBS = 1_000


async def kill_readers(queue: Queue) -> int:
    """Close the connections of all QueueEvents of the queue, from Redis's side. Returns how many."""
    name = f" name={queue.keys.events_client_name()} "
    clients = (await queue.connection.execute("CLIENT", "LIST")).decode().splitlines()
    ids = [line.split()[0].removeprefix("id=") for line in clients if name in line]
    for client_id in ids:
        await queue.connection.execute("CLIENT", "KILL", "ID", client_id)
    return len(ids)


async def restart(server: RedisServer, _: Queue) -> None:
    await asyncio.to_thread(server.restart)


async def cut_again_and_again(_: RedisServer, queue: Queue) -> None:
    for _cut in range(3):
        await eventually(lambda: kill_readers(queue), what="a reader to be connected")


async def flush_scripts(server: RedisServer, _: Queue) -> None:
    await asyncio.to_thread(server.run, "SCRIPT", "FLUSH")


async def pause_clients(server: RedisServer, _: Queue) -> None:
    await asyncio.to_thread(server.run, "CLIENT", "PAUSE", "300", "ALL")


async def freeze(server: RedisServer, _: Queue) -> None:
    server.freeze()
    await asyncio.sleep(0.3)  # the fault itself, not a wait for something
    server.thaw()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", [restart, cut_again_and_again, flush_scripts, pause_clients, freeze])
async def test_every_job_is_seen_to_complete_exactly_once(
    fault: Callable[[RedisServer, Queue], Awaitable[None]], own_server: RedisServer
) -> None:
    url = own_server.url
    async with Queue("q", connection=url) as queue, QueueEvents("q", connection=url) as events:
        ear = Ear(events)
        ids = [job.id for job in await queue.add_bulk([JobSpec("n", i) for i in range(JOBS)])]

        async def process(job: Any) -> Any:
            await asyncio.sleep(0.005)
            return job.data

        async with Worker("q", process, connection=url, concurrency=20):
            await ear.until("completed", JOBS // 10)
            await fault(own_server, queue)
            assert len(ear.of("completed")) < JOBS, "the fault came too late to matter"
            await ear.until("completed", JOBS, within_s=30)
        await eventually(lambda: "drained" in ear.names)
    seen = Counter(args["job_id"] for args in ear.of("completed"))
    assert seen == Counter(ids)
    assert {int(args["job_id"]): args["returnvalue"] for args in ear.of("completed")} == {i + 1: i for i in range(JOBS)}
    assert ear.ids == sorted(set(ear.ids), key=lambda event_id: tuple(map(int, event_id.split("-"))))
    assert ear.gaps == []


async def test_events_of_a_time_without_connection_are_told_afterwards(own_server: RedisServer) -> None:
    """Given a reader that is cut off, when the queue goes on, it hears all of that once it is back."""
    async with Queue("q", connection=own_server.url) as queue, QueueEvents("q", connection=own_server.url) as events:
        ear = Ear(events)
        await queue.add("before")
        await ear.until("waiting", 1)
        await kill_readers(queue)
        await queue.add_bulk([JobSpec("meanwhile") for _ in range(100)])
        await ear.until("waiting", 101)
    assert [args["job_id"] for args in ear.of("added")] == [str(n) for n in range(1, 102)]
    assert any(isinstance(error, ConnectionLostError) for error in ear.errors)


async def test_a_server_that_loads_its_data_is_waited_for(tmp_path: Path) -> None:
    """LOADING refuses every command; the reader is there again when it ends."""
    slow = ["--key-load-delay", "300"]  # us a command; clients are served every 1,024
    with RedisServer(tmp_path, append_only=True, options=slow) as server:
        async with Queue("q", connection=server.url) as queue, QueueEvents("q", connection=server.url) as events:
            ear = Ear(events)
            await queue.add_bulk([JobSpec("n") for _ in range(1_000)])
            await ear.until("waiting", 1_000)
            await asyncio.to_thread(server.stop)
            starting = asyncio.create_task(asyncio.to_thread(server.start))
            assert await eventually(lambda: is_loading(server)), "it loaded too fast"
            await starting
            await queue.add("n")
            await ear.until("waiting", 1_001)
    assert ear.names == ["added", "waiting"] * 1_001


def is_loading(server: RedisServer) -> bool:
    with Endpoint.of(server.url).sync_client() as client:  # which does not try again by itself
        try:
            client.ping()
        except redis.BusyLoadingError:
            return True
        except redis.ConnectionError:
            return False
    raise AssertionError("it has loaded already")


async def test_events_trimmed_before_they_were_read_are_a_gap(
    own_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with Queue("q", connection=own_server.url) as queue:
        stream = queue.keys.of("events")
        await queue.connection.execute("XADD", stream, "5-0", "event", "kept")
        await queue.connection.execute("XADD", stream, "6-0", "event", "newest")
        with caplog.at_level(logging.WARNING):
            async with QueueEvents("q", connection=own_server.url, last_event_id="4-0") as events:
                ear = Ear(events)
                await ear.until("newest")
    assert ear.names == ["kept", "newest"]
    assert ear.gaps == [{"last_event_id": "4-0", "next_event_id": "5-0"}]
    (error,) = ear.errors
    assert isinstance(error, EventsMissedError)
    assert (error.queue_name, error.last_event_id, error.next_event_id) == ("q", "4-0", "5-0")
    assert "events of queue q may have been missed: the last one seen was 4-0, reading continues at 5-0" in caplog.text


async def test_a_reader_that_falls_behind_the_trimming_tells_the_gap_and_goes_on(own_server: RedisServer) -> None:
    """Given a callback that blocks the loop while the stream is trimmed past the reader."""
    async with Queue("q", connection=own_server.url) as queue, QueueEvents("q", connection=own_server.url) as events:
        ear = Ear(events)

        def block() -> None:
            with own_server.client() as client:
                for n in range(1, 301):
                    client.xadd("bull:q:events", {"event": f"later-{n}"}, maxlen=10, approximate=False)

        events.on_custom("slow", block)
        await queue.connection.execute("XADD", queue.keys.of("events"), "*", "event", "slow")
        await ear.until("later-300")
    assert ear.names == ["slow", *(f"later-{n}" for n in range(291, 301))]
    (gap,) = ear.gaps
    assert gap == {"last_event_id": ear.ids[0], "next_event_id": ear.ids[1]}


async def test_a_gap_is_told_even_where_redis_has_forgotten_the_scripts(own_server: RedisServer) -> None:
    async with Queue("q", connection=own_server.url) as queue, QueueEvents("q", connection=own_server.url) as events:
        ear = Ear(events)

        def block() -> None:
            with own_server.client() as client:
                client.script_flush()
                client.delete("bull:q:events")
                client.xadd("bull:q:events", {"event": "anew"})

        events.on_custom("slow", block)
        await queue.connection.execute("XADD", queue.keys.of("events"), "5-0", "event", "slow")
        await ear.until("anew")
    assert [gap["last_event_id"] for gap in ear.gaps] == ["5-0"]


async def test_a_stream_that_went_back_is_read_on_from_its_end(own_server: RedisServer) -> None:
    """Given a replica that took over without the last events, or a backup put back, and a clock behind."""
    async with Queue("q", connection=own_server.url) as queue:
        stream = queue.keys.of("events")
        async with QueueEvents("q", connection=own_server.url) as events:
            ear = Ear(events)
            for event_id in ("5-0", "9-0"):
                await queue.connection.execute("XADD", stream, event_id, "event", "seen")
            await ear.until("seen", 2)
            await asyncio.to_thread(own_server.run, "DEL", stream)
            await asyncio.to_thread(own_server.run, "XADD", stream, "5-0", "event", "seen")
            await kill_readers(queue)
            await eventually(lambda: ear.gaps)
            await queue.connection.execute("XADD", stream, "6-0", "event", "new")
            await ear.until("new")
    assert list(zip(ear.names, ear.ids, strict=True)) == [("seen", "5-0"), ("seen", "9-0"), ("new", "6-0")]
    assert ear.gaps == [{"last_event_id": "9-0", "next_event_id": "5-0"}]


async def test_an_emptied_queue_is_followed_on(queue: Queue, events: QueueEvents, ear: Ear) -> None:
    stream = queue.keys.of("events")
    await queue.connection.execute("XADD", stream, "5-0", "event", "old")
    await ear.until("old")
    await queue.connection.execute("DEL", stream)
    await queue.add("n")
    await ear.until("waiting")
    assert ear.names == ["old", "added", "waiting"]


async def test_a_stream_that_went_back_is_noticed_without_a_break_too(queue: Queue) -> None:
    stream = queue.keys.of("events")
    async with QueueEvents("q", connection=queue.connection, prefix=queue.keys.prefix, blocking_timeout=50) as events:
        ear = Ear(events)
        await queue.connection.execute("XADD", stream, "9-0", "event", "seen")
        await ear.until("seen")
        await queue.connection.execute("DEL", stream)
        await queue.connection.execute("XADD", stream, "3-0", "event", "lost")
        await eventually(lambda: ear.gaps)
        await queue.connection.execute("XADD", stream, "4-0", "event", "new")
        await ear.until("new")
    assert ear.names == ["seen", "new"]
    assert ear.gaps == [{"last_event_id": "9-0", "next_event_id": "3-0"}]


async def test_a_malformed_entry_is_left_out_and_the_rest_of_its_batch_told(
    queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    entries: list[list[str]] = [
        ["event", "first"],
        ["no", "name"],
        ["event", "completed", "jobId", "7", "returnvalue", "{"],
        ["event", "progress", "jobId", "7"],
        ["event", "delayed", "delay", "soon"],
        ["event", ""],
        ["event", "last"],
    ]
    for entry in entries:
        await queue.connection.execute("XADD", queue.keys.of("events"), "*", *entry)
    with caplog.at_level(logging.WARNING):
        async with QueueEvents("q", connection=queue.connection, prefix=queue.keys.prefix, last_event_id="0") as events:
            ear = Ear(events)
            await ear.until("last")
    assert [(name, args) for name, args, _ in ear.heard] == [("first", {}), ("progress", {"job_id": "7"}), ("last", {})]
    assert [type(error) for error in ear.errors] == [MalformedEventError] * 4
    assert "it has no name" in caplog.text


async def test_a_key_of_another_type_is_told_as_an_error_until_it_is_gone(
    queue: Queue, events: QueueEvents, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    stream = queue.keys.of("events")
    await queue.connection.execute("SET", stream, "x")
    await kill_readers(queue)
    await eventually(lambda: any(isinstance(error, ServerError) for error in ear.errors))
    await eventually(lambda: len(ear.errors) > 4)
    assert "WRONGTYPE" in caplog.text
    assert caplog.text.count("reading its events") == 2, "once for each kind of error"
    await queue.connection.execute("DEL", stream)
    await queue.add("n")
    await ear.until("waiting")
    assert ear.names == ["added", "waiting"]


async def test_silence_longer_than_a_read_is_no_fault(queue: Queue) -> None:
    async with QueueEvents("q", connection=queue.connection, prefix=queue.keys.prefix, blocking_timeout=20) as events:
        ear = Ear(events)
        before = await reads(queue)

        async def has_read_again() -> bool:
            return await reads(queue) >= before + 5

        await eventually(has_read_again)
        await queue.add("n")
        await ear.until("waiting")
    assert (ear.names, ear.errors, ear.gaps) == (["added", "waiting"], [], [])


async def reads(queue: Queue) -> int:
    """How often XREAD was called on the server."""
    stats = (await queue.connection.execute("INFO", "commandstats")).decode()
    line = next((line for line in stats.splitlines() if line.startswith("cmdstat_xread:")), "calls=0,")
    return int(line.split("calls=")[1].split(",")[0])
