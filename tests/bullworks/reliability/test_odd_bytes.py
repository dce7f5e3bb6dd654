"""Anybody may write anything into Redis: it costs the one job that it is about."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import Job, JobSpec, Queue, Worker
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.worker.finisher import Finisher
from bullworks.redis import ServerError
from tests.bullworks.reliability.history import add_many, check_ended, completed, fields
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

log = logging.getLogger(__name__)

NUMBERS = ["ats", "atm", "stc", "timestamp", "delay", "priority"]
NOT_NUMBERS = [b"abc", b"", b"1e400", b"-inf", b"nan", b"9" * 400, b"\xff\x00", b"1_000e", b"0x1z"]
TIMING: dict[str, Any] = {"lock_duration": 1_000, "stalled_interval": 300}


@pytest.fixture
async def jobs(any_server: RedisServer, key_prefix: str) -> AsyncIterator[Queue[Any]]:
    """The queue under test."""
    async with Queue("q", connection=any_server.url, prefix=key_prefix) as queue:
        yield queue


@pytest.mark.parametrize("concurrency", [1, 5])
async def test_a_number_that_is_none_fails_its_job_with_a_reason(
    concurrency: int, jobs: Queue[Any], any_server: RedisServer, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    seed = random.randrange(2**32)
    log.info("seed %d", seed)
    cases = [(field, value) for field in NUMBERS for value in NOT_NUMBERS]
    random.Random(seed).shuffle(cases)
    ids = await add_many(jobs, len(cases) * 2, attempts=2)
    runs: list[str] = []

    async def process(job: Job[Any, Any]) -> None:
        runs.append(job.id)

    with any_server.client() as look:
        bad = dict(zip(ids[::2], cases, strict=True))
        for job_id, (field, value) in bad.items():
            look.hset(jobs.keys.of(job_id), field, value)
        async with Worker(
            "q", process, connection=any_server.url, prefix=key_prefix, concurrency=concurrency, **TIMING
        ):
            await eventually(lambda: completed(look, jobs) == len(cases))
            await eventually(lambda: look.zcard(jobs.keys.of("failed")) == len(cases))
        check_ended(look, jobs, ids, failed=len(cases))
        for job_id, (field, _) in bad.items():
            assert fields(look, jobs, job_id)["failedReason"].startswith(f"the job's field {field} is ")
    assert sorted(runs) == sorted(ids[1::2])
    assert "remove that key" not in caplog.text


@pytest.mark.parametrize("way", ["waiting", "delayed", "prioritized", "stalled"])
async def test_an_id_that_is_not_text_fails_its_job_wherever_it_lies(
    way: str, jobs: Queue[Any], any_server: RedisServer, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def process(job: Job[Any, Any]) -> None: ...

    with any_server.client() as look:
        odd = [b"\xff\xfe", b"\x80 and \x00", b"a\xc3("]
        base = jobs.keys.base.encode()
        good = await add_many(jobs, 3)
        for job_id in odd:
            look.hset(base + job_id, mapping={"name": "odd", "data": "{}", "opts": "{}", "timestamp": 1})
            if way == "waiting":
                look.lpush(base + b"wait", job_id)
            elif way == "stalled":
                look.lpush(base + b"active", job_id)
            else:
                look.hset(base + job_id, "priority", 3 if way == "prioritized" else 0)
                look.zadd(base + way.encode(), {job_id: 1})
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix, concurrency=2, **TIMING):
            await eventually(lambda: look.zcard(base + b"failed") == 3)
            await eventually(lambda: completed(look, jobs) == 3)
            await jobs.add("later", {})
            await eventually(lambda: completed(look, jobs) == 4)
        assert set(look.zrange(base + b"failed", 0, -1)) == set(odd)
        assert all(b"not UTF-8" in look.hget(base + job_id, "failedReason") for job_id in odd)
        assert not look.llen(base + b"active")
        assert not look.keys(base + b"*:lock")
    assert len(good) == 3
    assert "ended and is started again" not in caplog.text


OPTIONS = [
    b"[]", b'"text"', b"null", b"7", b'{"attempts":"many","delay":1e999,"priority":-5,"timeout":"soon"}',
    b'{"attempts":1e300}', b'{"backoff":{"type":7}}', b'{"removeOnFail":"yes","removeOnComplete":[]}',
    b'{"parent":7}', b'{"de":{"id":7}}', b'{"kl":{}}', b'{"lifo":"x"}', b"{not json", b"\xff", b"[" * 5_000,
]  # fmt: skip


async def test_options_and_names_of_any_kind_end_their_jobs_and_no_other(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    names = [b"\x00", b"nul\x00in it", b"\xff", b"x" * 10_000, "é\u202e".encode()]
    ids = await add_many(jobs, 2 * (len(OPTIONS) + len(names)))
    runs: list[str] = []

    async def process(job: Job[Any, Any]) -> None:
        runs.append(job.id)
        if job.id in failing:
            raise ValueError("so that the options for failures are looked at")

    failing: set[str] = set(ids[: 2 * len(OPTIONS) : 2])
    with any_server.client() as look:
        for job_id, opts in zip(ids[::2], OPTIONS, strict=False):
            look.hset(jobs.keys.of(job_id), "opts", opts)
        for job_id, name in zip(ids[2 * len(OPTIONS) :: 2], names, strict=True):
            look.hset(jobs.keys.of(job_id), "name", name)
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix, concurrency=3, **TIMING):
            await eventually(lambda: completed(look, jobs) == len(ids) - len(failing))
            await eventually(lambda: look.zcard(jobs.keys.of("failed")) == len(failing))
        check_ended(look, jobs, ids, failed=len(failing))
    assert "ended and is started again" not in caplog.text
    assert "an internal error interrupted its attempt" not in caplog.text


@pytest.mark.parametrize("odd", ["stc", "hash", "removed", "lock"])
async def test_a_stalled_job_that_is_odd_keeps_no_other_from_coming_back(
    odd: str, jobs: Queue[Any], any_server: RedisServer, key_prefix: str
) -> None:
    async def process(job: Job[Any, Any]) -> None: ...

    ids = await add_many(jobs, 5)
    bad = ids[2]
    with any_server.client() as look:
        look.delete(jobs.keys.of("wait"))
        look.lpush(jobs.keys.of("active"), *ids)
        key = jobs.keys.of(bad)
        if odd == "stc":
            look.hset(key, "stc", "often")
        elif odd == "lock":
            look.rpush(f"{key}:lock", "a list")
            look.pexpire(f"{key}:lock", 1_000)
        else:
            look.delete(key)
        if odd == "hash":
            look.set(key, "a text")
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix, concurrency=2, **TIMING):
            await eventually(lambda: completed(look, jobs) == (5 if odd == "lock" else 4))
            await eventually(lambda: not look.llen(jobs.keys.of("active")))
        if odd == "stc":
            assert "stc is 'often'" in fields(look, jobs, bad)["failedReason"]


@pytest.mark.parametrize("parent", [b"7", b'{"queueKey":{}}', b'{"queueKey":"","id":{}}', b"{", b"null", b"\xff"])
async def test_a_parent_that_is_none_is_told_nothing(
    parent: bytes, jobs: Queue[Any], any_server: RedisServer, key_prefix: str
) -> None:
    async def process(job: Job[Any, Any]) -> None: ...

    ids = await add_many(jobs, 3)
    with any_server.client() as look:
        look.hset(jobs.keys.of(ids[1]), mapping={"parentKey": "nowhere", "parent": parent})
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix, **TIMING):
            await eventually(lambda: completed(look, jobs) == 3)
        check_ended(look, jobs, ids)


async def test_an_outcome_that_no_script_can_store_is_given_up_in_the_end(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With advice that fits; others never wait for it."""
    tries = 0
    settle = Finisher._settle

    async def refusing(self: Finisher, batch: list[Outcome], codes: list[int | bytes]) -> None:
        nonlocal tries
        for at, outcome in enumerate(batch):
            if outcome.job.name == "bad":
                tries += 1
                codes[at] = b"ERR attempt to index a number value"
        await settle(self, batch, codes)

    async def process(job: Job[Any, Any]) -> None: ...

    monkeypatch.setattr(Finisher, "_settle", refusing)
    errors: list[Any] = []
    worker: Worker[Any, Any] = Worker("q", process, connection=any_server.url, prefix=key_prefix, **TIMING)
    worker.on("error", errors.append)
    async with worker:
        await jobs.add("bad", {})
        await add_many(jobs, 5)
        with any_server.client() as look:
            await eventually(lambda: completed(look, jobs) >= 5)
        await eventually(lambda: errors)
    assert tries == 5
    assert "index a number value; look at its hash" in str(errors[0])


