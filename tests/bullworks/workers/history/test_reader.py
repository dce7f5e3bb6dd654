"""Series, percentiles, what they take, and their removal."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bullworks.redis.endpoint import Endpoint
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.workers.history import RedisHistory, Tally, oldest_waiting
from bullworks.workers.history.keys import DAY_MS, HOUR_MS, MINUTE_MS, HistoryKeys
from bullworks.workers.history.scripts import record

NOW_MS = int(time.time() * 1000)
HOUR = NOW_MS - NOW_MS % HOUR_MS
DAY = NOW_MS - NOW_MS % DAY_MS


def tally(completed: int = 0, failed: int = 0, run_ms: tuple[int, ...] = (), wait_ms: tuple[int, ...] = ()) -> Tally:
    made = Tally()
    made.completed, made.failed = completed, failed
    for duration_ms in run_ms:
        made.run.add(duration_ms)
    for duration_ms in wait_ms:
        made.wait.add(duration_ms)
    return made


@pytest.fixture
async def recorded(connection: PipelinedConnection, keys: HistoryKeys) -> None:
    """Two queues over three days."""
    await record(connection, keys, "email", HOUR, tally(1, 0, (100,), (5,)))
    await record(connection, keys, "email", HOUR + MINUTE_MS, tally(2, 1, (100, 100, 900), (5, 5, 5)))
    await record(connection, keys, "email", DAY - DAY_MS, tally(10, 0, (50,) * 10))
    await record(connection, keys, "reports", DAY - 2 * DAY_MS, tally(20, 5, (1_000,) * 25))
    for queue, at_ms in (("email", DAY - DAY_MS), ("reports", DAY - 2 * DAY_MS)):
        # by now these minutes would have expired
        await connection.execute("DEL", keys.place(queue, "minute", at_ms).key, keys.place(None, "minute", at_ms).key)


async def series(history: RedisHistory, metric: Any, queue: str | None, granularity: Any) -> dict[int, float]:
    found = await history.series(
        metric, queue=queue, from_ms=NOW_MS - 7 * DAY_MS, to_ms=HOUR + HOUR_MS, granularity=granularity
    )
    assert [at_ms for at_ms, _ in found] == sorted(at_ms for at_ms, _ in found)
    return dict(found)


@pytest.mark.usefixtures("recorded")
async def test_series_are_by_minute_hour_and_day_of_one_queue_or_of_all(history: RedisHistory) -> None:
    assert await series(history, "completed", "email", "minute") == {HOUR: 1, HOUR + MINUTE_MS: 2}
    assert await series(history, "completed", "email", "hour") == {HOUR: 3, DAY - DAY_MS: 10}
    assert await series(history, "failed", "email", "day") == {DAY: 1, DAY - DAY_MS: 0}
    assert await series(history, "completed", None, "day") == {DAY: 3, DAY - DAY_MS: 10, DAY - 2 * DAY_MS: 20}
    assert await series(history, "completed", "no-such-queue", "day") == {}


@pytest.mark.usefixtures("recorded")
async def test_only_what_begins_in_the_range_is_answered(history: RedisHistory) -> None:
    found = await history.series("completed", queue=None, from_ms=DAY - DAY_MS, to_ms=DAY, granularity="day")
    assert found == [(DAY - DAY_MS, 10)]


@pytest.mark.usefixtures("recorded")
async def test_percentiles_are_of_each_hour_or_of_the_whole_range(history: RedisHistory) -> None:
    asked: dict[str, Any] = {"from_ms": DAY, "to_ms": NOW_MS + HOUR_MS, "percentiles": [50, 99.9]}
    ((at_ms, count, values),) = await history.latency("runtime", queue="email", granularity="hour", **asked)
    assert (at_ms, count) == (HOUR, 4)
    assert values == pytest.approx({50: 100, 99.9: 900}, rel=0.19)
    ((_, count, values),) = await history.latency("waittime", queue="email", granularity="hour", **asked)
    assert (count, values[50]) == (4, pytest.approx(5, rel=0.19))
    asked["from_ms"] = DAY - 3 * DAY_MS
    ((at_ms, count, values),) = await history.latency("runtime", queue=None, granularity="range", **asked)
    assert (at_ms, count) == (DAY - 3 * DAY_MS, 39)
    assert values[50] == pytest.approx(1_000, rel=0.19)


async def test_an_empty_range_is_one_entry_without_samples(history: RedisHistory) -> None:
    found = await history.latency("runtime", queue=None, from_ms=0, to_ms=NOW_MS, granularity="range", percentiles=[50])
    assert found == [(0, 0, {50: 0})]
    assert (
        await history.latency("runtime", queue=None, from_ms=0, to_ms=2**60, granularity="minute", percentiles=[50])
        == []
    )


@pytest.mark.usefixtures("recorded")
async def test_the_usage_tells_keys_bytes_minutes_and_days(history: RedisHistory) -> None:
    usage = await history.usage()
    email, reports = usage["queues"]
    day = [datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d") for at_ms in (DAY - DAY_MS, DAY)]
    assert (email["queue"], email["days"]) == ("email", day)
    assert (email["minutes"], reports["minutes"]) == (2, 0)
    assert (reports["queue"], reports["keys"]) == ("reports", 3)
    assert usage["newestDay"] == day[1]
    assert usage["oldestDay"] < day[0]
    assert usage["keys"] == sum(tier["keys"] for tier in usage["tiers"].values()) + 1
    assert usage["bytes"] == sum(tier["bytes"] for tier in usage["tiers"].values()) > 1_000
    assert usage["minutes"] == email["minutes"] + reports["minutes"]


async def test_no_history_takes_nothing(history: RedisHistory) -> None:
    usage = await history.usage()
    assert (usage["keys"], usage["bytes"], usage["oldestDay"], usage["queues"]) == (0, 0, None, [])


@pytest.mark.usefixtures("recorded")
async def test_a_purge_of_days_leaves_the_later_ones(history: RedisHistory) -> None:
    today = datetime.fromtimestamp(DAY / 1000, UTC).strftime("%Y-%m-%d")
    keys, fields = await history.purge(queue=None, before=today)
    assert keys >= 3
    assert fields == 8
    assert await series(history, "completed", None, "day") == {DAY: 3}
    assert await series(history, "completed", "email", "hour") == {HOUR: 3}
    assert await history.purge(queue=None, before=today) == (0, 0)


@pytest.mark.usefixtures("recorded")
async def test_a_purge_of_one_queue_leaves_the_others(history: RedisHistory) -> None:
    keys, fields = await history.purge(queue="email", before=None)
    assert (keys > 0, fields > 0) == (True, True)
    assert await history.queues() == ["reports"]
    assert await series(history, "completed", "email", "day") == {}
    assert await series(history, "completed", "reports", "day") == {DAY - 2 * DAY_MS: 20}


@pytest.mark.usefixtures("recorded")
async def test_a_purge_of_all_leaves_nothing(history: RedisHistory, connection: PipelinedConnection) -> None:
    await history.purge(queue=None, before=None)
    assert await connection.execute("KEYS", f"bullworks:board:history:{history._keys.prefix}:*") == []


async def test_a_purge_wants_a_date(history: RedisHistory) -> None:
    with pytest.raises(ValueError, match="yesterday"):
        await history.purge(queue=None, before="yesterday")


async def test_what_cannot_be_read_degrades_its_hour_only(
    history: RedisHistory, connection: PipelinedConnection, keys: HistoryKeys
) -> None:
    await record(connection, keys, "email", HOUR, tally(1))
    place = keys.place("email", "day", DAY)
    await connection.execute("HSET", place.key, place.field, "garbage")
    assert await series(history, "completed", "email", "day") == {DAY: 0}
    assert await series(history, "completed", "email", "hour") == {HOUR: 1}


async def test_ever_grows_over_all_times(
    history: RedisHistory, connection: PipelinedConnection, keys: HistoryKeys
) -> None:
    for at_ms in (HOUR, DAY - 3 * DAY_MS):
        await record(connection, keys, "email", at_ms, tally(2, 1, (10,)))
    found = await history.ever(["email", "none"])
    assert (found["email"].completed, found["email"].failed, found["email"].run.count) == (4, 2, 2)
    assert found["none"] == Tally()


ACL = (
    "-@all +@hash +@list +@set +@sortedset +@stream +@string +@transaction -@dangerous +eval +evalsha +script|load "
    "+exists +del +unlink +pexpire +pttl +type +scan +client|setname +client|id +client|unblock +hello +auth +ping "
    "+select +info +time"
)
"""The least that a worker's user of Redis may do, as the design has it."""


async def test_a_worker_s_user_of_redis_may_do_all_of_it_but_ask_for_bytes(
    redis_url: str, key_prefix: str, connection: PipelinedConnection, keys: HistoryKeys
) -> None:
    user = f"user-{key_prefix}"
    rules = ("on", ">secret", f"~{key_prefix}:*", "~bullworks:*", *ACL.split())
    await connection.execute("ACL", "SETUSER", user, *rules)
    limited = PipelinedConnection(Endpoint.of(redis_url.replace("//", f"//{user}:secret@")))
    try:
        await record(limited, keys, "email", HOUR, tally(1))
        assert (await oldest_waiting(limited, f"{key_prefix}:email:"))[0] is None
        history = RedisHistory(limited, key_prefix)
        assert await series(history, "completed", "email", "day") == {DAY: 1}
        usage = await history.usage()
        assert (usage["keys"], usage["bytes"]) == (9, 0)
        assert await history.purge(queue=None, before=None) == (8, 6)
    finally:
        await limited.close()
        await connection.execute("ACL", "DELUSER", user)
