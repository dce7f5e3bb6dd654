"""What a limit grants, refuses and gives back, by Redis's clock."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import timedelta
from typing import Any

import pytest

from bullworks.limits import InvalidLimitError, Limit, LimitReachedError, LimitUnreachableError, Window
from tests.bullworks.limits.conftest import MakeLimit
from tests.bullworks.waiting import eventually

HOUR_MS = 3_600_000


def used(usage: Any) -> list[int]:
    return [window.used for window in usage.windows]


async def test_a_cost_is_granted_where_every_window_has_room_and_counts_in_all(make_limit: MakeLimit):
    limit = make_limit(Window(10, per=HOUR_MS), Window(25, per=timedelta(days=1)))
    for cost in (7, 3):
        reservation = await limit.reserve(cost)
        assert (reservation.cost, reservation.is_settled) == (cost, False)
        assert abs(reservation.granted_at_us / 1_000_000 - time.time()) < 60
    with pytest.raises(LimitReachedError) as refused:
        await limit.reserve()
    assert used(await limit.get_usage()) == [10, 10], "nothing is counted where one window has no room"
    # Until the bucket in which the first counts has left: the window's length, and up to a hundredth of it.
    assert HOUR_MS * 0.99 < refused.value.retry_after_ms <= HOUR_MS * 1.01
    assert refused.value.name == limit.name


async def test_what_counted_leaves_its_window_and_the_hash_leaves_redis(make_limit: MakeLimit, look: Any, name: str):
    limit = make_limit(Window(5, per=100), Window(50, per=150))
    await limit.reserve(5)
    again = await limit.reserve(5, wait=5_000)
    key = f"bullworks:limit:{{{name}}}:"
    assert used(await limit.get_usage())[0] == 5
    assert again.cost == 5
    assert 1_000 < look.pttl(key) <= 1_160
    await eventually(lambda: limit_is_free(limit), what="the windows to pass")
    assert {field: look.hget(key, field) for field in ("100:used", "150:used")} == {"100:used": "0", "150:used": "0"}
    assert len(look.hkeys(key)) <= 5, "of buckets that count no more nothing is left"


async def limit_is_free(limit: Limit) -> bool:
    return used(await limit.get_usage()) == [0, 0]


async def test_processes_share_a_limit_and_its_keys_are_counted_apart(make_limit: MakeLimit):
    one, other = make_limit(Window(3, per=HOUR_MS)), make_limit(Window(3, per=HOUR_MS))
    await one.reserve(2)
    await other.reserve(1)
    for limit in (one, other):
        with pytest.raises(LimitReachedError, match=r"limit '.*:api' is reached: retry in"):
            await limit.reserve()
    await one.reserve(3, key="tenant-1")
    with pytest.raises(LimitReachedError, match="of key 'tenant-1' is reached") as refused:
        await other.reserve(key="tenant-1")
    assert refused.value.key == "tenant-1"


async def test_what_was_not_spent_is_free_at_once(make_limit: MakeLimit):
    limit = make_limit(Window(100, per=HOUR_MS))
    reservation = await limit.reserve(80)
    assert await reservation.settle(30) is True
    assert used(await limit.get_usage()) == [30]
    assert await reservation.settle(0) is False, "once only"
    assert used(await limit.get_usage()) == [30]
    exact = await limit.reserve(70)
    assert await exact.settle(70)
    assert used(await limit.get_usage()) == [100]


async def test_what_was_spent_beyond_the_reservation_makes_others_wait(make_limit: MakeLimit):
    limit = make_limit(Window(100, per=HOUR_MS))
    reservation = await limit.reserve(60)
    assert await reservation.settle(180)
    assert used(await limit.get_usage()) == [180]
    with pytest.raises(LimitReachedError):
        await limit.reserve(1)


async def test_a_clock_that_was_set_back_closes_no_limit(make_limit: MakeLimit, look: Any, name: str):
    """Given counts, and somebody's turn, of a day ahead."""
    limit, key = make_limit(Window(10, per=HOUR_MS)), f"bullworks:limit:{{{name}}}:"
    late = await limit.reserve(8)
    buckets = 24 * 101  # a day's, so that they come round to the same places
    late.granted_at_us += buckets * HOUR_MS * 10
    look.hincrby(key, f"{HOUR_MS}:last", buckets)
    look.hset(key, mapping={"turn": "another", "turn_until": late.granted_at_us, "turn_cost": 9})
    assert used(await limit.get_usage()) == [0]
    assert (await limit.reserve(7)).cost == 7
    await late.settle(0)
    assert used(await limit.get_usage()) == [7]
    with pytest.raises(LimitReachedError):
        await limit.reserve(4)