LIMITS = [
    '{"concurrency":true}', '{"concurrency":-1}', '{"concurrency":0.5}', '{"concurrency":"2"}',
    '{"max":0.5,"duration":9}', '{"max":1e300,"duration":9}', '{"max":true,"duration":true}',
    '{"max":2,"duration":1.5}', '{"max":2,"duration":1e300}', '{"max":nan,"duration":9}',
    '{"ordered":1}', '{"paused":true}', '{"weight":-1}', "[1]", "7", "{",
]  # fmt: skip
GROUP_KEYS = ["group", "slots", "parked", "starts"]


async def test_spoiled_limits_and_keys_of_groups_stall_no_job(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str
) -> None:
    """A fetch that fails half way would leave all that it popped without a lock, to be failed as stalled."""

    async def process(job: Job[Any, Any]) -> None: ...

    groups = [f"limits {number}" for number in range(len(LIMITS))]
    spoiled = [f"a spoiled {name}" for name in GROUP_KEYS]
    specs = [JobSpec("job", group={"id": group}) for group in ["healthy", *groups, *spoiled]]
    ids = [job.id for job in await jobs.add_bulk(specs * 2)] + await add_many(jobs, 5)
    with any_server.client() as look:
        for group, limits in zip(groups, LIMITS, strict=True):
            look.hset(jobs.keys.group_limits, f"l:{group}", limits)
        for group, name in zip(spoiled, GROUP_KEYS, strict=True):
            look.hset(jobs.keys.group_limits, f"l:{group}", '{"concurrency":3,"max":50,"duration":1000}')
            look.set(f"{jobs.keys.base}bw:{name}:{group}", "a text")
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix, concurrency=5, **TIMING):
            await eventually(lambda: completed(look, jobs) == len(ids))
        assert not [job_id for job_id in ids if "stc" in fields(look, jobs, job_id)]
        assert not look.llen(jobs.keys.of("active"))


