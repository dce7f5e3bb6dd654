"""A client of the user's is read, never used; one that cannot be read is refused."""

from __future__ import annotations

import socket
from unittest.mock import AsyncMock, MagicMock

import pytest
import redis
import redis.asyncio
from redis.asyncio.connection import Connection
from redis.credentials import UsernamePasswordCredentialProvider

from app.redis import Endpoint, UnusableClientError
from app.redis.client_settings import address_of_client


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
        (redis.asyncio.Sentinel([("h", 1)]).master_for("m"), "Sentinel is not supported yet"),
    ],
)
def test_a_client_that_cannot_be_rebuilt_is_refused_and_a_url_asked_for(client: object, reason: str) -> None:
    with pytest.raises(UnusableClientError, match=r"Give a URL") as caught:
        address_of_client(client)
    assert reason in caught.value.reason


def test_an_endpoint_is_taken_as_it_is() -> None:
    endpoint = Endpoint.of("redis://h")
    assert Endpoint.of(endpoint, connect_timeout_ms=1) is endpoint


def test_a_connect_timeout_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="connect_timeout_ms must be > 0"):
        Endpoint.of("redis://h", connect_timeout_ms=0)
