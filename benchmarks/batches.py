"""Rows a second from a queue into a database, by how many jobs a call of the handler has.

A job is a row. With 1 the handler is an ordinary one, and each row is a transaction of its own; with 10 and 100 it is
called with a batch, and a batch is one INSERT. PostgreSQL and SQLite as they come: each commit is on the disk before
its jobs are completed. Sizes are measured in turns. Redis, database and worker share the cores.

PostgreSQL needs `pip install -r benchmarks/requirements/batches.txt`, and `initdb` on the machine.
"""

import argparse
import asyncio
import importlib.util
import platform
import sqlite3
import statistics
import tempfile
import time
from abc import abstractmethod
from pathlib import Path
from typing import Any, Protocol

from benchmarks.postgres_process import PostgresProcess, postgres_binaries
from benchmarks.redis_process import RedisProcess
from bullworks.bullmq import Batch, Job, JobSpec, Queue, SyncJob, Worker, WorkerOptions

_QUEUE = "bench-rows"
_SIZES = (1, 10, 100)
_PATIENCE_S = 120.0
_CREATE = "CREATE TABLE rows (id text PRIMARY KEY, n integer NOT NULL, body text NOT NULL)"
_BODY = "a line of text, as long as those of a log are: 2026-11-25T01:30:00Z GET /orders/7 200 12 ms"


class Table(Protocol):
    """A table that handlers write to."""

    name: str
    concurrency: int
    """Handlers at once, as many as the database can use."""

    @abstractmethod
    def handler(self, size: int) -> Any:
        """The handler: of one job, or of many."""

    @abstractmethod
    async def empty(self) -> int:
        """Delete all rows. Returns how many there were."""


class PostgresTable(Table):
    """A table in PostgreSQL, through asyncpg.

    Args:
        pool: of as many connections as handlers run at once.
    """

    def __init__(self, name: str, pool: Any, concurrency: int) -> None:
        self.name = name
        self.concurrency = concurrency
        self._pool = pool

    def handler(self, size: int) -> Any:
        return self._insert if size == 1 else self._insert_many

    async def empty(self) -> int:
        rows: int = await self._pool.fetchval("SELECT count(*) FROM rows")
        await self._pool.execute("TRUNCATE rows")
        return rows

    async def _insert(self, job: Job[Any, Any]) -> None:
        await self._pool.execute("INSERT INTO rows VALUES ($1, $2, $3)", job.id, job.data["n"], job.data["body"])

    async def _insert_many(self, jobs: list[Job[Any, Any]]) -> None:
        await self._pool.execute(
            "INSERT INTO rows SELECT * FROM unnest($1::text[], $2::integer[], $3::text[])",
            [job.id for job in jobs],
            [job.data["n"] for job in jobs],
            [job.data["body"] for job in jobs],
        )


class SqliteTable(Table):
    """A table in a file of SQLite, with one writer, as SQLite has it."""

    concurrency = 1

    def __init__(self, path: Path) -> None:
        self.name = f"SQLite {sqlite3.sqlite_version}"
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute(_CREATE)

    def handler(self, size: int) -> Any:
        return self._insert if size == 1 else self._insert_many

    async def empty(self) -> int:
        with self._connection:
            return self._connection.execute("DELETE FROM rows").rowcount

    def _insert(self, job: SyncJob[Any, Any]) -> None:
        self._insert_many([job])

    def _insert_many(self, jobs: list[SyncJob[Any, Any]]) -> None:
        with self._connection:
            rows = [(job.id, job.data["n"], job.data["body"]) for job in jobs]
            self._connection.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)


async def rows_per_second(url: str, table: Table, size: int, rows: int) -> float:
    """Work off as many jobs as rows; each is completed, and its row is there, once."""
    async with Queue(_QUEUE, connection=url) as queue:
        await queue.add_bulk([JobSpec("row", {"n": n, "body": _BODY}) for n in range(rows)])
        options: WorkerOptions = {"concurrency": table.concurrency}
        if size > 1:
            options["batch"] = Batch(size=size)
        worker = Worker(_QUEUE, table.handler(size), connection=url, **options)
        left, all_stored = rows, asyncio.Event()

        def count(_: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                all_stored.set()

        worker.measure(count)
        begun_s = time.perf_counter()
        async with asyncio.timeout(_PATIENCE_S), worker:
            await all_stored.wait()
            taken_s = time.perf_counter() - begun_s
        counts = await queue.get_job_counts("completed")
        await queue.obliterate(force=True)
    written = await table.empty()
    if written != rows or counts["completed"] != rows:
        raise AssertionError(f"{written} rows and {counts} of {rows}")
    return rows / taken_s


async def measure(url: str, table: Table, rows: int, rounds: int) -> None:
    """Print the median of a few rounds for each size, and how it compares to one job a call."""
    found: dict[int, list[float]] = {size: [] for size in _SIZES}
    for turn in range(rounds):
        for size in _SIZES if turn % 2 == 0 else reversed(_SIZES):
            # As long a run for each: small batches get fewer rows.
            found[size].append(await rows_per_second(url, table, size, rows * size // (9 + size)))
    one = statistics.median(found[1])
    for size, speeds in found.items():
        median = statistics.median(speeds)
        print(
            f"{table.name:28} {table.concurrency} at once   {size:3} jobs a call   {median:8,.0f} rows/s "
            f"({min(speeds):,.0f} .. {max(speeds):,.0f})   x {median / one:.1f}"
        )


async def with_postgres(url: str, rows: int, rounds: int) -> None:
    """Measure PostgreSQL, where it and its client are installed."""
    binaries = postgres_binaries()
    if binaries is None or importlib.util.find_spec("asyncpg") is None:
        print("PostgreSQL: left out, it needs initdb and asyncpg")
        return
    asyncpg = importlib.import_module("asyncpg")
    with PostgresProcess(binaries) as server:
        for concurrency in (1, 4):
            place = {"host": server.socket_folder, "user": server.user, "database": "postgres"}
            async with asyncpg.create_pool(**place, min_size=concurrency, max_size=concurrency) as pool:
                await pool.execute(f"DROP TABLE IF EXISTS rows; {_CREATE}")
                await measure(url, PostgresTable(f"PostgreSQL {server.version}", pool, concurrency), rows, rounds)


async def run(rows: int, rounds: int) -> None:
    with RedisProcess() as redis, tempfile.TemporaryDirectory(prefix="bullworks-bench-") as folder:
        print(f"Python {platform.python_version()}, {redis.version}, medians of {rounds} rounds, least and most")
        await with_postgres(redis.url, rows, rounds)
        await measure(redis.url, SqliteTable(Path(folder, "rows.db")), rows, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="of a run with 100 jobs a call; others have fewer")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    asyncio.run(run(args.rows, args.rounds))


if __name__ == "__main__":
    main()
