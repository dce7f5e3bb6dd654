"""The outbox on the machine's Postgres: commit to pickup by a worker, p50 and p99 in ms; rows moved a second."""

import argparse
import asyncio
import os
import statistics
import time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from benchmarks.postgres_process import PostgresProcess, postgres_binaries
from benchmarks.redis_process import RedisProcess
from bullworks.bullmq import Queue, Worker
from bullworks.outbox import Outbox, metadata


async def pickup_ms(outbox: Outbox, engine: AsyncEngine, url: str, rows: int) -> list[float]:
    """From the return of each commit to the start of the handler, one row at a time."""
    picked: asyncio.Queue[float] = asyncio.Queue()

    async def process(_job: Any, _token: Any = None) -> None:
        picked.put_nowait(time.perf_counter())

    taken = []
    async with Worker("bench", process, connection=url):
        for number in range(rows):
            async with AsyncSession(engine) as session:
                await outbox.add(session, "bench", "row", {"n": number}, remove_on_complete=True)
                await session.commit()
                committed = time.perf_counter()
            taken.append(((await picked.get()) - committed) * 1000)
    return taken


async def rows_a_second(outbox: Outbox, engine: AsyncEngine, rows: int) -> tuple[float, float]:
    """Written in transactions of 100, and moved by one relay with no worker beside it."""
    began = time.perf_counter()
    for first in range(0, rows, 100):
        async with AsyncSession(engine) as session, session.begin():
            for number in range(first, first + 100):
                await outbox.add(session, "bench", "row", {"n": number})
    written = time.perf_counter()
    while await outbox.relay.move():
        pass
    return rows / (written - began), rows / (time.perf_counter() - written)


async def measure(engine: AsyncEngine, url: str, rows: int) -> None:
    """Print both."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    async with Queue("bench", connection=url) as queue:
        outbox = Outbox(engine, [queue])
        written, moved = await rows_a_second(outbox, engine, rows)
        print(f"written {written:,.0f} rows/s, moved {moved:,.0f} rows/s ({rows:,} rows)")
        await queue.obliterate()
        async with outbox:
            outbox.start()
            cuts = statistics.quantiles(await pickup_ms(outbox, engine, url, rows // 20), n=100)
        print(f"commit to pickup: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms ({rows // 20:,} rows)")
    await engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    binaries = postgres_binaries()
    if binaries is None:
        raise SystemExit("no PostgreSQL on this machine")
    with PostgresProcess(binaries) as postgres, RedisProcess() as redis:
        print(f"PostgreSQL {postgres.version}, load {os.getloadavg()[0]:.1f}")
        address = f"postgresql+asyncpg://{postgres.user}@/postgres?host={postgres.socket_folder}"
        asyncio.run(measure(create_async_engine(address), redis.url, rows))


if __name__ == "__main__":
    main()
