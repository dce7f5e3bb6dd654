"""A connection that goes where the right server is: told by a group of the test's own, over real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bullworks.redis import ConnectError, ConnectionLostError, Endpoint
from bullworks.redis.address import Address
from bullworks.redis.group.following import FollowingConnection
from bullworks.redis.group.inquiry import Inquiry
from bullworks.redis.server_error import ServerError
from bullworks.redis.url import parse_url
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import BUSY_S, eventually

pytestmark = pytest.mark.process


class Pointer:
    """A group whose right server is the one that the test says."""

    has_slots = False
    follows = frozenset({"READONLY", "UNBLOCKED", "MASTERDOWN"})

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.asked = 0
        self.is_reachable = True

    @property
    def login(self) -> Address:
        return parse_url(self.server.url)

    @property
    def place(self) -> str:
        return "pointer"

    def describe(self) -> str:
        return "pointer://"

    def find(self, _slot: int | None, _budget_ms: int) -> Inquiry[Address]:
        self.asked += 1
        if not self.is_reachable:
            raise ConnectError("pointer", "refused", "nothing listens there", "")
        return self.login
        yield

    def primaries(self, _budget_ms: int) -> Inquiry[list[Address]]:
        return [self.login]
        yield

    def recent(self, _slot: int | None, _max_age_s: float) -> Address | None:
        return None


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[RedisServer, RedisServer]]:
    """Two, which do not know each other."""
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    with RedisServer(folders[0]) as first, RedisServer(folders[1]) as second:
        yield first, second


@pytest.fixture
def pointer(servers: tuple[RedisServer, RedisServer]) -> Pointer:
    """To the first."""
    return Pointer(servers[0])


@pytest.fixture(params=[True, False], ids=["protocol", "streams"])
async def connection(pointer: Pointer, request: pytest.FixtureRequest) -> AsyncIterator[FollowingConnection]:
    """To where the pointer leads."""
    endpoint = Endpoint(pointer.login, 1_000, pointer)
    connection = FollowingConnection(endpoint, reply_timeout_ms=2_000, hijack=request.param)
    yield connection
    await connection.close()


def _demote(server: RedisServer) -> None:
    """A replica of nobody: read-only, and its clients stay connected."""
    server.run("REPLICAOF", "127.0.0.1", "1")


async def test_what_a_replica_refuses_is_done_by_the_master(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    first, second = servers
    assert await connection.execute("SET", "a", 1) == b"OK"
    _demote(first)
    pointer.server = second
    replies = await asyncio.gather(*(connection.execute("INCR", "n") for _ in range(50)))
    assert sorted(replies) == list(range(1, 51))
    assert (first.run("GET", "n"), second.run("GET", "n")) == (None, b"50")


async def test_what_was_sent_before_is_still_answered(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    await connection.execute("SET", "a", 1)
    _demote(servers[0])
    pointer.server = servers[1]
    refused, read, other = (connection.send(*command) for command in (("INCR", "n"), ("GET", "a"), ("PING",)))
    with pytest.raises(ServerError, match="READONLY"):
        await refused
    assert not connection.is_connected
    with pytest.raises(ConnectionLostError, match="being reopened"):
        connection.send("PING")
    assert (await read, await other) == (b"1", b"PONG")
    assert await connection.execute("GET", "a") is None


async def test_reads_that_left_together_are_tried_again_one_by_one(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    await connection.connect()
    _demote(servers[0])
    pointer.server = servers[1]
    assert await connection.together(("GET", "n"), ("INCR", "n"), ("INCR", "n")) == [None, 1, 2]


async def test_a_wait_that_a_demotion_ends_is_for_its_sender_to_repeat(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    await connection.connect()
    wait = connection.send("BLPOP", "list", 0)
    await eventually(lambda: servers[0].run("INFO", "clients")["blocked_clients"] == 1)
    pointer.server = servers[1]
    _demote(servers[0])
    with pytest.raises(ServerError, match="UNBLOCKED"):
        await wait
    assert await connection.execute("RPUSH", "list", 1) == 1
    assert servers[1].run("LLEN", "list") == 1


async def test_a_refusal_that_lasts_is_told_in_the_end(
    connection: FollowingConnection, servers: tuple[RedisServer, RedisServer]
) -> None:
    """Whoever is asked is behind, and there is no other: no server calls itself a master."""
    await connection.connect()
    _demote(servers[0])
    with pytest.raises(ConnectionLostError, match="no connection within 2 s"):
        await connection.execute("INCR", "n")


async def test_a_replica_is_no_place_to_start(
    connection: FollowingConnection, servers: tuple[RedisServer, RedisServer]
) -> None:
    _demote(servers[0])
    with pytest.raises(ConnectError, match="it is a replica now") as caught:
        await connection.connect()
    assert caught.value.kind == "failover"


async def test_a_server_that_hangs_is_left_for_one_that_is_named_instead(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    await connection.connect()
    servers[0].freeze()
    hanging = asyncio.ensure_future(connection.execute("GET", "a"))
    await asyncio.wait({hanging}, timeout=0.1)
    pointer.server = servers[1]
    with pytest.raises(ConnectionLostError, match="has taken over"):
        await hanging
    assert await connection.execute("INCR", "n") == 1


async def test_silence_alone_is_no_reason_to_leave(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    """A read may block; and a server that is named but is no master takes nobody."""
    await connection.connect()
    wait = connection.send("BLPOP", "list", 0)
    _demote(servers[1])
    pointer.server = servers[1]
    asked = pointer.asked
    await eventually(lambda: pointer.asked >= asked + 2, within_s=5)
    servers[0].run("RPUSH", "list", "x")
    assert await wait == [b"list", b"x"]


async def test_connecting_to_a_server_that_hangs_ends_when_another_is_named(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    servers[0].freeze()
    asyncio.get_running_loop().call_later(0.2, setattr, pointer, "server", servers[1])
    await connection.connect()
    assert connection.address is not None
    assert connection.address.port == servers[1].port


async def test_what_is_under_way_fails_at_once_when_a_server_dies_that_is_being_left(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    await connection.connect()
    _demote(servers[0])
    pointer.server = servers[1]
    refused, slow = connection.send("INCR", "n"), connection.send("XREAD", "BLOCK", 30_000, "STREAMS", "s", "$")
    with pytest.raises(ServerError, match="READONLY"):
        await refused
    servers[0].kill()
    with pytest.raises(ConnectionLostError):
        await asyncio.wait_for(slow, BUSY_S)
    assert await connection.execute("INCR", "n") == 1


async def test_what_hangs_for_long_in_a_server_that_is_left_is_given_up(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    await connection.connect()
    _demote(servers[0])
    pointer.server = servers[1]
    refused, slow = connection.send("INCR", "n"), connection.send("XREAD", "BLOCK", 30_000, "STREAMS", "s", "$")
    with pytest.raises(ConnectionLostError, match=r"answered READONLY and then no more|has taken over"):
        await slow
    assert isinstance(refused.exception(), ServerError)
    assert await connection.execute("INCR", "n") == 1


async def test_nobody_to_ask_is_no_reason_to_leave(
    connection: FollowingConnection, pointer: Pointer, servers: tuple[RedisServer, RedisServer]
) -> None:
    await connection.connect()
    wait = connection.send("BLPOP", "list", 0)
    pointer.is_reachable = False
    asked = pointer.asked
    await eventually(lambda: pointer.asked >= asked + 2, within_s=5)
    servers[0].run("RPUSH", "list", "x")
    assert await wait == [b"list", b"x"]


async def test_closing_while_a_server_is_connected_to_lets_that_go(
    connection: FollowingConnection, servers: tuple[RedisServer, RedisServer]
) -> None:
    servers[0].freeze()
    connecting = asyncio.ensure_future(connection.connect())
    await asyncio.wait({connecting}, timeout=0.1)
    await connection.close()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    servers[0].thaw()
    await eventually(lambda: servers[0].run("INFO", "clients")["connected_clients"] == 1)


async def test_closing_while_it_connects_or_leaves_ends_it(
    connection: FollowingConnection, servers: tuple[RedisServer, RedisServer]
) -> None:
    await connection.connect()
    servers[0].freeze()
    hanging = asyncio.ensure_future(connection.execute("GET", "a"))
    await asyncio.wait({hanging}, timeout=0.7)
    await connection.close()
    with pytest.raises(ConnectionLostError, match="closed"):
        await hanging
    with pytest.raises(ConnectionLostError, match="closed"):
        await connection.execute("PING")
