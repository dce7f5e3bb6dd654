"""ClusterConnection: one PipelinedConnection for all keys of a cluster."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bullworks.redis.endpoint import Endpoint
from bullworks.redis.group.following import FollowingConnection
from bullworks.redis.group.hash_slot import slot_of
from bullworks.redis.group.redirection import Redirection
from bullworks.redis.pipelined import Argument, PipelinedConnection
from bullworks.redis.script import Script
from bullworks.redis.server_error import ServerError

# A slot that is somewhere else each time it is looked for is no longer a matter of waiting.
_MOST_MOVES = 16
# What slots are where is asked again so long after; one that has moved says so itself.
_MAP_AGE_S = 10.0
_KEY_AT = {b"EVAL": 3, b"EVALSHA": 3}


class ClusterConnection(PipelinedConnection):
    """Sends each command to the node that owns its key, over one connection per node, made at first use.

    Args: as of PipelinedConnection; reply_timeout_ms holds for each node.
    """

    def __init__(
        self, endpoint: Endpoint, *, client_name: str | None = None, reply_timeout_ms: int = 10_000, hijack: bool = True
    ) -> None:
        super().__init__(endpoint, client_name=client_name, reply_timeout_ms=reply_timeout_ms, hijack=hijack)
        self._make: Callable[[str | bytes], FollowingConnection] = lambda key: FollowingConnection(
            endpoint, key=key, client_name=client_name, reply_timeout_ms=reply_timeout_ms, hijack=hijack
        )
        self._pinned: dict[int, FollowingConnection] = {}
        self._links: dict[int, FollowingConnection] = {}
        self._all: list[FollowingConnection] = []
        self._finding = asyncio.Lock()

    @property
    def is_connected(self) -> bool:
        """Whether any node is connected."""
        return any(link.is_connected for link in self._all)

    async def connect(self) -> None:
        if self._is_closed:
            raise self._lost("it was closed")
        if not self.is_connected:
            connection = await self.endpoint.open(client_name=self.client_name)
            await connection.disconnect(nowait=True)

    def send(self, *command: Argument) -> asyncio.Future[Any]:
        return self._link_of(command).send(*command)

    def send_now(self, *command: Argument) -> asyncio.Future[Any]:
        return self._link_of(command).send_now(*command)

    async def execute(self, *command: Argument, key: Argument | None = None) -> Any:
        """Run one command on the node of its key: `key`, or else the command's first argument."""
        return await self._at_node(
            _encode(key) if key is not None else _key_of(command), lambda link: link.execute(*command)
        )

    async def together(self, *commands: tuple[Argument, ...]) -> list[Any]:
        """Run commands in one write per node; keys of one slot stay together and in order."""
        return await asyncio.gather(*(self.execute(*command) for command in commands))

    async def run(self, script: Script, keys: tuple[Argument, ...], args: list[Argument]) -> Any:
        """Run a script on the node of its keys, which must share a slot."""
        return await self._at_node(_encode(keys[0]), lambda link: link.run(script, keys, args))

    def at(self, key: str) -> PipelinedConnection:
        slot = slot_of(key)
        pinned = self._pinned.get(slot)
        if pinned is None:
            pinned = self._links[slot] = self._pinned[slot] = self._make_link(key)
        return pinned

    async def close(self) -> None:
        self._is_closed = True
        await asyncio.gather(*(link.close() for link in self._all))

    def drop(self, reason: str) -> None:
        for link in self._all:
            link.drop(reason)

    def _link_of(self, command: tuple[Argument, ...]) -> FollowingConnection:
        link = self._links.get(slot_of(_key_of(command)))
        if link is None:
            raise self._lost("there is none to the key's node; use at(key), or execute()")
        return link

    async def _at_node(self, key: bytes, call: Callable[[FollowingConnection], Awaitable[Any]]) -> Any:
        slot = slot_of(key)
        moves = 0
        while True:
            link = self._links.get(slot) or await self._find_link(slot, key)
            try:
                return await call(link)
            except ServerError as error:
                moves += 1
                if error.code != "MOVED" or moves > _MOST_MOVES:
                    raise
                # Its own slot a link follows by itself: this one had only been at the same node.
                address = Redirection.of(error, self.endpoint.address).address
            self._links[slot] = self._link_to(address.place) or self._make_link(key)

    async def _find_link(self, slot: int, key: bytes) -> FollowingConnection:
        if self._is_closed:
            raise self._lost("it was closed")
        # Many may come at once; the first asks, and the map is new for the others.
        async with self._finding:
            link = self._links.get(slot)
            if link is None:
                address = await self.endpoint.locate(key, max_age_s=_MAP_AGE_S)
                link = self._links[slot] = self._link_to(address.place) or self._make_link(key)
            return link

    def _link_to(self, place: str) -> FollowingConnection | None:
        return next((link for link in self._all if link.address is not None and link.address.place == place), None)

    def _make_link(self, key: str | bytes) -> FollowingConnection:
        if self._is_closed:
            raise self._lost("it was closed")
        link = self._make(key)
        self._all.append(link)
        return link


def _key_of(command: tuple[Argument, ...]) -> bytes:
    at = _KEY_AT.get(_encode(command[0]).upper(), 1)
    if len(command) <= at:
        raise ValueError(f"{command[0]!r} names no key: say with key= whose node is meant")
    return _encode(command[at])


def _encode(part: Argument) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()
