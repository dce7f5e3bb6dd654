"""Distributed crons on groups of servers: the keys of each lie together, and those of several anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.schedule import CronRun
from bullworks.schedule.clockwork.clock import SystemClock
from bullworks.schedule.clockwork.shared_clock import SharedClock
from bullworks.schedule.clockwork.ticks import ticks_of
from bullworks.schedule.journal.journal import CronFacts, Verdict
from bullworks.schedule.journal.records import read_names, read_record
from bullworks.schedule.journal.redis_journal import RedisJournal
from bullworks.schedule.journal.time_probe import TimeProbe
from tests.bullworks.cluster.group import ServerGroup

pytestmark = pytest.mark.timeout(40)

TICK_MS = 1_600_000_000_000
# No tick is ever over by it, however long past.
FOREVER_MS = 100 * 365 * 86_400_000


@pytest.fixture
async def connection(group: ServerGroup) -> AsyncIterator[PipelinedConnection]:
    connection = connection_to(Endpoint.of(group.url))
    yield connection
    await connection.close()


async def test_ticks_are_claimed_and_written_down(connection: PipelinedConnection, key_prefix: str) -> None:
    async def connect() -> PipelinedConnection:
        return connection

    one, other = RedisJournal(connect, records_all=True), RedisJournal(connect, records_all=True)
    ticks = ticks_of("* * * * * *", time_zone="UTC")
    crons = [
        CronFacts(f"{key_prefix}:{n}", ticks, is_distributed=True, has_own_name=True) for n in range(12)
    ]  # in slots of all nodes
    for cron in crons:
        claimed = replace(cron, threshold_ms=FOREVER_MS)
        claims = await asyncio.gather(*(journal.claim(claimed, TICK_MS, 0) for journal in (one, other)))
        assert sorted(claims) == [Verdict.TAKEN, Verdict.OURS]
        winner = one if claims[0] is Verdict.OURS else other
        winner.ended(cron, CronRun(tick_ms=TICK_MS, started_at_ms=TICK_MS, duration_ms=1))
        winner.missed(cron, [TICK_MS + 1_000, TICK_MS + 2_000], "came up late")
    await one.close()
    await other.close()
    assert {cron.name for cron in crons} <= set(await read_names(connection))
    for cron in crons:
        record = await read_record(connection, cron.name)
        assert (record.result, [miss.reason for miss in record.misses]) == ("ok", ["came up late"] * 2)
        assert record.running_on == []


async def test_the_time_is_known(connection: PipelinedConnection) -> None:
    async def connect() -> PipelinedConnection:
        return connection

    shared = SharedClock(SystemClock())
    await TimeProbe(connect, shared).ask()
    assert abs(shared.now_ms() - SystemClock().wall_ms()) < 60_000
