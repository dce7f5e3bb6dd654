"""ClusterConnection: each command goes to the node of its key, over a connection a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bullworks.redis import ConnectionLostError, Endpoint
from bullworks.redis.group.cluster_connection import ClusterConnection
from bullworks.redis.script import Script
from bullworks.redis.server_error import ServerError
from tests.bullworks.cluster.cluster_nodes import ClusterNodes
from tests.bullworks.cluster.slot_move import SlotMove
from tests.bullworks.waiting import eventually


@pytest.fixture
async def connection(cluster_nodes: ClusterNodes) -> AsyncIterator[ClusterConnection]:
    """To the shared cluster."""
    connection = ClusterConnection(Endpoint.of(cluster_nodes.url), client_name="all-keys")
    yield connection
    await connection.close()


def _clients(nodes: ClusterNodes) -> list[int]:
    """How many connections each node has by that name."""
    return [bytes(nodes.run(node, "CLIENT", "LIST")).count(b"name=all-keys ") for node in nodes.nodes]


async def test_commands_and_scripts_find_their_nodes_over_one_connection_each(
    connection: ClusterConnection, cluster_nodes: ClusterNodes, prefix: str
) -> None:
    keys = [f"{prefix[:-1]}-{n}}}" for n in range(40)]
    source = b"return redis.call('INCR', KEYS[1]) + ARGV[1]"
    script = Script("count", lambda: source)
    assert [await connection.run(script, (key,), [1]) for key in keys] == [2] * 40
    assert await connection.together(*(("GET", key) for key in keys)) == [b"1"] * 40
    assert await connection.execute("EVAL", source, 1, keys[0], 5) == 7
    assert set(_clients(cluster_nodes)) == {0, 1}
    assert sum(_clients(cluster_nodes)) == 3


async def test_a_command_without_a_key_is_told_whose_node_is_meant(connection: ClusterConnection, prefix: str) -> None:
    assert await connection.execute("TIME", key=prefix)
    with pytest.raises(ValueError, match="key="):
        await connection.execute("TIME")


async def test_errors_are_the_callers_own(connection: ClusterConnection, prefix: str) -> None:
    await connection.execute("SET", prefix, "text")
    with pytest.raises(ServerError, match="WRONGTYPE"):
        await connection.execute("LPUSH", prefix, 1)
    assert await connection.execute("GET", prefix) == b"text"


async def test_what_is_sent_needs_a_connection_to_the_keys_node(connection: ClusterConnection, prefix: str) -> None:
    with pytest.raises(ConnectionLostError, match=r"use at\(key\)"):
        connection.send("GET", prefix)
    assert connection.at(prefix) is connection.at(prefix)
    await connection.at(prefix).connect()
    assert await connection.send("GET", prefix) is None


async def test_connecting_only_looks_whether_it_could(
    connection: ClusterConnection, cluster_nodes: ClusterNodes, prefix: str
) -> None:
    await connection.connect()
    assert not connection.is_connected
    await eventually(lambda: sum(_clients(cluster_nodes)) == 0)
    await connection.execute("GET", prefix)
    assert connection.is_connected
    await connection.connect()
    assert sum(_clients(cluster_nodes)) == 1
    assert "connected" in repr(connection)


async def test_connections_that_are_dropped_are_made_anew(connection: ClusterConnection, prefix: str) -> None:
    await connection.execute("SET", prefix, "text")
    connection.drop("for a test")
    assert await connection.execute("GET", prefix) == b"text"


async def test_many_callers_at_once_share_what_is_being_made(
    connection: ClusterConnection, cluster_nodes: ClusterNodes, prefix: str
) -> None:
    replies = await asyncio.gather(*(connection.execute("INCR", prefix) for _ in range(50)))
    assert sorted(replies) == list(range(1, 51))
    assert sum(_clients(cluster_nodes)) == 1


async def test_closed_it_says_so(cluster_nodes: ClusterNodes, prefix: str) -> None:
    connection = ClusterConnection(Endpoint.of(cluster_nodes.url))
    await connection.execute("GET", prefix)
    await connection.close()
    await connection.close()
    for key in (prefix, "another"):
        with pytest.raises(ConnectionLostError, match="closed"):
            await connection.execute("GET", key)
    with pytest.raises(ConnectionLostError, match="closed"):
        connection.at("another")
    with pytest.raises(ConnectionLostError, match="closed"):
        await connection.connect()


@pytest.mark.parametrize("hijack", [True, False], ids=["protocol", "streams"])
async def test_one_connection_for_all_keys_learns_where_a_slot_has_gone(
    cluster_nodes: ClusterNodes, prefix: str, hijack: bool
) -> None:
    connection = ClusterConnection(Endpoint.of(cluster_nodes.url), hijack=hijack)
    others = [f"{prefix[:-1]}-{n}}}" for n in range(20)]
    try:
        for key in (prefix, *others):
            await connection.execute("SET", key, key)
        move = SlotMove(cluster_nodes, prefix)
        move.begin()
        while move.move_keys():
            pass
        move.end()
        assert [await connection.execute("GET", key) for key in (prefix, *others)] == [
            key.encode() for key in (prefix, *others)
        ]
    finally:
        await connection.close()
