"""QueueFeed: follows the jobs of one queue for all who listen, by one read of its event stream."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from bullworks.bullmq import EventsMissedError, InvalidPayloadError, MalformedEventError, Queue
from bullworks.bullmq.events.event_id import EventId
from bullworks.bullmq.events.reader import EventReader
from bullworks.bullmq.wire.event_codec import StreamEvent
from bullworks.job_api.job_topic import JobTopic, ending_of
from bullworks.job_api.snapshot import read_snapshot
from bullworks.redis import Pace, RedisError
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

# A browser that lost its connection comes back sooner, and then misses no event of its job.
LINGER_S = 60.0
_LOOKS_AT_ONCE = 100

_STATES = {
    "waiting": "waiting",
    "active": "active",
    "delayed": "delayed",
    "waiting_children": "waiting-children",
    "completed": "completed",
    "failed": "failed",
    "removed": "removed",
}
"""By the event that tells of it."""


class QueueFeed:
    """The followed jobs of one queue. While there is none, nothing is read and no connection is open.

    A job is read once, when somebody begins to follow it; from then on one blocking read of the queue's events serves
    all. It is read again only where events were missed.

    Args:
        shows_result: the names of jobs of which it is shown how they ended.
    """

    def __init__(self, queue: Queue[Any], shows_result: Iterable[str] = ()) -> None:
        self._queue = queue
        self._shows_result = frozenset(shows_result)
        self._topics: dict[str, JobTopic] = {}
        self._reader: EventReader | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._pace = Pace(log, f"followed jobs of queue {queue.name} cannot be read")

    @property
    def topics(self) -> int:
        """The number of jobs that are followed, or were a moment ago."""
        return len(self._topics)

    async def join(self, job_id: str) -> JobTopic:
        """Begin to follow a job; every call needs its `leave`.

        Returns:
            its topic, whose `name` is None if there is no such job.

        Raises:
            RedisError: it cannot be read.
        """
        topic = self._topics.get(job_id)
        if topic is None:
            topic = self._topics[job_id] = JobTopic(job_id)
        topic.users += 1
        if topic.forgetting is not None:
            topic.forgetting.cancel()
            topic.forgetting = None
        try:
            async with topic.reading:
                if not topic.is_known:
                    if self._reader is None:
                        endpoint = self._queue.connection.endpoint
                        self._reader = EventReader(endpoint, self._queue.keys, self)
                    await self._reader.start()
                    await self._look(topic)
        except BaseException:
            self.leave(topic)
            raise
        return topic

    def leave(self, topic: JobTopic) -> None:
        """End following a job; it is remembered for a minute."""
        topic.users -= 1
        if topic.users > 0:
            return
        if topic.name is None or not topic.is_known:
            self._forget(topic)
        else:
            topic.forgetting = asyncio.get_running_loop().call_later(LINGER_S, self._forget, topic)

    async def close(self) -> None:
        """Forget all jobs and close the connection. Closing twice, or with nobody listening, is fine."""
        for topic in list(self._topics.values()):
            if topic.forgetting is not None:
                topic.forgetting.cancel()
        self._topics.clear()
        await cancel_and_wait(self._looking)
        self._looking = None
        self._end_reader()
        await asyncio.gather(*self._ending)

    def event(self, event: StreamEvent) -> None:
        """Pass on an event of a followed job; that of another costs a look into a dict."""
        topic = self._topics.get(event.job_id or "")
        name = event.name
        if topic is None:
            if name == "cleaned":
                self._look_again()  # it does not tell which jobs
            return
        try:
            if name == "progress":
                topic.progressed(_id_of(event), event.args().get("data"))
            elif name in _STATES:
                state = _STATES[name]
                topic.heard(_id_of(event), state, self._ending_of(topic, state, event))
        except (MalformedEventError, InvalidPayloadError) as error:
            log.warning("an event of job %s of queue %s cannot be read: %s", topic.id, self._queue.name, error)

    def missed(self, error: EventsMissedError) -> None:
        """Read all followed jobs again, because events were lost."""
        del error  # the reader has logged it
        self._look_again()

    def failed(self, error: Exception) -> None:
        """Note that reading failed; the reader logs that, and goes on."""

    def _ending_of(self, topic: JobTopic, state: str, event: StreamEvent) -> dict[str, Any]:
        if topic.name not in self._shows_result or state not in {"completed", "failed"}:
            return {}
        args = event.args()
        return ending_of(state, args.get("returnvalue"), args.get("failed_reason"))

    async def _look(self, topic: JobTopic) -> None:
        snapshot = await read_snapshot(self._queue, topic.id)
        topic.saw(snapshot, shows_result=snapshot.name in self._shows_result)

    def _look_again(self) -> None:
        for topic in self._topics.values():
            topic.is_known = False
        if self._topics and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look_at_all(), name=f"job-feed:{self._queue.name}")

    async def _look_at_all(self) -> None:
        while unknown := [topic for topic in self._topics.values() if not topic.is_known][:_LOOKS_AT_ONCE]:
            try:
                await asyncio.gather(*(self._look(topic) for topic in unknown))
            except RedisError as error:
                await self._pace.wait(error)
            else:
                self._pace.reset()

    def _forget(self, topic: JobTopic) -> None:
        if self._topics.get(topic.id) is topic:
            del self._topics[topic.id]
        if not self._topics:
            self._end_reader()

    def _end_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            ending = asyncio.create_task(reader.close(), name=f"job-feed-close:{self._queue.name}")
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)


def _id_of(event: StreamEvent) -> EventId:
    return EventId.of(event.id)
