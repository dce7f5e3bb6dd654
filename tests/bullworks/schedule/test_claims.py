"""The scripts of crons on a real server: a tick is given out once, and ends as `ran` or as `missed`."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.schedule.journal.journal import Verdict
from bullworks.schedule.journal.keys import CronKeys
from bullworks.schedule.journal.records import CronRecord, Miss, read_record
from bullworks.schedule.journal.scripts import Claim, CronScripts, Instance, Listing, claim_kept_ms, state_kept_ms

# Long past, and given out all the same: unless a test is about that, a tick is over only after FOREVER_MS.
TICK_MS = 1_600_000_000_000
FOREVER_MS = 100 * 365 * 86_400_000
SECOND_MS = 1_000
DIED = "claimed, and its process died before it ended"


class Process:
    """One of several that claim."""

    def __init__(self, name: str, cron: str, connection: PipelinedConnection) -> None:
        self.name = name
        self._cron = cron
        self._scripts = CronScripts(connection, Instance(uuid.uuid4().hex, name))

    async def claim(self, tick: int = 0, *, pattern: str = "* * * * * *") -> Claim:
        return await self.claim_at(TICK_MS + tick * SECOND_MS, FOREVER_MS, pattern=pattern)

    async def claim_at(self, tick_ms: int, within_ms: int, *, pattern: str = "* * * * * *") -> Claim:
        return await self._scripts.claim_tick(
            self._cron, tick_ms, pattern=pattern, gap_ms=SECOND_MS, within_ms=within_ms
        )

    async def ran(self, tick: int | None = 0, **fields: str) -> None:
        claimed_ms = None if tick is None else TICK_MS + tick * SECOND_MS
        await self._scripts.record_run(
            self._cron, claimed_ms, gap_ms=SECOND_MS, fields={"result": "ok", "started": TICK_MS, **fields}
        )

    async def missed(self, *ticks: int, is_distributed: bool = True, reason: str = "late") -> list[int]:
        ticks_ms = [TICK_MS + tick * SECOND_MS for tick in ticks]
        found = await self.missed_at(ticks_ms, 0, is_distributed=is_distributed, reason=reason)
        assert found.early == []
        return [(tick_ms - TICK_MS) // SECOND_MS for tick_ms in found.listed]

    async def missed_at(
        self, ticks_ms: list[int], within_ms: int, *, is_distributed: bool = True, reason: str = "late"
    ) -> Listing:
        return await self._scripts.list_misses(
            self._cron, ticks_ms, reason, is_distributed=is_distributed, gap_ms=SECOND_MS, within_ms=within_ms
        )


class Cron:
    """A cron's keys, and the processes that share it."""

    def __init__(self, name: str, connection: PipelinedConnection) -> None:
        self.keys = CronKeys(name)
        self.connection = connection
        self.a = Process("host-a:1", name, connection)
        self.b = Process("host-b:2", name, connection)

    async def record(self) -> CronRecord:
        return await read_record(self.connection, self.keys.name)

    async def misses(self) -> dict[int, str]:
        return {(miss.tick_ms - TICK_MS) // SECOND_MS: miss.reason for miss in (await self.record()).misses}

    async def let_leases_end(self) -> None:
        """As if nothing had been heard of any run for a while."""
        for member in await self.connection.execute("ZRANGE", self.keys.open, 0, -1):
            await self.connection.execute("ZADD", self.keys.open, 1, member)


def same(claim: Claim) -> Claim:
    """The claim without the time at which it was made."""
    return replace(claim, now_ms=0)


async def now_ms(cron: Cron) -> int:
    """By the clock of Redis."""
    seconds, micros = await cron.connection.execute("TIME")
    return int(seconds) * 1_000 + int(micros) // 1_000


@pytest.fixture
async def cron(redis_url: str, key_prefix: str) -> AsyncIterator[Cron]:
    connection = connection_to(Endpoint.of(redis_url))
    yield Cron(key_prefix, connection)
    await connection.close()


async def test_the_first_to_ask_has_the_tick(cron: Cron) -> None:
    assert same(await cron.a.claim()) == Claim(Verdict.OURS, 0)
    assert same(await cron.b.claim()) == Claim(Verdict.TAKEN, 0, owner="host-a:1")
    assert (await cron.b.claim(1)).is_ours


async def test_asking_again_with_the_same_token_gets_the_same_answer(cron: Cron) -> None:
    """The reply was lost: the tick is still ours, and so is what we were told of the one before."""
    await cron.b.claim(0)
    first = same(await cron.a.claim(5))
    assert first == Claim(Verdict.OURS, 0, before_ms=TICK_MS)
    assert same(await cron.a.claim(5)) == first


async def test_a_tick_that_ran_is_never_given_out_again(cron: Cron) -> None:
    await cron.a.claim()
    await cron.a.ran()
    assert same(await cron.a.claim()) == Claim(Verdict.TAKEN, 0, owner="ran")
    assert same(await cron.b.claim()) == Claim(Verdict.TAKEN, 0, owner="ran")


async def test_a_claim_outlives_its_run_by_an_hour(cron: Cron) -> None:
    await cron.a.claim()
    await cron.a.ran()
    assert await cron.connection.execute("PTTL", cron.keys.claim(TICK_MS)) > 3_590_000


@pytest.mark.parametrize(
    ("gap_ms", "kept_ms"),
    [(1_000, 3_600_000), (86_400_000, 2 * 86_400_000), (365 * 86_400_000, 7 * 86_400_000), (None, 7 * 86_400_000)],
)
def test_how_long_a_claim_is_remembered(gap_ms: int | None, kept_ms: int) -> None:
    assert claim_kept_ms(gap_ms) == kept_ms
    assert state_kept_ms(gap_ms) >= 30 * 86_400_000 + 2 * (gap_ms or 0)


async def test_a_listed_tick_is_never_given_out(cron: Cron) -> None:
    assert await cron.a.missed(0, reason="no answer") == [0]
    assert same(await cron.b.claim()) == Claim(Verdict.TAKEN, 0, owner="missed")
    assert (await cron.record()).misses == [Miss(TICK_MS, "host-a:1", "no answer")]


async def test_a_tick_is_listed_once_by_whoever_is_first(cron: Cron) -> None:
    assert await cron.a.missed(0, 1, reason="a says") == [0, 1]
    assert await cron.b.missed(0, 1, 2, reason="b says") == [2]
    assert await cron.misses() == {0: "a says", 1: "a says", 2: "b says"}


async def test_what_another_process_has_is_not_missed(cron: Cron) -> None:
    await cron.a.claim(0)
    await cron.a.claim(1)
    await cron.a.ran(1)
    assert await cron.b.missed(0, 1) == []
    assert await cron.misses() == {}


async def test_our_own_claim_of_which_we_never_heard_is_missed(cron: Cron) -> None:
    await cron.a.claim()
    assert await cron.a.missed(0, reason="no answer") == [0]
    assert (await cron.record()).running_on == []
    assert same(await cron.a.claim()) == Claim(Verdict.TAKEN, 0, owner="missed")


async def test_a_run_of_which_nothing_is_heard_is_listed_by_the_next_claim(cron: Cron) -> None:
    await cron.a.claim(0)
    assert (await cron.record()).running_on == ["host-a:1"]
    await cron.let_leases_end()
    await cron.b.claim(1)
    record = await cron.record()
    assert record.misses == [Miss(TICK_MS, "host-a:1", DIED)]
    assert record.running_on == ["host-b:2"]
    assert not (await cron.b.claim(0)).is_ours


async def test_also_by_a_claim_that_is_refused_and_by_a_look(cron: Cron) -> None:
    await cron.a.claim(0)
    await cron.a.claim(1)
    await cron.let_leases_end()
    await cron.b.claim(1)
    assert await cron.misses() == {0: DIED, 1: DIED}


async def test_a_run_that_was_taken_for_dead_and_goes_on_leaves_the_list(cron: Cron) -> None:
    await cron.a.claim()
    await cron.let_leases_end()
    assert await cron.misses() == {0: DIED}
    assert (await cron.a.claim()).is_ours
    assert await cron.misses() == {}
    await cron.let_leases_end()
    assert await cron.misses() == {0: DIED}
    await cron.a.ran()
    assert await cron.misses() == {}


async def test_a_claim_says_which_tick_was_accounted_for_last(cron: Cron) -> None:
    await cron.a.claim(0)
    await cron.b.missed(1)
    assert (await cron.a.claim(5)).before_ms == TICK_MS + SECOND_MS
    # later, of an earlier tick: its process is behind
    assert (await cron.b.claim(4)).before_ms == TICK_MS + 5 * SECOND_MS
    assert (await cron.a.claim(6)).before_ms == TICK_MS + 5 * SECOND_MS


async def test_a_changed_expression_begins_anew(cron: Cron) -> None:
    await cron.a.claim(0)
    assert (await cron.a.claim(60, pattern="0 * * * * *")).before_ms is None


async def test_a_local_crons_misses_are_listed_whoever_ran_meanwhile(cron: Cron) -> None:
    assert await cron.a.missed(0, is_distributed=False) == [0]
    assert await cron.b.missed(0, is_distributed=False) == [0]
    assert [miss.instance for miss in (await cron.record()).misses] == ["host-a:1", "host-b:2"]
    assert await cron.connection.execute("EXISTS", cron.keys.claim(TICK_MS)) == 0


async def test_the_list_holds_the_latest_hundred(cron: Cron) -> None:
    for start in range(0, 150, 50):
        await cron.a.missed(*range(start, start + 50))
    assert sorted(await cron.misses()) == list(range(50, 150))


async def test_a_record_is_what_ended_last(cron: Cron) -> None:
    await cron.a.ran(None, result="failed", error="ValueError: no", duration="12", instance="host-a:1", next="5")
    record = await cron.record()
    assert (record.result, record.error, record.duration_ms, record.next_ms) == ("failed", "ValueError: no", 12, 5)
    assert record.started_at_ms == TICK_MS
    unknown = await read_record(cron.connection, f"{cron.keys.name}-unknown")
    assert (unknown.result, unknown.started_at_ms, unknown.misses) == ("", None, [])


async def test_everything_is_forgotten_some_day(cron: Cron) -> None:
    await cron.a.claim(0)
    await cron.a.missed(1)
    await cron.a.ran(0)
    await cron.a.claim(2)
    keys = (cron.keys.state, cron.keys.open, cron.keys.misses, cron.keys.claim(TICK_MS))
    assert all([await cron.connection.execute("PTTL", key) > 0 for key in keys])


async def test_a_tick_is_given_out_from_when_it_is_due_by_the_clock_of_redis_until_it_is_over(cron: Cron) -> None:
    now = await now_ms(cron)
    for process in (cron.a, cron.b):
        early = await process.claim_at(now + 60_000, 250)
        assert (early.verdict, early.owner, early.now_ms >= now) == (Verdict.EARLY, "", True)
        late = await process.claim_at(now - 60_000, 59_000)
        assert (late.verdict, late.owner, late.now_ms >= now) == (Verdict.LATE, "", True)
    assert (await cron.record()).running_on == []
    assert await cron.connection.execute("EXISTS", cron.keys.claim(now + 60_000), cron.keys.claim(now - 60_000)) == 0
    assert (await cron.a.claim_at(now - 60_000, 120_000)).is_ours


async def test_a_claim_is_renewed_when_its_tick_is_over(cron: Cron) -> None:
    now = await now_ms(cron)
    assert (await cron.a.claim_at(now - 60_000, 120_000)).is_ours
    assert (await cron.a.claim_at(now - 60_000, 1_000)).is_ours
    assert (await cron.b.claim_at(now - 60_000, 1_000)).verdict is Verdict.TAKEN


async def test_what_is_not_over_by_the_clock_of_redis_is_not_listed_and_may_still_be_claimed(cron: Cron) -> None:
    now = await now_ms(cron)
    over, open_, to_come = now - 120_000, now - 10_000, now + 60_000
    found = await cron.a.missed_at([over, open_, to_come], 60_000)
    assert (found.listed, found.early) == ([over], [open_, to_come])
    assert [miss.tick_ms for miss in (await cron.record()).misses] == [over]
    assert (await cron.b.claim_at(open_, 60_000)).is_ours
    # what another process has is none of ours to wait for
    assert await cron.a.missed_at([open_], 60_000) == Listing([], [])
    assert await cron.b.missed_at([open_], 60_000) == Listing([], [open_])


async def test_a_local_crons_miss_is_listed_by_its_own_clock(cron: Cron) -> None:
    to_come = await now_ms(cron) + 60_000
    assert await cron.a.missed_at([to_come], 60_000, is_distributed=False) == Listing([to_come], [])


def test_the_keys_of_a_cron_lie_together() -> None:
    keys = CronKeys("report")
    names = [keys.state, keys.open, keys.misses, keys.claim(5)]
    assert all(name.startswith("bullworks:cron:{report}:") for name in names)
    assert len(set(names)) == 4
