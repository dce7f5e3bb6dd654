"""Connecting: what an open connection is like, and one clear error for every way it can fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import redis.asyncio

from bullworks.redis import ConnectError, Endpoint
from bullworks.redis.embedded.process import free_port
from tests.bullworks.servers import HOST, RedisServer
from tests.bullworks.waiting import BUSY_S

pytestmark = pytest.mark.process

TIMEOUT_MS = 1_500
SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def locked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server with a password, a Unix socket, and a user who may do next to nothing."""
    folder = tmp_path_factory.mktemp("locked")
    options = ["--unixsocket", str(folder / "r.sock")]
    with RedisServer(folder, password=SECRET, options=options) as server:
        server.run("ACL", "SETUSER", "poor", "on", f">{SECRET}", "+get", "~*")
        server.run("ACL", "SETUSER", "able", "on", f">{SECRET}", "+@connection", "+acl|whoami", "~*")
        yield server


async def test_an_open_connection_speaks_bytes_over_resp2_and_never_times_out(redis_url: str) -> None:
    connection = await Endpoint.of(redis_url).open(client_name="bull:test")
    try:
        assert connection.socket_timeout is None
        assert connection.get_protocol() == 2
        await connection.send_command("CLIENT", "GETNAME")
        assert await connection.read_response() == b"bull:test"
    finally:
        await connection.disconnect()


async def test_a_connection_selects_the_database_of_the_url(redis_url: str) -> None:
    connection = await Endpoint.of(redis_url.replace("/0", "/5")).open()
    try:
        await connection.send_command("CLIENT", "INFO")
        assert b" db=5 " in await connection.read_response()
    finally:
        await connection.disconnect()


async def test_user_and_password_of_the_url_log_in(locked_server: RedisServer) -> None:
    endpoint = Endpoint.of(f"redis://able:{SECRET}@{HOST}:{locked_server.port}")
    connection = await endpoint.open()
    try:
        await connection.send_command("ACL", "WHOAMI")
        assert await connection.read_response() == b"able"
    finally:
        await connection.disconnect()


async def test_a_unix_socket_works_like_a_port(locked_server: RedisServer) -> None:
    endpoint = Endpoint.of(f"unix://:{SECRET}@{locked_server.folder}/r.sock")
    connection = await endpoint.open()
    await connection.disconnect()
    async with endpoint.client() as client:
        assert await client.ping()
    with endpoint.sync_client() as sync_client:
        assert sync_client.ping()


async def test_clients_are_bounded_and_do_not_retry(redis_url: str) -> None:
    endpoint = Endpoint.of(redis_url, connect_timeout_ms=700)
    async with endpoint.client(client_name="admin") as client:
        assert await client.client_getname() == "admin"
        connection = client.connection_pool.make_connection()
        assert (connection.socket_timeout, connection.retry.get_retries()) == (0.7, 0)
    with endpoint.sync_client(client_name="renewal") as sync_client:
        assert sync_client.client_getname() == "renewal"
        sync_connection = sync_client.connection_pool.make_connection()
        assert (sync_connection.socket_timeout, sync_connection.retry.get_retries()) == (0.7, 0)


async def test_a_client_that_was_given_is_rebuilt_and_left_alone(redis_url: str) -> None:
    given = redis.asyncio.Redis.from_url(redis_url)
    connection = await Endpoint.of(given).open()
    await connection.disconnect()
    assert given.connection_pool.get_connection_count()[0][0] == 0
    await given.aclose()


async def test_cancelling_open_closes_the_socket() -> None:
    arrived = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await _say_nothing(reader, writer)

    async with _listening(serve) as port:
        opening = asyncio.create_task(Endpoint.of(f"redis://{HOST}:{port}").open())
        await asyncio.wait_for(arrived.wait(), 5)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening


# How it fails -----------------------------------------------------------------------------------------


async def _failure(url: str, caplog: pytest.LogCaptureFixture) -> ConnectError:
    """The error of opening `url`, checked for what holds of every one."""
    endpoint = Endpoint.of(url, connect_timeout_ms=TIMEOUT_MS)
    started_s = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(ConnectError) as caught:
        await endpoint.open()
    assert time.monotonic() - started_s < TIMEOUT_MS / 1000 + BUSY_S
    error = caught.value
    shown = f"{error} {error!r} {error.args} {error.__cause__} {error.__context__} {endpoint!r} {caplog.text}"
    assert SECRET not in shown
    assert endpoint.address.place in str(error)
    assert error.hint in str(error)
    return error


async def test_a_port_that_nothing_listens_on_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    error = await _failure(f"redis://:{SECRET}@{HOST}:{free_port()}", caplog)
    assert error.kind == "refused"


async def test_a_socket_that_is_not_there_is_refused(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    error = await _failure(f"unix://{tmp_path}/none.sock", caplog)
    assert error.kind == "refused"


async def test_an_unknown_host_is_named(caplog: pytest.LogCaptureFixture) -> None:
    error = await _failure(f"redis://:{SECRET}@no-such-host.invalid", caplog)
    assert error.kind == "name"


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("", "the server asks for a password"),
        (f":{SECRET}-not@", "wrong user name or password for the default user"),
        (f"nobody:{SECRET}@", "wrong user name or password for user 'nobody'"),
    ],
)
async def test_a_wrong_login_is_told_apart_from_a_missing_one(
    locked_server: RedisServer, caplog: pytest.LogCaptureFixture, login: str, reason: str
) -> None:
    error = await _failure(f"redis://{login}{HOST}:{locked_server.port}", caplog)
    assert error.kind == "auth"
    assert error.reason == reason


