"""The embedded server starts with the first connection, not before, and is let go of once."""

import asyncio
from pathlib import Path

import pytest

from bullworks.core import create_application
from bullworks.redis.embedded import EmbeddedServer
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import EmbeddedServerError
from bullworks.workers import BullModule
from bullworks.workers.embedded_endpoint import EmbeddedEndpoint

pytestmark = pytest.mark.process


async def test_nothing_starts_before_the_first_connection_and_all_share_one_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attached: list[Path] = []
    attach = EmbeddedServer.attach_async

    async def counted(folder: Path) -> EmbeddedServer:
        attached.append(folder)
        return await attach(folder)

    monkeypatch.setattr(EmbeddedServer, "attach_async", counted)
    endpoint = EmbeddedEndpoint(tmp_path / "data")
    assert Endpoint.of(endpoint) is endpoint
    assert endpoint.describe() == f"the embedded server in {tmp_path / 'data'}"
    assert not (tmp_path / "data").exists()
    connections = await asyncio.gather(*(endpoint.open() for _ in range(3)))
    assert attached == [tmp_path / "data"]
    assert endpoint.describe().startswith("redis://:***@127.0.0.1:")
    assert (await endpoint.locate()).port > 1
    for connection in connections:
        await connection.disconnect()
    async with endpoint.client() as client:
        assert await client.ping()
    with endpoint.sync_client() as sync_client:
        assert sync_client.ping()
    await endpoint.close()
    await endpoint.close()


async def test_a_folder_that_cannot_be_used_ends_the_start_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("a file")
    monkeypatch.setenv("APP_ENV", "test")
    monkeypatch.setenv("QUEUE_REDIS_URL", "")
    monkeypatch.setenv("QUEUE_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(EmbeddedServerError, match="data"):
        await create_application(BullModule.for_root(queues=("email",)))


async def test_an_error_of_a_connection_names_the_server(tmp_path: Path) -> None:
    endpoint = EmbeddedEndpoint(tmp_path / "data")
    assert "127.0.0.1" in str(endpoint.connect_error(ConnectionRefusedError()))
    try:
        port = (await endpoint.locate()).port
        assert f"127.0.0.1:{port}" in str(endpoint.connect_error(ConnectionRefusedError()))
    finally:
        await endpoint.close()


async def test_a_client_before_any_connection_waits_for_the_server(tmp_path: Path) -> None:
    endpoint = EmbeddedEndpoint(tmp_path / "data")
    try:
        async with endpoint.client() as client:
            assert await client.ping()
    finally:
        await endpoint.close()


async def test_one_that_was_closed_before_it_was_used_starts_no_server(tmp_path: Path) -> None:
    endpoint = EmbeddedEndpoint(tmp_path / "data")
    await endpoint.close()
    with pytest.raises(EmbeddedServerError, match="closed before it was used"):
        await endpoint.open()
    assert not (tmp_path / "data").exists()


def test_two_of_them_are_two_places(tmp_path: Path) -> None:
    one, two = EmbeddedEndpoint(tmp_path / "one"), EmbeddedEndpoint(tmp_path / "two")
    assert len({one, two, one}) == 2
    assert one != two
