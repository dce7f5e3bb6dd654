"""JobStreams: the open event streams of a process, over one feed for each queue."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from bullworks.bullmq import InvalidOptionError, Queue
from bullworks.bullmq.events.event_id import EventId, checked_id
from bullworks.job_api.allowed_job import AllowedJob
from bullworks.job_api.errors import RequestRefusedError
from bullworks.job_api.job_topic import JobListener, JobTopic
from bullworks.job_api.queue_feed import QueueFeed
from bullworks.web.event_stream import stream_events


class JobStreams:
    """Opens streams of jobs' events, and no more than so many at a time.

    Args:
        queues: those of the allowed jobs, by name.
        most: how many streams there may be.
        stopping: gives what is set once the server is to stop; it ends the streams.
    """

    def __init__(
        self,
        jobs: Iterable[AllowedJob],
        queues: Mapping[str, Queue[Any]],
        *,
        most: int,
        stopping: Callable[[], asyncio.Event],
    ) -> None:
        shown: dict[str, list[str]] = {name: [] for name in queues}
        for job in jobs:
            if job.shows_result:
                shown[job.queue].append(job.name)
        self.feeds = {name: QueueFeed(queue, shown[name]) for name, queue in queues.items()}
        self._most = most
        self._open = 0
        self._stopping = stopping

    @property
    def open(self) -> int:
        """The number of open streams."""
        return self._open

    async def stream(
        self, queue: str, job_id: str, names: Collection[str | None], last_event_id: str | None
    ) -> "JobStream":
        """Begin a stream of a job, which the answer's end closes.

        Args:
            names: of jobs that may be looked at.
            last_event_id: the last event that the client has, as it says; None for a new client.

        Raises:
            RequestRefusedError: 404, no such job; 503, too many streams; 204, it has ended, and the client knows it.
            RedisError: the job cannot be read.
        """
        if self._open >= self._most or self._stopping().is_set():
            raise RequestRefusedError(503, "too many jobs are being followed", {"Retry-After": "5"})
        feed = self.feeds[queue]
        self._open += 1  # before it is waited for, or many could come at once
        stream = JobStream(self, feed, await self._join(feed, job_id), _event_id(last_event_id))
        refusal = stream.refusal(names)
        if refusal is not None:
            self.leave(feed, stream.topic)
            raise refusal
        return stream

    def stopping(self) -> asyncio.Event:
        return self._stopping()

    def leave(self, feed: QueueFeed, topic: JobTopic) -> None:
        """Note the end of a stream."""
        self._open -= 1
        feed.leave(topic)

    async def close(self) -> None:
        """Close the feeds' connections."""
        await asyncio.gather(*(feed.close() for feed in self.feeds.values()))

    async def _join(self, feed: QueueFeed, job_id: str) -> JobTopic:
        try:
            return await feed.join(job_id)
        except BaseException:
            self._open -= 1
            raise


class JobStream:
    """One answer of events, as an ASGI app."""

    def __init__(self, streams: JobStreams, feed: QueueFeed, topic: JobTopic, known: EventId | None) -> None:
        self.topic = topic
        self._streams = streams
        self._feed = feed
        self._known = known

    def refusal(self, names: Collection[str | None]) -> RequestRefusedError | None:
        """Why there is nothing to stream, if there is not."""
        if self.topic.name not in names:
            return RequestRefusedError(404, "there is no such job")
        if self._known is not None and self.topic.is_final and not self.topic.after(self._known):
            return RequestRefusedError(204, "")  # which tells a browser not to come back
        return None

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        listener = JobListener(self.topic, self._known)
        self.topic.listeners.add(listener)
        try:
            await stream_events(listener, receive, send, stopping=self._streams.stopping())
        finally:
            self.topic.listeners.discard(listener)
            self._streams.leave(self._feed, self.topic)


def _event_id(given: str | None) -> EventId | None:
    try:
        return None if given is None else checked_id(given, "Last-Event-ID")
    except InvalidOptionError:
        return None  # of another server, perhaps: it is sent how the job is now
