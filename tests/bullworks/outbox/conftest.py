"""Databases of the outbox: SQLite in a file, and one Postgres for the folder, with a database for each test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.postgres_process import PostgresProcess, postgres_binaries
from bullworks.bullmq import Queue
from bullworks.outbox import metadata


@dataclass(frozen=True)
class Urls:
    """Of one database, by driver; each has the outbox's tables."""

    of: Callable[[str], str]

    def sync_engine(self, driver: str) -> Engine:
        return create_engine(self.of(driver))

    def engine(self, driver: str) -> AsyncEngine:
        return create_async_engine(self.of(driver))


@pytest.fixture(scope="package")
def postgres_server() -> Iterator[PostgresProcess]:
    """One server for the folder, which starts with the first test that asks for it."""
    binaries = postgres_binaries()
    if binaries is None and os.environ.get("CI") == "true":
        pytest.fail("no PostgreSQL on this machine: install it")
    if binaries is None:
        pytest.skip("no PostgreSQL on this machine")
    with PostgresProcess(binaries) as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresProcess) -> Urls:
    """A new database on the server."""
    name = f"test_{uuid4().hex}"
    at = f"{postgres_server.user}@/{{}}?host={postgres_server.socket_folder}"
    admin = create_engine(f"postgresql+psycopg://{at.format('postgres')}", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} STRATEGY file_copy"))
        # Only the server itself could lose what it has not written, and nothing here kills that.
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    admin.dispose()
    return _with_tables(Urls(lambda driver: f"postgresql+{driver}://{at.format(name)}"), "psycopg")


@pytest.fixture
def sqlite(tmp_path: Path) -> Urls:
    """A new file."""
    return _with_tables(Urls(lambda driver: f"sqlite+{driver}:///{tmp_path}/shop.db"), "pysqlite")


@pytest.fixture(params=["aiosqlite", "asyncpg", "psycopg"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    """An async engine of each kind."""
    urls: Urls = request.getfixturevalue("sqlite" if request.param == "aiosqlite" else "postgres")
    engine = urls.engine(request.param)
    yield engine
    await engine.dispose()


@pytest.fixture
async def queue(redis_url: str, key_prefix: str) -> AsyncIterator[Queue]:
    """Where rows go."""
    async with Queue("mail", connection=redis_url, prefix=key_prefix) as queue:
        yield queue


def _with_tables(urls: Urls, driver: str) -> Urls:
    engine = urls.sync_engine(driver)
    metadata.create_all(engine)
    engine.dispose()
    return urls