@pytest.mark.parametrize("name", ["limits", "clock", "groups"])
async def test_what_all_groups_share_may_be_spoiled(
    name: str, jobs: Queue[Any], any_server: RedisServer, key_prefix: str
) -> None:
    """Its jobs run, in whatever order; adding to a group fails with the name of the key, and stores nothing."""

    async def process(job: Job[Any, Any]) -> None: ...

    ids = [job.id for job in await jobs.add_bulk([JobSpec("job", group={"id": group}) for group in "abc"] * 3)]
    ids += await add_many(jobs, 5)
    with any_server.client() as look:
        key = f"{jobs.keys.base}bw:{name}"
        look.set(key, "a text")
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix, concurrency=5, **TIMING):
            await eventually(lambda: completed(look, jobs) == len(ids))
        assert not [job_id for job_id in ids if "stc" in fields(look, jobs, job_id)]
        look.set(key, "a text")  # with the last job of all groups some of it went
        with pytest.raises(ServerError, match=f"bw:{name} is a string"):
            await jobs.add("job", {}, job_id="refused", group={"id": "a"})
        assert not look.exists(jobs.keys.of("refused"))


async def test_starts_of_a_group_in_the_future_do_not_close_it(
    jobs: Queue[Any], any_server: RedisServer, key_prefix: str
) -> None:
    """Redis's clock may have been set back since."""

    async def process(job: Job[Any, Any]) -> None: ...

    await jobs.set_group_limits(rate={"max": 2, "duration": 200})
    await jobs.add_bulk([JobSpec("job", group={"id": group}) for group in "ab"])
    with any_server.client() as look:
        look.lpush(f"{jobs.keys.base}bw:starts:a", 10**15, 10**15)
        look.lpush(f"{jobs.keys.base}bw:starts:b", "abc", "nan")
        async with Worker("q", process, connection=any_server.url, prefix=key_prefix, **TIMING):
            await eventually(lambda: completed(look, jobs) == 2)