async def test_a_late_settlement_gives_nothing_back_that_no_longer_counts(make_limit: MakeLimit):
    limit = make_limit(Window(5, per=50), Window(100, per=HOUR_MS))
    late = await limit.reserve(5)
    now = await limit.reserve(5, wait=5_000)
    assert await late.settle(1)
    assert used(await limit.get_usage()) in ([5, 6], [0, 6])
    assert await now.settle(0)
    assert used(await limit.get_usage()) == [0, 1]


async def test_who_waits_gets_room_when_there_is_some_and_hears_at_once_where_there_will_be_none(make_limit: MakeLimit):
    limit = make_limit(Window(1, per=200))
    first = await limit.reserve()
    second = await limit.reserve(wait=10_000)
    assert second.granted_at_us - first.granted_at_us > 200_000
    hourly = make_limit(Window(1, per=HOUR_MS))
    await hourly.reserve(key="h")
    async with asyncio.timeout(30):
        with pytest.raises(LimitReachedError):
            await hourly.reserve(key="h", wait=HOUR_MS // 2)


async def test_a_settlement_lets_who_waits_go_on_long_before_the_window_has_passed(make_limit: MakeLimit):
    limit = make_limit(Window(10, per=HOUR_MS))
    reservation = await limit.reserve(10)
    waiting = asyncio.create_task(limit.reserve(5, wait=2 * HOUR_MS))
    await eventually(lambda: has_turn(limit), what="the waiter to have asked")
    await reservation.settle(5)
    assert (await asyncio.wait_for(waiting, 20)).cost == 5


async def has_turn(limit: Limit) -> bool:
    return bool(await limit.scripts._connection.execute("HEXISTS", limit.scripts._keys.usage(""), "turn"))


async def test_a_large_cost_that_waits_is_not_starved_by_small_ones(make_limit: MakeLimit):
    limit = make_limit(Window(10, per=300))
    await limit.reserve(6)
    large = asyncio.create_task(limit.reserve(10, wait=20_000))
    await eventually(lambda: has_turn(limit), what="the large one to wait")
    refusals = 0
    while not large.done():
        try:
            await limit.reserve(1)
        except LimitReachedError:
            refusals += 1
        await asyncio.sleep(0.005)
    assert (await large).cost == 10
    assert refusals > 5, "what was free was kept for it"


async def test_who_waited_and_is_gone_keeps_nobody_out_for_long(make_limit: MakeLimit):
    limit = make_limit(Window(10, per=HOUR_MS))
    await limit.reserve(5)
    waiting = asyncio.create_task(limit.reserve(10, wait=2 * HOUR_MS))
    await eventually(lambda: has_turn(limit), what="it to wait")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await limit.reserve(5, wait=30_000)).cost == 5


async def test_who_is_refused_is_told_a_time_of_its_own(make_limit: MakeLimit):
    """Else all would come back at once, and all but one in vain."""
    limit = make_limit(Window(10, per=1_000))
    await limit.reserve(10)
    times = []
    for _ in range(50):
        with pytest.raises(LimitReachedError) as refused:
            await limit.reserve()
        times.append(refused.value.retry_at_ms)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(95 <= gap <= 105 for gap in gaps), gaps


