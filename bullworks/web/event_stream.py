"""Streams of server-sent events: one answer, which lasts a while and then lets the browser come back."""

import asyncio
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Send

from bullworks.tasks import cancel_and_wait

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_S = 10.0
"""For proxies, which cut off what is silent."""
STREAM_S = 20.0
"""How long a stream lasts; browsers come back by themselves and say what they know. A server that hosts us and waits
for its answers to end before it stops, waits no longer; and permissions are checked again."""
RETURN_MS = 500
"""After which a browser comes back."""

_HEADERS = [
    (b"content-type", MEDIA_TYPE.encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventFeed(Protocol):
    """The events of one stream.

    Attributes:
        changed: set by the feed's owner when there may be news.
    """

    changed: asyncio.Event

    @property
    def is_over(self) -> bool:
        """Whether nothing comes after the news that were read; asked after them."""
        ...

    def news(self) -> str:
        """Read the events that are to be sent now, in the format of the stream; "" for none."""
        ...


async def stream_events(
    feed: EventFeed,
    receive: Receive,
    send: Send,
    *,
    stopping: asyncio.Event,
    stream_s: float = STREAM_S,
    heartbeat_s: float = HEARTBEAT_S,
) -> None:
    """Send a feed's news until the client has gone, the feed is over, the time is up, or the server is to stop.

    Args:
        stopping: set once the server is to stop.
        stream_s: how long the stream lasts, seconds.
        heartbeat_s: after so much silence a comment is sent.
    """
    ends = (
        asyncio.create_task(_wait_for_disconnect(receive), name="event-stream-gone"),
        asyncio.create_task(_wait_for(stopping), name="event-stream-stopping"),
    )
    for end in ends:
        end.add_done_callback(lambda _: feed.changed.set())
    try:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _write(send, f"retry: {RETURN_MS}\n\n")
        await _send_news(feed, send, ends, stream_s, heartbeat_s)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        await cancel_and_wait(*ends)


def head_only() -> Response:
    """The answer to a HEAD of a stream, which opens none."""
    return Response(None, 200, media_type=MEDIA_TYPE)


async def _send_news(
    feed: EventFeed, send: Send, ends: "tuple[asyncio.Task[None], ...]", stream_s: float, heartbeat_s: float
) -> None:
    now_s = asyncio.get_running_loop().time
    until_s, said_s = now_s() + stream_s, now_s()
    while (left_s := until_s - now_s()) > 0 and not any(end.done() for end in ends):
        feed.changed.clear()
        text = feed.news() or (": still here\n\n" if now_s() - said_s >= heartbeat_s else "")
        if text:
            said_s = now_s()
            await _write(send, text)
        if feed.is_over:
            return
        try:
            async with asyncio.timeout(min(left_s, heartbeat_s)):
                await feed.changed.wait()
        except TimeoutError:
            continue


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait_for(event: asyncio.Event) -> None:
    await event.wait()


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
