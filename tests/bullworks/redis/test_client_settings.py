"""A client of the user's is read, never used; one that cannot be read is refused."""

from __future__ import annotations

import socket
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
import redis
import redis.asyncio
import redis.asyncio.cluster
from redis.asyncio.connection import Connection
from redis.cluster import LoadBalancingStrategy
from redis.credentials import UsernamePasswordCredentialProvider

from bullworks.redis import Endpoint, UnusableClientError
from bullworks.redis.client_settings import address_of_client
from bullworks.redis.group.sentinels import Sentinels


def test_a_client_made_from_a_url_leads_to_the_same_address() -> None:
    client = redis.asyncio.Redis.from_url("redis://user:secret@h:7000/2")
    assert Endpoint.of(client).describe() == "redis://user:***@h:7000/2"
    assert address_of_client(client).password == "secret"


def test_a_client_made_with_arguments_keeps_its_tls_settings() -> None:
    client = redis.asyncio.Redis(
        host="h", ssl=True, ssl_ca_certs="/ca.pem", ssl_check_hostname=False, socket_connect_timeout=2
    )
    address = address_of_client(client)
    options = dict(address.options)
    assert address.transport == "tls"
    assert address.connect_timeout_ms == 2000
    assert options["ssl_ca_certs"] == "/ca.pem"
    assert options["ssl_check_hostname"] is False
    assert options["ssl_cert_reqs"] == "required"


def test_a_client_on_a_socket_keeps_its_path() -> None:
    assert address_of_client(redis.asyncio.Redis(unix_socket_path="/tmp/r.sock", db=1)).describe() == (
        "unix:///tmp/r.sock?db=1"
    )


def test_a_credential_provider_is_kept_and_not_shown() -> None:
    provider = UsernamePasswordCredentialProvider("user", "secret")
    address = address_of_client(redis.asyncio.Redis(credential_provider=provider))
    assert address.connection_arguments()["credential_provider"] is provider
    assert "secret" not in f"{address!r} {address.describe()}"


def test_a_bytes_password_is_read_as_text() -> None:
    client = redis.asyncio.Redis(connection_pool=redis.asyncio.ConnectionPool(password=b"secret"))
    assert address_of_client(client).password == "secret"


def test_endpoints_of_equal_clients_are_one_key() -> None:
    """The lock renewal thread keeps one client an endpoint."""

    def endpoint() -> Endpoint:
        options = {socket.SO_KEEPALIVE: 1}
        return Endpoint.of(redis.asyncio.Redis(host="h", socket_keepalive_options=options))

    assert len({endpoint(), endpoint(), Endpoint.of("redis://h")}) == 2
    assert dict(endpoint().address.options)["socket_keepalive_options"] == {socket.SO_KEEPALIVE: 1}


class _OwnConnection(Connection):
    """A transport only its author knows how to build."""


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (MagicMock(), "not a redis.asyncio.Redis"),
        (AsyncMock(spec=redis.asyncio.Redis), "no connection pool"),
        (redis.Redis(), "not a redis.asyncio.Redis"),
        (42, "not a redis.asyncio.Redis"),
        (
            redis.asyncio.Redis(connection_pool=redis.asyncio.ConnectionPool(connection_class=_OwnConnection)),
            "its connection class",
        ),
        (redis.asyncio.Redis(redis_connect_func=print), "redis_connect_func"),
    ],
)
def test_a_client_that_cannot_be_rebuilt_is_refused_and_a_url_asked_for(client: object, reason: str) -> None:
    with pytest.raises(UnusableClientError, match=r"Give a URL") as caught:
        address_of_client(client)
    assert reason in caught.value.reason


def test_a_client_made_by_a_sentinel_leads_to_its_service() -> None:
    sentinel = redis.asyncio.Sentinel([("s1", 1), ("s2", 2)], sentinel_kwargs={"password": "watch"})
    client = sentinel.master_for("jobs", password="secret", db=3)
    endpoint = Endpoint.of(client)
    assert endpoint.describe() == "redis+sentinel://:***@s1:1,s2:2/jobs/3"
    assert isinstance(endpoint.group, Sentinels)
    assert {node.password for node in endpoint.group.nodes} == {"watch"}
    assert endpoint.address.password == "secret"
    assert "secret" not in f"{endpoint!r} {endpoint.group!r}"


def test_a_cluster_client_leads_to_its_nodes() -> None:
    nodes = [redis.asyncio.cluster.ClusterNode("n1", 1), redis.asyncio.cluster.ClusterNode("n2", 2)]
    client = redis.asyncio.RedisCluster(startup_nodes=nodes, username="u", password="secret", ssl=True)
    endpoint = Endpoint.of(client)
    assert endpoint.describe() == "rediss+cluster://u:***@n1:1,n2:2"
    assert endpoint.has_slots
    assert "secret" not in f"{endpoint!r} {endpoint.group!r}"


def test_a_cluster_client_that_reads_from_replicas_is_taken_for_its_nodes() -> None:
    client = redis.asyncio.RedisCluster("n1", 1, load_balancing_strategy=LoadBalancingStrategy.ROUND_ROBIN)
    assert Endpoint.of(client).describe() == "redis+cluster://n1:1"


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (redis.asyncio.Sentinel([("h", 1)]).slave_for("m"), "reads from replicas"),
        (redis.asyncio.Sentinel([("h", 1)], force_master_ip="1.2.3.4").master_for("m"), "force_master_ip"),
        (redis.asyncio.Sentinel([("h", 1)]).master_for("m", connection_class=_OwnConnection), "its connection class"),
        (redis.asyncio.RedisCluster("h", 1, address_remap=lambda address: address), "address_remap"),
        (MagicMock(), "not a redis.asyncio.Redis"),
    ],
)
def test_a_group_that_is_found_in_an_own_way_is_refused(client: Any, reason: str) -> None:
    with pytest.raises(UnusableClientError, match=r"redis\+sentinel://host:port/service") as caught:
        Endpoint.of(client)
    assert reason in caught.value.reason


def test_an_endpoint_is_taken_as_it_is() -> None:
    endpoint = Endpoint.of("redis://h")
    assert Endpoint.of(endpoint, connect_timeout_ms=1) is endpoint


def test_a_connect_timeout_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="connect_timeout_ms must be > 0"):
        Endpoint.of("redis://h", connect_timeout_ms=0)
