"""Outage: whether the board's Redis answers, and since when it does not; the one place that says how long is waited."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bullworks.board.errors import RefusedError
from bullworks.board.queues import BoardQueue, BoardQueues
from bullworks.redis import ConnectError, ConnectionLostError, Endpoint, PipelinedConnection, RedisError
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

T = TypeVar("T")

# Together below the two seconds within which everything is answered. A reading that takes longer while Redis answers
# is let finish: it is large, and nothing is wrong.
_SILENT_S = 0.8
_REPLY_S = 0.8


@dataclass(eq=False)
class RedisAwayError(RefusedError):
    """Redis does not answer the board; `since_ms` says since when, wall time."""

    since_ms: int

    def __post_init__(self) -> None:
        since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(self.since_ms / 1000))
        message = f"Redis unreachable since {since}"
        super().__init__(503, "REDIS_UNAVAILABLE", message, code="REDIS_AWAY", headers={"Retry-After": "2"})


class Outage:
    """Watches what is read from Redis, and tells a slow reading from a server that is away.

    Attributes:
        since_ms: when Redis was first found away, wall time; None while it answers.
    """

    def __init__(self, queues: BoardQueues) -> None:
        self._queues = queues
        self.since_ms: int | None = None

    async def watch(self, reading: Coroutine[Any, Any, T]) -> T:
        """Return what a reading gives; it is cancelled once Redis is found not to answer.

        Raises:
            RedisAwayError: Redis is away. Known after 1.6 s at most.
        """
        task = asyncio.create_task(reading, name="board-reading")
        try:
            while not (await asyncio.wait({task}, timeout=_SILENT_S))[0]:
                await self.check()
        finally:
            await cancel_and_wait(task)
        try:
            return task.result()
        except (ConnectError, ConnectionLostError) as error:
            raise self.away(str(error)) from error

    async def check(self) -> None:
        """Ask every server of the board for a sign of life, all at once.

        Raises:
            RedisAwayError: one does not give it within 0.8 s.
        """
        try:
            async with asyncio.timeout(_REPLY_S):
                await asyncio.gather(*(entry.glance.ping() for entry in self._servers()))
        except (ConnectError, ConnectionLostError, TimeoutError) as error:
            raise self.away(str(error) or "no answer in time") from error
        except RedisError:  # it answers, if not with what was hoped for
            pass

    def standing(self) -> dict[PipelinedConnection, int]:
        """The connections that stand now with their generations, by which a reading is judged; see `was_whole`."""
        return {link: link.generation for link in self._connections() if link.is_connected}

    def was_whole(self, before: Mapping[PipelinedConnection, int]) -> bool:
        """Whether no connection broke since `before`: then nothing that was read meanwhile lacks a part."""
        made = [link for link in self._connections() if link.generation]
        is_whole = bool(made) and all(
            link.is_connected and before.get(link, link.generation) == link.generation for link in made
        )
        if is_whole and self.since_ms is not None:
            log.warning("Redis answers the board again")
            self.since_ms = None
        return is_whole

    def away(self, reason: str) -> RedisAwayError:
        """Note that Redis is away; returns the error that says so."""
        if self.since_ms is None:
            self.since_ms = time.time_ns() // 1_000_000
            log.warning("Redis does not answer the board: %s", reason)
        return RedisAwayError(self.since_ms)

    def _connections(self) -> list[PipelinedConnection]:
        return list({_link_of(entry): None for entry in self._queues})

    def _servers(self) -> list[BoardQueue]:
        """One queue of each server, one whose connection stands where there is one."""
        entries = sorted(self._queues, key=lambda entry: _link_of(entry).is_connected)
        return list({_server_of(_link_of(entry)): entry for entry in entries}.values())


def _link_of(entry: BoardQueue) -> PipelinedConnection:
    return entry.queue.connection.at(entry.queue.keys.base)


def _server_of(link: PipelinedConnection) -> tuple[Endpoint, int]:
    return link.endpoint, id(link) if link.endpoint.has_slots else 0
