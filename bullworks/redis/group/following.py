"""FollowingConnection: a PipelinedConnection that goes where its keys are, in a group of servers."""

import asyncio
import logging
from typing import Any

from redis.asyncio.connection import AbstractConnection

from bullworks.redis.address import Address
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import ConnectError
from bullworks.redis.group.redirection import Redirection, slot_moving_error
from bullworks.redis.persistence import persist
from bullworks.redis.pipelined import Argument, PipelinedConnection, Wire
from bullworks.redis.server_error import ServerError
from bullworks.tasks import cancel_and_wait

log = logging.getLogger(__name__)

# The wait is for another server to take over, which is looked for with every try.
_LONGEST_SEARCH_S = 0.3
# Silence after which the others are asked whether the server is still the right one, and how often then.
_LOOK_S = 0.5
# A master that sentinels have replaced goes on for some 10 s as if nothing were, and then forgets what it was told
# meanwhile. So they are asked all the time.
_ASK_SENTINELS_S = 1.0
# What was sent before a redirection is answered within a round trip.
_LAST_ANSWERS_S = 1.0
# Refusals that only this server's state explains: another would say the same, or this one will do it in a moment.
_STAYS_ON = frozenset({"ASK", "TRYAGAIN", "CLUSTERDOWN"})


class FollowingConnection(PipelinedConnection):
    """A connection to the master, or to the owner of one cluster slot, that follows failovers and migrations.

    What a server refused because it is not the right one, `execute` and `run` have done by the one that is, within
    `reply_timeout_ms`; nothing was done by the first. What `send` sent is not sent again.

    Args:
        endpoint: of a group.
        key: of a cluster, whose slot it is; None is for Sentinel, and there it does not matter.
        client_name, reply_timeout_ms, hijack: as of PipelinedConnection.
    """

    _longest_backoff_s = _LONGEST_SEARCH_S

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        key: str | bytes | None = None,
        client_name: str | None = None,
        reply_timeout_ms: int = 10_000,
        hijack: bool = True,
    ) -> None:
        super().__init__(endpoint, client_name=client_name, reply_timeout_ms=reply_timeout_ms, hijack=hijack)
        self._watch_s = min(self._watch_s, _LOOK_S)
        self.address: Address | None = None
        self._key = key
        self._slot = endpoint.slot_of(key)
        self._codes = endpoint.group.follows if endpoint.group is not None else frozenset[str]()
        self._successor: Address | None = None
        self._is_leaving = False
        self._looked_s = 0.0
        self._look: asyncio.Task[None] | None = None

    async def execute(self, *command: Argument, key: Argument | None = None) -> Any:
        try:
            return await super().execute(*command, key=key)
        except ServerError as error:
            if not self.follows(error):
                raise
            refused = error

        return await persist(
            refused,
            lambda: super(FollowingConnection, self).execute(*command),
            lambda error: self._ask(error, command),
            follows=self.follows,
            patience_s=self._reply_timeout_s,
        )

    def follows(self, error: ServerError) -> bool:
        # Of another slot than ours only its owner can say where that is.
        return error.code in self._codes and not (error.code == "MOVED" and self._moved(error).slot != self._slot)

    async def close(self) -> None:
        await cancel_and_wait(self._look)
        await super().close()

    def lost(self, reason: str) -> None:
        if self._is_leaving:
            self._drop(reason)
        super().lost(reason)

    async def _connection(self) -> AbstractConnection:
        address, self._successor = self._successor, None
        self.address = address or await self.endpoint.locate(self._key)
        opening = self._opening(self.address)
        try:
            # A server that has vanished with its host answers nothing, until long after another has taken over.
            while not (await asyncio.wait((opening,), timeout=_LOOK_S))[0]:
                successor = await self._find_successor()
                if successor is not None:
                    await _give_up(opening)
                    self.address = successor
                    opening = self._opening(successor)
            return opening.result()
        except BaseException:
            await _give_up(opening)
            raise

    def _opening(self, address: Address) -> asyncio.Task[AbstractConnection]:
        opening = self.endpoint.open(client_name=self.client_name, address=address)
        return asyncio.create_task(opening, name="redis-open")

    async def _find_successor(self) -> Address | None:
        """The server that is said to be the right one, if that is another than ours."""
        try:
            successor = await self.endpoint.locate(self._key, max_age_s=_LOOK_S)
        except ConnectError:
            return None
        return None if self.address is None or successor.place == self.address.place else successor

    def _refused(self, error: ServerError) -> None:
        """Leave a server that is not the right one: it still answers what was sent, what comes goes to the next."""
        if not self.follows(error) or error.code in _STAYS_ON or self._wire is None or self.address is None:
            return
        if error.code == "MOVED":
            self._successor = self._moved(error).address
        self.flush()
        wire, self._wire = self._wire, None
        log.info("leaving Redis at %s: %s", self.address.place, error.text)
        self._connecting = asyncio.create_task(self._leave(wire, error.code), name="redis-leave")

    async def _leave(self, wire: Wire, code: str) -> None:
        self._is_leaving = True
        try:
            if self._pending:
                await asyncio.wait(self._pending, timeout=_LAST_ANSWERS_S)
        finally:
            self._is_leaving = False
            wire.close()
        self._drop(f"it answered {code} and then no more")
        await self._reopen()

    async def _ask(self, refused: ServerError, command: tuple[Argument, ...]) -> Any:
        """Run one command where an ASK says.

        A script of ours touches keys that it does not name to Redis, so it must not run while some of them are here
        and some there. Once none is here, all are there.
        """
        asked = self._moved(refused)
        if command[0] in {"EVAL", "EVALSHA"} and await self.execute("CLUSTER", "COUNTKEYSINSLOT", asked.slot):
            raise slot_moving_error(asked.slot)
        other = PipelinedConnection(Endpoint(asked.address, self.endpoint.connect_timeout_ms))
        try:
            await other.connect()
            _, reply = await asyncio.gather(other.send("ASKING"), other.send(*command))
            return reply
        finally:
            await other.close()

    def _moved(self, error: ServerError) -> Redirection:
        return Redirection.of(error, self.address or self.endpoint.address)

    def _watch(self) -> None:
        super()._watch()
        if self._watchdog is None or self._loop is None:
            return
        now_s = self._loop.time()
        is_silent = self._pending and now_s - self._last_progress_s > _LOOK_S
        is_due = not self.endpoint.has_slots and now_s - self._looked_s > _ASK_SENTINELS_S
        if (is_silent or is_due) and self._look is None:
            self._looked_s = now_s
            self._look = asyncio.create_task(self._look_for_successor(), name="redis-look")

    async def _look_for_successor(self) -> None:
        """Leave a server once another has taken over. That it is silent says nothing by itself: a read may block."""
        generation = self.generation
        try:
            successor = await self._find_successor()
            if successor is None:
                return
            # Who was asked may be behind: the other must be there, and call itself a master.
            connection = await self.endpoint.open(address=successor)
            await connection.disconnect(nowait=True)
        except ConnectError:
            return
        finally:
            self._look = None
        if self.generation == generation:
            self._successor = successor
            self.lost(f"{successor.place} has taken over")


async def _give_up(opening: asyncio.Task[AbstractConnection]) -> None:
    """Stop connecting; a connection that came all the same is let go."""
    opening.cancel()
    (opened,) = await asyncio.gather(opening, return_exceptions=True)
    if isinstance(opened, AbstractConnection):
        await opened.disconnect(nowait=True)
