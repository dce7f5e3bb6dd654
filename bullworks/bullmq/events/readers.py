"""EventReaders: what tells the jobs of an owner of their end, a Queue, FlowProducer or Worker: one reader a queue."""

import asyncio

from bullworks.bullmq.errors import EventsClosedError
from bullworks.bullmq.events.reader import EventReader
from bullworks.bullmq.events.waiting import JobWaits
from bullworks.bullmq.keys import QueueKeys
from bullworks.redis import Endpoint


class EventReaders:
    """Makes a reader when somebody first waits for a job of its queue; closes all with their owner."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._readers: dict[str, EventReader] = {}
        self._is_closed = False

    def of(self, keys: QueueKeys) -> "SharedEvents":
        """What the jobs of that queue wait with; costs nothing until they do."""
        return SharedEvents(self, keys)

    def reader(self, keys: QueueKeys) -> EventReader:
        """The one of that queue.

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
        """End all waits, and let the connections go. Closing twice is fine."""
        self._is_closed = True
        await asyncio.gather(*(reader.close() for reader in self._readers.values()))


class SharedEvents:
    """The EventSource of one queue's jobs."""

    __slots__ = ("_readers", "keys")

    def __init__(self, readers: EventReaders, keys: QueueKeys) -> None:
        self._readers = readers
        self.keys = keys

    @property
    def waits(self) -> JobWaits:
        return self._readers.reader(self.keys).waits

    async def start(self) -> None:
        """Raises EventsClosedError, ConnectError."""
        await self._readers.reader(self.keys).start()
