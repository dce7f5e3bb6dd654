"""Claims, runs and misses of one process, over connections that break."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.schedule import CronRun
from bullworks.schedule.clockwork.ticks import ticks_of
from bullworks.schedule.journal.journal import CronFacts, Verdict
from bullworks.schedule.journal.keys import CronKeys
from bullworks.schedule.journal.records import CronRecord, read_names, read_record
from bullworks.schedule.journal.redis_journal import RedisJournal
from bullworks.schedule.journal.scripts import CLAIM_TICK, CronScripts, Instance
from tests.bullworks.reliability.proxy import FaultProxy, runs
from tests.bullworks.schedule.fake_clock import NOON_MS
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

UNREACHED = "Redis did not answer within"


# No tick is ever over by it, however long past.
FOREVER_MS = 100 * 365 * 86_400_000


def facts(name: str, *, is_distributed: bool = True, has_own_name: bool = True, threshold_ms: int = 1_500) -> CronFacts:
    return CronFacts(name, ticks_of("* * * * * *", time_zone="UTC"), is_distributed, has_own_name, threshold_ms)


class Process:
    """A journal, and what reads its records past any proxy."""

    def __init__(self, url: str, look: PipelinedConnection, *, name: str = "host:1", records_all: bool = True) -> None:
        self.connection = connection_to(Endpoint.of(url), reply_timeout_ms=1_000)
        self.look = look
        self.asked = 0
        self.journal = RedisJournal(self._connect, records_all=records_all, instance=Instance(name, name))

    async def _connect(self) -> PipelinedConnection:
        self.asked += 1
        return self.connection

    async def claim(self, cron: CronFacts, tick: int = 0, *, within_ms: int = 2_000) -> bool:
        """Of a tick long past, which Redis gives out all the same, if it is reached in time."""
        cron = replace(cron, threshold_ms=FOREVER_MS)
        return await self.journal.claim(cron, NOON_MS + tick * 1_000, FOREVER_MS - within_ms) is Verdict.OURS

    async def claim_in_vain(self, cron: CronFacts, tick: int = 0, *, within_ms: int = 100) -> None:
        """Of one that is over, while Redis is out of reach."""
        late_ms = cron.threshold_ms - within_ms
        assert await self.journal.claim(cron, NOON_MS + tick * 1_000, late_ms) is Verdict.TAKEN

    def ended(self, cron: CronFacts, tick: int | None = 0, error: BaseException | None = None) -> None:
        tick_ms = None if tick is None else NOON_MS + tick * 1_000
        self.journal.ended(cron, CronRun(tick_ms=tick_ms, started_at_ms=NOON_MS, duration_ms=7, error=error))

    async def record(self, cron: CronFacts) -> CronRecord:
        return await read_record(self.look, cron.name)

    async def misses(self, cron: CronFacts) -> dict[int, str]:
        return {(miss.tick_ms - NOON_MS) // 1_000: miss.reason for miss in (await self.record(cron)).misses}

    async def close(self) -> None:
        await self.journal.close()
        await self.connection.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
async def look(server: RedisServer) -> AsyncIterator[PipelinedConnection]:
    connection = connection_to(Endpoint.of(server.url))
    yield connection
    await connection.close()


@pytest.fixture
async def proxy(server: RedisServer) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def process(server: RedisServer, look: PipelinedConnection) -> AsyncIterator[Process]:
    process = Process(server.url, look)
    yield process
    await process.close()


@pytest.fixture
async def shaky(proxy: FaultProxy, look: PipelinedConnection) -> AsyncIterator[Process]:
    """One whose connection a test may break."""
    process = Process(proxy.url, look, name="shaky:2")
    await process.connection.connect()
    yield process
    await process.close()


@pytest.fixture(autouse=True)
def listed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bullworks.schedule.journal.recorder.LISTED_AFTER_S", 0.05)
    monkeypatch.setattr("bullworks.schedule.journal.recorder._RETRY_S", 0.05)


async def test_one_of_two_processes_has_the_tick(server: RedisServer, look: PipelinedConnection) -> None:
    one, other = Process(server.url, look, name="a:1"), Process(server.url, look, name="b:2")
    assert sorted(await asyncio.gather(one.claim(facts("x")), other.claim(facts("x")))) == [False, True]
    await one.close()
    await other.close()


async def test_a_lost_answer_is_asked_for_again(shaky: Process, proxy: FaultProxy) -> None:
    cron = facts("lost")
    proxy.lose_reply(runs(CLAIM_TICK.sha))
    assert await shaky.claim(cron, 0)
    proxy.lose_reply(runs(CLAIM_TICK.sha))
    assert await shaky.claim(cron, 1)
    assert len(proxy.lost) >= 1
    shaky.ended(cron, 0)
    shaky.ended(cron, 1)
    await eventually(lambda: read_is_ok(shaky, cron))
    assert await shaky.misses(cron) == {}


async def read_is_ok(process: Process, cron: CronFacts) -> bool:
    return (await process.record(cron)).result == "ok"


async def test_a_claim_whose_answer_comes_too_late_is_a_miss_that_nobody_runs(
    shaky: Process, process: Process, proxy: FaultProxy
) -> None:
    """Redis gave the tick to us, and we did not hear of it in time."""
    cron = facts("late")
    await shaky.claim(cron, -1)
    proxy.black_hole()
    await shaky.claim_in_vain(cron, 0)
    proxy.heal()

    async def is_listed() -> bool:
        return 0 in await shaky.misses(cron)

    await eventually(is_listed)
    assert (await shaky.misses(cron))[0].startswith(UNREACHED)
    assert not await process.claim(cron, 0)


async def test_a_miss_that_another_process_ran_is_not_listed(
    shaky: Process, process: Process, proxy: FaultProxy
) -> None:
    cron = facts("both")
    proxy.cut()
    proxy.black_hole()
    await shaky.claim_in_vain(cron, 0)
    assert await process.claim(cron, 0)
    process.ended(cron, 0)
    proxy.heal()
    assert await shaky.claim(cron, 1, within_ms=5_000)
    await shaky.journal.close()
    assert await shaky.misses(cron) == {}


async def test_misses_wait_for_redis_to_come_back(
    server: RedisServer, process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    cron = facts("away")
    assert await process.claim(cron, 0)
    process.ended(cron, 0)
    await eventually(lambda: read_is_ok(process, cron))
    server.stop()
    await process.claim_in_vain(cron, 1)
    await process.claim_in_vain(cron, 2)
    await eventually(lambda: any("records of crons are waiting for Redis" in text for text in caplog.messages))
    server.start()

    async def both_listed() -> bool:
        return set(await process.misses(cron)) == {1, 2}

    await eventually(both_listed, within_s=15)
    (level,) = {record.levelname for record in caplog.records if "ran in no process: Redis did" in record.message}
    assert level == "ERROR"


async def with_a_gap(process: Process, name: str, length: int) -> tuple[CronFacts, int]:
    """A cron of which nothing was accounted for, for so many seconds before the present one; and that one."""
    cron = facts(name)
    now_ms = time.time_ns() // 10**9 * 1_000
    long_ago = now_ms - (length + 1) * 1_000
    scripts = CronScripts(process.look, Instance("other", "other:3"))
    await scripts.claim_tick(name, long_ago, pattern=cron.ticks.pattern, gap_ms=1_000, within_ms=FOREVER_MS)
    assert await process.journal.claim(cron, now_ms, 0) is Verdict.OURS
    return cron, now_ms


async def listed(process: Process, cron: CronFacts, now_ms: int) -> dict[int, str]:
    """Ticks by their seconds before now."""
    return {(miss.tick_ms - now_ms) // 1_000: miss.reason for miss in (await process.record(cron)).misses}


async def test_ticks_that_nobody_claimed_are_found_by_the_next_claim(process: Process) -> None:
    cron, now_ms = await with_a_gap(process, "gap", 3)

    async def found() -> bool:
        return await listed(process, cron, now_ms) == dict.fromkeys((-3, -2, -1), "no process claimed it")

    await eventually(found)


async def test_of_a_long_gap_the_latest_hundred_are_listed(process: Process) -> None:
    cron, now_ms = await with_a_gap(process, "long", 1_000)

    async def found() -> bool:
        return sorted(await listed(process, cron, now_ms)) == list(range(-100, 0))

    await eventually(found)


async def test_a_tick_that_is_not_due_by_the_clock_of_redis_is_neither_taken_nor_missed(process: Process) -> None:
    cron, due_ms = facts("ahead"), time.time_ns() // 10**6 + 60_000
    assert await process.journal.claim(cron, due_ms, 0) is Verdict.EARLY
    process.journal.missed(cron, [due_ms, NOON_MS], "came up 300 ms late")

    async def is_listed() -> bool:
        return await process.misses(cron) != {}

    await eventually(is_listed)
    assert await process.misses(cron) == {0: "came up 300 ms late"}
    assert await process.look.execute("EXISTS", CronKeys("ahead").claim(due_ms)) == 0


async def test_a_tick_that_is_over_by_the_clock_of_redis_is_missed_whatever_our_clock_says(process: Process) -> None:
    cron = facts("behind")
    assert await process.journal.claim(cron, NOON_MS, 0) is Verdict.LATE

    async def is_listed() -> bool:
        return 0 in await process.misses(cron)

    await eventually(is_listed)
    assert (await process.misses(cron))[0].startswith("came up ")


async def test_a_tick_that_comes_up_again_while_it_runs_is_not_given_out_twice(process: Process) -> None:
    """Asking again with one's own token is how a lost answer is heard: it must not start a second run."""
    cron = facts("again")
    assert await process.claim(cron, 0)
    assert not await process.claim(cron, 0)
    one, other = await asyncio.gather(process.claim(cron, 1), process.claim(cron, 1))
    assert [one, other] == [True, False]
    process.ended(cron, 0)
    assert not await process.claim(cron, 0)


