"""How many events are kept: the queue's option, and trimming by hand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, JobSpec, Queue
from bullworks.bullmq.options.streams import StreamsOptions


def limited(queue: Queue, streams: Any) -> Queue:
    return Queue("q", connection=queue.connection, prefix=queue.keys.prefix, streams=streams)


async def meta(queue: Queue, field: str) -> Any:
    return await queue.connection.execute("HGET", queue.keys.of("meta"), field)


async def length(queue: Queue) -> int:
    return int(await queue.connection.execute("XLEN", queue.keys.of("events")))


@pytest.mark.parametrize(
    "use",
    [
        lambda queue: queue.add("a"),
        lambda queue: queue.add_bulk([JobSpec("a")]),
        lambda queue: queue.wait_until_ready(),
    ],
    ids=["add", "add_bulk", "wait_until_ready"],
)
async def test_the_option_is_stored_where_all_who_use_the_queue_read_it(use: Any, queue: Queue) -> None:
    streams: StreamsOptions = {"events": {"max_len": 250}}
    await use(limited(queue, streams))
    assert await meta(queue, "opts.maxLenEvents") == b"250"
    assert (await meta(queue, "version")).startswith(b"bullworks:")


async def test_a_queue_without_it_leaves_what_is_stored(queue: Queue) -> None:
    await limited(queue, {"events": {"max_len": 250}}).add("a")
    await queue.add("a")
    await limited(queue, {}).wait_until_ready()
    assert await meta(queue, "opts.maxLenEvents") == b"250"


async def test_it_is_stored_once_and_replaces_what_was_there(queue: Queue) -> None:
    await queue.add("a")
    assert await meta(queue, "opts.maxLenEvents") == b"10000"
    short = limited(queue, {"events": {"max_len": 250}})
    await asyncio.gather(short.add("a"), short.add("a"))
    await queue.connection.execute("HSET", queue.keys.of("meta"), "opts.maxLenEvents", 500)
    await short.add("a")
    assert await meta(queue, "opts.maxLenEvents") == b"500"


async def test_scripts_keep_about_so_many_events(queue: Queue) -> None:
    short = limited(queue, {"events": {"max_len": 200}})
    for _ in range(10):
        await short.add_bulk([JobSpec("a") for _ in range(100)])
    assert await length(queue) < 500


@pytest.mark.parametrize(
    ("streams", "problem"),
    [
        ({"event": {"max_len": 5}}, "streams.event: unknown option; did you mean streams.events?"),
        ({"events": {"maxLen": 5}}, "maxLen: unknown option; did you mean streams.events.max_len?"),
        ({"events": {}}, "streams.events.max_len: must be a whole number"),
        ({"events": {"max_len": -1}}, "streams.events.max_len: must be a whole number"),
        ({"events": {"max_len": True}}, "streams.events.max_len: must be a whole number"),
        ({"events": 5}, "streams.events: must be a dict"),
        ([], "streams: must be a dict"),
    ],
    ids=repr,
)
async def test_a_bad_option_is_refused(streams: Any, problem: str, queue: Queue) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        limited(queue, streams)
    assert problem in str(caught.value)


async def test_trimming_keeps_about_the_newest(queue: Queue) -> None:
    await queue.add_bulk([JobSpec("a") for _ in range(500)])
    before = await length(queue)
    removed = await queue.trim_events(100)
    after = await length(queue)
    assert (before, removed) == (1_000, before - after)
    assert 100 <= after < 300
    newest = await queue.connection.execute("XREVRANGE", queue.keys.of("events"), "+", "-", "COUNT", 1)
    assert newest[0][1][3] == b"500"
    assert await queue.trim_events(5_000) == 0


async def test_trimming_a_long_stream_leaves_none_of_it_where_none_is_asked_for(queue: Queue) -> None:
    """One call of Redis's own stops after 10,000."""
    stream = queue.keys.of("events")
    for _ in range(25):
        await asyncio.gather(*(queue.connection.execute("XADD", stream, "*", "event", "n") for _ in range(1_000)))
    assert await queue.trim_events(0) == 25_000
    assert await length(queue) == 0


async def test_trimming_a_queue_without_events_is_fine(queue: Queue) -> None:
    assert await queue.trim_events(0) == 0


@pytest.mark.parametrize("max_length", [-1, 1.5, "5", True, None])
async def test_trimming_to_no_number_is_refused(max_length: Any, queue: Queue) -> None:
    with pytest.raises(InvalidOptionError, match="max_length: must be a whole number"):
        await queue.trim_events(max_length)
