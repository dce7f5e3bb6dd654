"""Versions of payloads: older ones are brought up to date, newer ones wait for a newer worker."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, RootModel

from bullworks.bullmq import (
    InvalidOptionError,
    InvalidPayloadError,
    Job,
    JobSpec,
    PayloadAheadError,
    Queue,
    Worker,
    payload,
)
from bullworks.bullmq.wire.payload_type import PayloadType
from tests.bullworks.waiting import eventually

FIRST = b'{"name":"Ada Lovelace"}'
SECOND = b'{"given":"Ada","family":"Lovelace","$version":2}'


class UserV1(BaseModel):
    name: str


def split_name(data: dict[str, Any]) -> dict[str, Any]:
    given, _, family = data.pop("name").partition(" ")
    return {**data, "given": given, "family": family}


@payload(version=2, upcasters={1: split_name})
class UserV2(BaseModel, extra="forbid"):
    given: str
    family: str


@payload(version=3, upcasters={1: split_name, 2: lambda data: {**data, "locale": "en"}})
@dataclass
class UserV3:
    given: str
    family: str
    locale: str


V1: PayloadType[UserV1] = PayloadType("data_type", UserV1)
V2: PayloadType[UserV2] = PayloadType("data_type", UserV2)
V3: PayloadType[UserV3] = PayloadType("data_type", UserV3)


def test_a_payload_carries_the_version_of_its_type_and_one_without_stays_as_it_was() -> None:
    assert V1.encode(UserV1(name="Ada Lovelace")) == FIRST
    assert json.loads(V2.encode(UserV2(given="Ada", family="Lovelace"))) == json.loads(SECOND)


def test_older_ones_are_brought_up_to_date_step_by_step() -> None:
    assert V2.decode(FIRST) == V2.decode(SECOND) == UserV2(given="Ada", family="Lovelace")
    assert V3.decode(FIRST) == V3.decode(SECOND) == UserV3("Ada", "Lovelace", "en")


def test_json_of_the_present_shape_may_be_added_and_stored_json_added_again() -> None:
    assert V2.plain({"given": "Ada", "family": "Lovelace"}) == json.loads(SECOND)
    assert V3.plain(json.loads(SECOND))["$version"] == 3


@pytest.mark.parametrize(("kind", "known"), [(V1, 1), (V2, 2)])
def test_a_newer_one_is_told_from_a_wrong_one_even_by_a_type_without_version(kind: Any, known: int) -> None:
    encoded = V3.encode(UserV3("Ada", "Lovelace", "en"))
    with pytest.raises(PayloadAheadError, match=f"is of version 3; this process knows versions up to {known}"):
        kind.decode(encoded)


def test_text_that_looks_like_a_version_is_text() -> None:
    assert V1.decode(b'{"name":"$version","deep":{"$version":9}}') == UserV1(name="$version")


@pytest.mark.parametrize("encoded", [b"[]", b"{", b"7", b'{"other":1,"$version":2}'])
def test_what_is_no_payload_at_all_is_refused_as_before(encoded: bytes) -> None:
    with pytest.raises(InvalidPayloadError, match="does not fit UserV2"):
        V2.decode(encoded)


@pytest.mark.parametrize("version", ['"2"', "0", "true", "null", "2.5"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(InvalidPayloadError, match=r"\$\.\$version is not a version"):
        V2.decode(f'{{"$version":{version}}}'.encode())


def test_an_upcaster_that_fails_is_named() -> None:
    with pytest.raises(InvalidPayloadError, match="the upcaster of version 1 raised KeyError"):
        V2.decode(b"{}")


def test_a_version_without_a_way_up_is_refused() -> None:
    @payload(version=3, upcasters={2: lambda data: data})
    class Late(BaseModel):
        name: str

    with pytest.raises(InvalidPayloadError, match="is 1; no upcaster starts below version 2"):
        PayloadType[Any]("data_type", Late).decode(FIRST)


def test_a_subclass_has_a_version_of_its_own() -> None:
    class Guest(UserV2):
        pass

    assert "$version" not in PayloadType[Any]("data_type", Guest).plain({"given": "A", "family": "L"})


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"version": 0}, "version"),
        (
            {"version": 4, "upcasters": {1: split_name, 3: split_name}},
            r"must lead to version 4 step by step, not from \[1, 3\]",
        ),
        ({"version": 2, "upcasters": {2: split_name}}, "must lead to version 2"),
        ({"version": 2, "upcasters": {1: 3}}, "that of version 1 must be a function, not 3"),
    ],
)
def test_versions_that_cannot_work_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidOptionError, match=text):
        payload(**options)


def test_only_what_has_fields_can_have_a_version() -> None:
    with pytest.raises(InvalidOptionError, match="neither a pydantic model with fields nor a dataclass"):
        payload(version=1)(RootModel[list[int]])
    with pytest.raises(InvalidOptionError, match="neither"):
        payload(version=1)(int)


async def test_a_rolling_deploy_of_two_versions_fails_no_job(redis_url: str, key_prefix: str) -> None:
    """Producers of both versions, an old worker first alone, then beside a new one, which ends alone."""
    seen: list[str] = []

    async def old(job: Job[UserV1, None]) -> None:
        seen.append(job.data.name)

    async def new(job: Job[UserV2, None]) -> None:
        seen.append(f"{job.data.given} {job.data.family}")

    async with (
        Queue("users", connection=redis_url, prefix=key_prefix, data_type=UserV1) as before,
        Queue("users", connection=redis_url, prefix=key_prefix, data_type=UserV2) as after,
    ):
        async with Worker("users", old, connection=redis_url, prefix=key_prefix, data_type=UserV1, concurrency=4):
            await before.add_bulk([_spec({"name": "Ada Lovelace"})] * 20)
            await after.add_bulk([_spec({"given": "Ada", "family": "Lovelace"})] * 20)
            await eventually(lambda: len(seen) == 20)
            await eventually(lambda: _counted(after, "delayed", 20))
            assert {job.attempts_made for job in await after.get_jobs("delayed")} == {0}
        async with Worker("users", new, connection=redis_url, prefix=key_prefix, data_type=UserV2, concurrency=4):
            await before.add_bulk([_spec({"name": "Ada Lovelace"})] * 20)
            for job in await after.get_jobs("delayed"):
                await job.promote()
            await eventually(lambda: len(seen) == 60)
            await eventually(lambda: _counted(after, "completed", 60))
        assert await _counted(after, "failed", 0)
    assert set(seen) == {"Ada Lovelace"}


@pytest.mark.parametrize("hours", [-1, 1])
async def test_how_long_a_newer_one_waits_is_counted_by_the_clock_of_redis(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Given a process whose clock is wrong: it would take the job again on and on, or hide it from newer workers."""

    async def old(job: Job[UserV1, None]) -> None: ...

    async with Queue("users", connection=redis_url, prefix=key_prefix, data_type=UserV2) as queue:
        job = await queue.add("greet", UserV2(given="Ada", family="Lovelace"))
        now_ns = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: now_ns() + hours * 3_600_000_000_000)
        async with Worker("users", old, connection=redis_url, prefix=key_prefix, data_type=UserV1):
            await eventually(lambda: _counted(queue, "delayed", 1))
        stored = await queue.get_job(job.id)
    assert stored is not None
    assert 4_000 < stored.delay <= 5_000


def _spec(data: Any) -> Any:
    return JobSpec("greet", data)


async def _counted(queue: Queue[Any], state: Any, count: int) -> bool:
    return (await queue.get_job_counts(state))[state] == count
