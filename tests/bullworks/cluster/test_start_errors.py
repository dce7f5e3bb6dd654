"""What is wrong is said at the start, with host and reason, and never with a password."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, InvalidOptionError, Queue, QueueEvents, SyncQueue, Worker
from bullworks.redis import ConnectError, Endpoint
from bullworks.redis.connecting import connection_to
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.redis.server_error import ServerError
from tests.bullworks.cluster.cluster_nodes import ClusterNodes
from tests.bullworks.cluster.group import PASSWORD
from tests.bullworks.cluster.watched import SERVICE, WATCH_PASSWORD, WatchedPair
from tests.bullworks.servers import HOST, RedisServer, free_port

WRONG = "hunter9"


async def _failure(url: str, caplog: pytest.LogCaptureFixture) -> ConnectError:
    """What a worker says that cannot start; a blocking client has to say it too."""

    async def process(_: Any) -> None: ...

    endpoint = Endpoint.of(url, connect_timeout_ms=2_000)
    with caplog.at_level(logging.DEBUG), pytest.raises(ConnectError) as caught:
        async with Worker("q", process, connection=endpoint, prefix="{bull}"):
            pass
    error = caught.value
    chain = [error, error.__cause__, error.__context__]
    shown = " ".join(f"{part} {part!r} {getattr(part, 'args', '')}" for part in chain) + caplog.text
    assert not [secret for secret in (PASSWORD, WATCH_PASSWORD, WRONG) if secret in shown], shown
    return error


def _sentinel_url(pair: WatchedPair, *, service: str = SERVICE, password: str = PASSWORD, watch: str = "") -> str:
    hosts = ",".join(f"{HOST}:{sentinel.port}" for sentinel in pair.sentinels)
    option = f"?sentinel_password={watch}" if watch else ""
    return f"redis+sentinel://:{password}@{hosts}/{service}{option}"


async def test_sentinels_that_cannot_be_reached(caplog: pytest.LogCaptureFixture) -> None:
    ports = [free_port() for _ in range(2)]
    error = await _failure(f"redis+sentinel://:{WRONG}@{HOST}:{ports[0]},{HOST}:{ports[1]}/jobs", caplog)
    assert error.kind == "refused"
    for port in ports:
        assert f"{HOST}:{port}: nothing listens there" in str(error)


async def test_a_service_that_no_sentinel_knows(watched_pair: WatchedPair, caplog: pytest.LogCaptureFixture) -> None:
    error = await _failure(_sentinel_url(watched_pair, service="jobz", watch=WATCH_PASSWORD), caplog)
    assert error.kind == "service"
    assert f"{HOST}:{watched_pair.sentinels[0].port}: it knows no service 'jobz'" in str(error)
    assert "Check the service's name" in error.hint


@pytest.mark.parametrize("watch", ["", WRONG])
async def test_sentinels_that_want_a_password(
    watch: str, watched_pair: WatchedPair, caplog: pytest.LogCaptureFixture
) -> None:
    error = await _failure(_sentinel_url(watched_pair, watch=watch), caplog)
    assert error.kind == "auth"
    assert f"{HOST}:{watched_pair.sentinels[0].port}" in str(error)
    assert "sentinel_password" in error.hint


async def test_a_master_that_wants_another_password(
    watched_pair: WatchedPair, caplog: pytest.LogCaptureFixture
) -> None:
    error = await _failure(_sentinel_url(watched_pair, password=WRONG, watch=WATCH_PASSWORD), caplog)
    assert error.kind == "auth"
    assert error.address == f"{HOST}:{watched_pair.primary('').port}"


async def test_nodes_that_want_another_password(cluster_nodes: ClusterNodes, caplog: pytest.LogCaptureFixture) -> None:
    error = await _failure(cluster_nodes.url.replace(PASSWORD, WRONG), caplog)
    assert error.kind == "auth"
    assert f"{HOST}:{cluster_nodes.nodes[0].port}: wrong user name or password" in str(error)


async def test_a_cluster_that_cannot_be_reached(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    error = await _failure(f"redis+cluster://{HOST}:{port}", caplog)
    assert (error.kind, f"{HOST}:{port}: nothing listens there" in str(error)) == ("refused", True)


async def test_one_node_that_is_up_is_enough(cluster_nodes: ClusterNodes) -> None:
    url = f"redis+cluster://:{PASSWORD}@{HOST}:{free_port()},{HOST}:{cluster_nodes.nodes[0].port}"
    async with Queue("q", connection=url, prefix="{bull}") as queue:
        assert await queue.count() == 0


async def test_an_ordinary_server_is_no_cluster_and_no_sentinel(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    error = await _failure(f"redis+cluster://{HOST}:{redis_server.port}", caplog)
    assert "it is not a cluster node; use redis://" in str(error)
    error = await _failure(f"redis+sentinel://{HOST}:{redis_server.port}/jobs", caplog)
    assert "it is a Redis server, not a Sentinel" in str(error)


async def test_a_node_of_a_cluster_is_no_ordinary_server(cluster_nodes: ClusterNodes) -> None:
    """The first key of another node's shows it; what to write instead is in the error."""
    node = cluster_nodes.other_primary("{bull}")
    with pytest.raises(ServerError, match=r"write redis\+cluster://"):
        async with Queue("q", connection=f"redis://:{PASSWORD}@{HOST}:{node.port}", prefix="{bull}") as queue:
            await queue.wait_until_ready()


@pytest.mark.parametrize("kind", ["Queue", "Worker", "QueueEvents", "SyncQueue"])
def test_a_prefix_without_a_tag_is_refused_with_the_way_out(kind: str) -> None:
    """Without connecting: BullMQ's own advice."""

    async def process(_: Any) -> None: ...

    makers: dict[str, Any] = {
        "Queue": lambda: Queue("q", connection="redis+cluster://h"),
        "Worker": lambda: Worker("q", process, connection="redis+cluster://h"),
        "QueueEvents": lambda: QueueEvents("q", connection="redis+cluster://h"),
        "SyncQueue": lambda: SyncQueue("q", connection="redis+cluster://h"),
    }
    with pytest.raises(InvalidOptionError, match=r"prefix='\{bull\}'"):
        makers[kind]()


async def test_a_flow_over_two_slots_is_refused() -> None:
    async with FlowProducer(connection="redis+cluster://h", prefix="{bull}") as flows:
        child: Any = {"name": "c", "queue_name": "q", "prefix": "{other}"}
        with pytest.raises(InvalidOptionError, match="shares the tag"):
            await flows.add({"name": "p", "queue_name": "q", "children": [child]})
        with pytest.raises(InvalidOptionError, match=r"prefix='\{bare\}'"):
            await flows.add({"name": "p", "queue_name": "q", "prefix": "bare"})


async def test_a_parent_in_another_slot_is_refused() -> None:
    async with Queue("q", connection="redis+cluster://h", prefix="{bull}") as queue:
        with pytest.raises(InvalidOptionError, match="shares the tag"):
            await queue.add("c", parent={"id": "1", "queue": "{other}:q"})


def test_a_tag_may_be_in_the_name_of_the_queue() -> None:
    assert Queue("{q}", connection="redis+cluster://h").name == "{q}"


def test_a_connection_to_one_server_is_not_made_to_a_group() -> None:
    endpoint = Endpoint.of("redis+cluster://h")
    with pytest.raises(ValueError, match="connection_to"):
        PipelinedConnection(endpoint)
    assert connection_to(endpoint).endpoint is endpoint