async def test_a_wrong_login_on_a_socket_is_one_too(
    locked_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    error = await _failure(f"unix://:{SECRET}x@{locked_server.folder}/r.sock", caplog)
    assert error.kind == "auth"


async def test_a_password_for_a_server_without_one_is_said(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    error = await _failure(f"redis://:{SECRET}@{HOST}:{redis_server.port}", caplog)
    assert error.kind == "auth"
    assert "the server has none" in error.reason


async def test_a_user_without_permissions_is_told_which(
    locked_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    error = await _failure(f"redis://poor:{SECRET}@{HOST}:{locked_server.port}", caplog)
    assert error.kind == "acl"
    assert "'poor'" in error.reason
    assert "ping" in error.reason.lower()


async def test_a_database_that_does_not_exist_is_named(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    error = await _failure(redis_url.replace("/0", "/99"), caplog)
    assert error.kind == "database"


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def _listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A port on which `serve` answers each connection; at the end all of them are cut."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(asyncio.ensure_future(converse(reader, writer)))

    server = await asyncio.start_server(accept, HOST, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        if conversations:
            _, unfinished = await asyncio.wait(conversations, timeout=5)
            assert not unfinished, "a client left its connection open"


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return


def _always(reply: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            writer.write(reply)
            await writer.drain()

    return serve


async def test_a_black_hole_is_given_up_after_the_connect_timeout(caplog: pytest.LogCaptureFixture) -> None:
    async with _listening(_say_nothing) as port:
        error = await _failure(f"redis://:{SECRET}@{HOST}:{port}", caplog)
    assert error.kind == "timeout"
    assert f"{TIMEOUT_MS} ms" in error.reason


async def test_a_server_that_hangs_up_may_be_one_that_speaks_tls(caplog: pytest.LogCaptureFixture) -> None:
    async with _listening(_hang_up) as port:
        error = await _failure(f"redis://:{SECRET}@{HOST}:{port}", caplog)
    assert error.kind == "closed"
    assert "rediss://" in error.hint


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "loading"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "loading"),
        (b"-DENIED Redis is running in protected mode\r\n", "refused"),
        (b"-ERR max number of clients reached\r\n", "refused"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "other"),
        (b"-ERR strange\r\n", "other"),
    ],
)
async def test_what_a_server_answers_instead_decides_the_kind(
    caplog: pytest.LogCaptureFixture, reply: bytes, kind: str
) -> None:
    async with _listening(_always(reply)) as port:
        error = await _failure(f"redis://{HOST}:{port}", caplog)
    assert error.kind == kind


async def test_a_server_that_quotes_the_password_back_does_not_get_it_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Proxies that do not know AUTH answer with its arguments."""
    reply = f"-ERR unknown command 'AUTH', with args beginning with: '{SECRET}'\r\n".encode()
    async with _listening(_always(reply)) as port:
        error = await _failure(f"redis://:{SECRET}@{HOST}:{port}", caplog)
    assert "***" in error.reason


# TLS --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for `localhost`, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=15)
    return certificate, key


@pytest.fixture
async def tls_port(certificate: tuple[Path, Path], redis_server: RedisServer) -> AsyncIterator[int]:
    """A port that speaks TLS, with the shared server behind it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection(HOST, redis_server.port)
        await asyncio.gather(copy(reader, to_redis), copy(from_redis, writer))
        await to_redis.wait_closed()

    async with _listening(serve, context) as port:
        yield port


async def test_tls_with_a_trusted_certificate_works_for_all_three_ways(
    tls_port: int, certificate: tuple[Path, Path]
) -> None:
    endpoint = Endpoint.of(f"rediss://localhost:{tls_port}?ssl_ca_certs={certificate[0]}")
    connection = await endpoint.open()
    await connection.disconnect()
    async with endpoint.client() as client:
        assert await client.ping()
    with endpoint.sync_client() as sync_client:
        assert await asyncio.to_thread(sync_client.ping)


async def test_tls_verifies_unless_told_otherwise(
    tls_port: int, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    error = await _failure(f"rediss://:{SECRET}@localhost:{tls_port}", caplog)
    assert error.kind == "tls"
    assert "not trusted" in error.reason
    wrong_name = await _failure(f"rediss://127.0.0.1:{tls_port}?ssl_ca_certs={certificate[0]}", caplog)
    assert wrong_name.kind == "tls"
    connection = await Endpoint.of(f"rediss://127.0.0.1:{tls_port}?ssl_cert_reqs=none").open()
    await connection.disconnect()


async def test_a_certificate_file_that_is_not_there_is_said(tls_port: int, caplog: pytest.LogCaptureFixture) -> None:
    error = await _failure(f"rediss://localhost:{tls_port}?ssl_ca_certs=/nowhere/ca.pem", caplog)
    assert error.kind == "tls"
    assert "ssl_ca_certs" in error.hint


async def test_plain_to_a_tls_port_asks_for_rediss(tls_port: int, caplog: pytest.LogCaptureFixture) -> None:
    error = await _failure(f"redis://:{SECRET}@localhost:{tls_port}", caplog)
    assert "rediss://" in error.hint


async def test_tls_to_a_plain_port_asks_for_redis(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Redis may answer the handshake with an error or wait for a line to end: both are bounded."""
    error = await _failure(f"rediss://:{SECRET}@{HOST}:{redis_server.port}", caplog)
    assert error.kind in {"tls", "timeout", "closed"}
    assert "use redis://" in error.hint
