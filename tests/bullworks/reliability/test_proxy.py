"""The fault proxy itself: a test that trusts it must be able to."""

from __future__ import annotations

import asyncio
import time

import pytest
import redis

from bullworks.redis import ConnectionLostError, Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from tests.bullworks.reliability.proxy import FaultProxy
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


@pytest.fixture
async def connection(proxy: FaultProxy):
    connection = PipelinedConnection(Endpoint.of(proxy.url))
    await connection.connect()
    yield connection
    await connection.close()


async def test_it_hands_commands_and_replies_on(connection: PipelinedConnection):
    assert await asyncio.gather(*(connection.execute("ECHO", str(n)) for n in range(100))) == [
        str(n).encode() for n in range(100)
    ]


async def test_a_lost_reply_is_that_of_a_command_that_ran(
    connection: PipelinedConnection, proxy: FaultProxy, look: redis.Redis
):
    proxy.lose_reply(lambda command: command[:2] == [b"INCR", b"n"])
    assert await connection.execute("INCR", "m") == 1
    with pytest.raises(ConnectionLostError):
        await connection.execute("INCR", "n")
    assert look.get("n") == b"1"
    assert proxy.lost == [[b"INCR", b"n"]]
    assert await connection.execute("INCR", "n") == 2


async def test_a_cut_breaks_every_connection_and_lets_new_ones_in(connection: PipelinedConnection, proxy: FaultProxy):
    proxy.cut()
    await eventually(lambda: not connection.is_connected)
    assert await connection.execute("ECHO", "again") == b"again"
    assert proxy.connections == 2


async def test_a_black_hole_holds_everything_until_it_heals(connection: PipelinedConnection, proxy: FaultProxy):
    proxy.black_hole()
    reply = asyncio.ensure_future(connection.execute("ECHO", "late"))
    _, unanswered = await asyncio.wait([reply], timeout=0.2)
    assert unanswered
    proxy.heal()
    assert await reply == b"late"


async def test_a_delay_applies_to_both_directions(
    connection: PipelinedConnection, proxy: FaultProxy, own_server: RedisServer
):
    proxy.delay_s = 0.1
    started_s = time.monotonic()
    await connection.execute("PING")
    assert time.monotonic() - started_s >= 0.2
