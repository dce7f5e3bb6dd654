"""EventReaders: what tells the jobs of an owner of their end, a Queue, FlowProducer or Worker: one reader a queue."""

import asyncio

from bullworks.bullmq.errors import EventsClosedError
from bullworks.bullmq.events.reader import EventReader
from bullworks.bullmq.events.waiting import JobWaits
from bullworks.bullmq.keys import QueueKeys
from bullworks.redis import Endpoint


class EventReaders:
    """Creates an event reader per queue when a job is first waited for; closes all with their owner."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._readers: dict[str, EventReader] = {}
        self._is_closed = False

    def of(self, keys: QueueKeys) -> "SharedEvents":
        """The event source for waits on a queue's jobs; opens nothing until the first wait."""
        return SharedEvents(self, keys)

    def reader(self, keys: QueueKeys) -> EventReader:
        """The event reader of a queue, created at the first call.

        Raises:
            EventsClosedError: the owner was closed.
        """
        if self._is_closed:
            raise EventsClosedError(keys.name)
        reader = self._readers.get(keys.base)
        if reader is None:
            reader = self._readers[keys.base] = EventReader(self._endpoint, keys)
        return reader

    async def close(self) -> None:
        """Fail all waits and close the connections. Closing twice is fine."""
        self._is_closed = True
        await asyncio.gather(*(reader.close() for reader in self._readers.values()))


class SharedEvents:
    """An EventSource that all jobs of one queue share."""

    __slots__ = ("_readers", "keys")

    def __init__(self, readers: EventReaders, keys: QueueKeys) -> None:
        self._readers = readers
        self.keys = keys

    @property
    def waits(self) -> JobWaits:
        return self._readers.reader(self.keys).waits

    async def start(self) -> None:
        """Start the queue's event reader. Raises EventsClosedError, ConnectError."""
        await self._readers.reader(self.keys).start()
