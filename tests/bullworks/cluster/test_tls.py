"""With TLS: one node that is a whole cluster, and one master with one sentinel."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from bullworks.redis import ConnectError, Endpoint
from tests.bullworks.servers import HOST, RedisServer, free_port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{HOST}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=15)
    return certificate, key


@pytest.fixture(scope="module")
def tls_options(certificate: tuple[Path, Path]) -> list[str]:
    """What makes a server speak TLS, on a port that is to follow."""
    cert, key = (str(path) for path in certificate)
    files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert]
    return [*files, "--tls-auth-clients", "no", "--tls-port"]


@pytest.fixture
def cluster_port(tls_options: list[str], tmp_path: Path) -> Iterator[int]:
    """Of a node that has all slots."""
    port = free_port()
    cluster = ["--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--tls-cluster", "yes"]
    with RedisServer(tmp_path, options=[*tls_options, str(port), *cluster]) as server:
        server.run("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        yield port


@pytest.fixture
def sentinel_port(tls_options: list[str], tmp_path: Path) -> Iterator[int]:
    """Of a sentinel that reaches its master by TLS."""
    port, master_port = free_port(), free_port()
    folders = [tmp_path / name for name in ("master", "sentinel")]
    for folder in folders:
        folder.mkdir()
    master = RedisServer(folders[0], options=[*tls_options, str(master_port)])
    sentinel = _TlsSentinel(folders[1], options=[*tls_options, str(port), "--tls-replication", "yes"])
    sentinel.config.write_text(f"sentinel monitor jobs {HOST} {master_port} 1\n")
    with master, sentinel:
        yield port


class _TlsSentinel(RedisServer):
    """Reads its configuration from the file that sentinels must have."""

    @property
    def config(self) -> Path:
        return self.folder / "sentinel.conf"

    def _command(self) -> list[str]:
        binary, *options = super()._command()
        return [binary, str(self.config), *options, "--sentinel"]


async def _works(url: str, prefix: str) -> None:
    async def process(job: Job[Any, Any]) -> int:
        return int(job.data["n"]) * 2

    async with Queue("q", connection=url, prefix=prefix) as queue, Worker("q", process, connection=url, prefix=prefix):
        job = await queue.add("double", {"n": 4})
        assert await job.wait_until_finished(ttl=5_000) == 8
    with Endpoint.of(url).sync_client(key=prefix) as client:
        assert client.ping()


async def test_a_cluster(cluster_port: int, certificate: tuple[Path, Path], prefix: str) -> None:
    await _works(f"rediss+cluster://{HOST}:{cluster_port}?ssl_ca_certs={certificate[0]}", prefix)


async def test_a_master_and_its_sentinel(sentinel_port: int, certificate: tuple[Path, Path], prefix: str) -> None:
    await _works(f"rediss+sentinel://{HOST}:{sentinel_port}/jobs?ssl_ca_certs={certificate[0]}", prefix)


async def test_certificates_are_verified(cluster_port: int) -> None:
    with pytest.raises(ConnectError, match="its certificate is not trusted") as caught:
        await Endpoint.of(f"rediss+cluster://{HOST}:{cluster_port}").open()
    assert caught.value.kind == "tls"


async def test_plain_to_a_cluster_that_speaks_tls_says_so(cluster_port: int) -> None:
    with pytest.raises(ConnectError) as caught:
        await Endpoint.of(f"redis+cluster://{HOST}:{cluster_port}", connect_timeout_ms=1_000).open()
    assert "write rediss+" in str(caught.value)