async def test_the_lease_of_a_long_run_is_renewed(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bullworks.schedule.journal.recorder.LEASE_MS", 90)
    cron = facts("lasting")
    await process.claim(cron, 0)
    key = "bullworks:cron:{lasting}:open"
    (member,) = await process.look.execute("ZRANGE", key, 0, -1)
    first = float(await process.look.execute("ZSCORE", key, member))

    async def is_renewed() -> bool:
        return float(await process.look.execute("ZSCORE", key, member)) > first + 200

    await eventually(is_renewed)
    process.ended(cron, 0)

    async def is_over() -> bool:
        return (await process.record(cron)).running_on == []

    await eventually(is_over)


@pytest.mark.parametrize(
    ("error", "result", "text"),
    [
        (None, "ok", ""),
        (ValueError("no"), "failed", "ValueError: no"),
        (ValueError("x" * 1_000), "failed", f"ValueError: {'x' * 188}"),
        (asyncio.CancelledError(), "interrupted", "CancelledError: "),
    ],
)
async def test_a_run_is_written_down(process: Process, error: BaseException | None, result: str, text: str) -> None:
    cron = facts("written", is_distributed=False)
    process.ended(cron, None, error)
    await process.journal.close()
    record = await process.record(cron)
    assert (record.result, record.error, record.duration_ms, record.instance) == (result, text, 7, "host:1")
    assert (record.started_at_ms, record.next_ms, record.pattern) == (NOON_MS, NOON_MS + 1_000, "* * * * * * UTC")
    assert await read_names(process.look) == ["written"]


async def test_many_runs_between_two_writes_are_one_record(process: Process) -> None:
    for _ in range(1_000):
        process.ended(facts("many", is_distributed=False), None)
    process.ended(facts("other", is_distributed=False), None)
    await process.journal.close()
    commands = await process.look.execute("INFO", "commandstats")
    calls = int(commands.decode().split("cmdstat_evalsha:calls=")[1].split(",")[0])
    assert calls <= 2
    assert await read_names(process.look) == ["many", "other"]


@pytest.mark.parametrize(("records_all", "has_own_name"), [(False, False), (False, True), (True, False)])
async def test_which_local_crons_are_written_down(
    server: RedisServer, look: PipelinedConnection, records_all: bool, has_own_name: bool
) -> None:
    process = Process(server.url, look, records_all=records_all)
    cron = facts("local", is_distributed=False, has_own_name=has_own_name)
    process.ended(cron, None)
    process.journal.missed(cron, [NOON_MS], "came up 300 ms late")
    await process.close()
    assert (process.asked > 0) == (records_all or has_own_name)
    record = await read_record(look, "local")
    assert bool(record.result) == bool(record.misses) == (records_all or has_own_name)


async def test_the_end_does_not_wait_long_for_a_redis_that_is_away(
    server: RedisServer, process: Process, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bullworks.schedule.journal.recorder._CLOSE_S", 0.2)
    await process.connection.connect()
    server.freeze()
    process.ended(facts("frozen"), 0)
    await asyncio.sleep(0)
    await asyncio.wait_for(process.journal.close(), 5)
    server.thaw()
    assert "records of 1 runs and 0 misses were not written" in caplog.messages


async def test_a_run_that_ends_while_names_are_written_is_known_by_name_too(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = process.connection.execute

    async def executed(*command: Any, key: Any = None) -> Any:
        if command[0] == "ZADD":
            process.ended(facts("second", is_distributed=False), None)
            monkeypatch.setattr(process.connection, "execute", execute)
        return await execute(*command, key=key)

    await process.connection.connect()
    monkeypatch.setattr(process.connection, "execute", executed)
    process.ended(facts("first", is_distributed=False), None)
    await eventually(lambda: read_is_ok(process, facts("second")))
    await process.journal.close()
    assert await read_names(process.look) == ["first", "second"]


async def test_a_record_that_redis_refuses_costs_no_other(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    await process.look.execute("SET", "bullworks:cron:{broken}:state", "no hash")
    process.ended(facts("broken", is_distributed=False), None)
    process.ended(facts("whole", is_distributed=False), None)

    async def is_written() -> bool:
        return (await read_record(process.look, "whole")).result == "ok"

    await eventually(is_written)
    assert any("cron broken: its record can't be written" in text for text in caplog.messages)


async def test_without_a_limit_memory_would_fill_so_the_oldest_go(
    server: RedisServer, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bullworks.schedule.journal.recorder._MOST_WAITING", 3)
    for number in range(5):
        process.ended(facts(f"c{number}", is_distributed=False), None)
        process.journal.missed(facts("m", is_distributed=False), [NOON_MS + number], "late")
    await process.journal.close()
    assert await read_names(process.look) == ["c2", "c3", "c4", "m"]
    assert [miss.tick_ms - NOON_MS for miss in (await read_record(process.look, "m")).misses] == [2, 3, 4]