async def test_a_pause_holds_for_its_key_alone_and_a_longer_one_stays(make_limit: MakeLimit):
    limit = make_limit(Window(10, per=1_000))
    await limit.pause(timedelta(hours=1), key="tenant-1")
    await limit.pause(1, key="tenant-1")
    with pytest.raises(LimitReachedError) as refused:
        await limit.reserve(key="tenant-1", wait=60_000)
    assert HOUR_MS - 60_000 < refused.value.retry_after_ms <= HOUR_MS
    assert HOUR_MS - 60_000 < (await limit.get_usage(key="tenant-1")).paused_ms <= HOUR_MS
    assert (await limit.get_usage()).paused_ms == 0
    await limit.reserve()
    await limit.resume(key="tenant-1")
    await limit.reserve(key="tenant-1")


async def test_a_pause_ends_by_itself(make_limit: MakeLimit):
    limit = make_limit(Window(10, per=1_000))
    await limit.pause(100)
    await limit.reserve(wait=20_000)


BAD_WINDOWS: dict[str, Any] = {
    "none": ((), "needs windows"),
    "no window": ((5,), "needs windows, as in Window"),
    "two of a length": ((Window(1, per=1_000), Window(2, per=timedelta(seconds=1))), "two windows of one length"),
}


@pytest.mark.parametrize("case", BAD_WINDOWS)
def test_windows_that_cannot_be_used_are_refused(case: str) -> None:
    windows, message = BAD_WINDOWS[case]
    with pytest.raises(InvalidLimitError, match=message):
        Limit("api", *windows, connection="redis://127.0.0.1:1")


@pytest.mark.parametrize(
    ("most", "per", "message"),
    [
        (0, 1_000, "most must be a whole number, 1 .. "),
        (1.5, 1_000, "most must be"),
        (True, 1_000, "most must be"),
        (1, 9, "per must be 10 .. "),
        (1, "hour", "per must be whole milliseconds"),
        (1, timedelta(days=367), "per must be at most 366 days"),
    ],
)
def test_a_window_that_cannot_be_is_refused(most: Any, per: Any, message: str) -> None:
    with pytest.raises(InvalidLimitError, match=message):
        Window(most, per)


@pytest.mark.parametrize("name", ["", "a{b", "x" * 201, "a\n", 5])
def test_a_name_that_cannot_be_is_refused(name: Any) -> None:
    with pytest.raises(InvalidLimitError, match="a limit's name is"):
        Limit(name, Window(1, per=1_000), connection="redis://127.0.0.1:1")


async def test_what_cannot_be_reserved_is_refused_before_anything_is_sent() -> None:
    limit = Limit("api", Window(10, per=1_000), Window(5, per=50), connection="redis://127.0.0.1:1")
    asked: dict[str, Any] = {
        "a cost of 6 can never be granted: its window of 50 ms has 5": {"cost": 6},
        "a cost is a whole number, 1 or more, not 0": {"cost": 0},
        "a cost is a whole number, 1 or more, not 1.5": {"cost": 1.5},
        "wait must be 0 .. ": {"wait": -1},
        "a key is a str of at most 200": {"key": "a\n"},
    }
    for message, options in asked.items():
        with pytest.raises(InvalidLimitError, match=message):
            await limit.reserve(**options)
    await limit.close()


async def test_a_key_of_another_type_is_named(make_limit: MakeLimit, look: Any, name: str):
    look.set(f"bullworks:limit:{{{name}}}:", "something")
    with pytest.raises(InvalidLimitError, match="is something else in Redis"):
        await make_limit(Window(1, per=1_000)).reserve()


async def test_a_server_out_of_reach_is_told_in_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bullworks.limits.limit._PATIENCE_S", 0.2)
    async with Limit("api", Window(1, per=1_000), connection="redis://127.0.0.1:1") as limit:
        with pytest.raises(LimitUnreachableError, match=r"no answer from Redis at .*127\.0\.0\.1:1"):
            await limit.reserve()


async def test_a_settlement_that_redis_did_not_hear_leaves_what_was_reserved(make_limit: MakeLimit, caplog: Any):
    limit = make_limit(Window(10, per=HOUR_MS))
    reservation = await limit.reserve(5)
    await limit.close()
    assert await reservation.settle(1) is False
    assert "5 reserved goes on counting, 1 was spent" in caplog.text
