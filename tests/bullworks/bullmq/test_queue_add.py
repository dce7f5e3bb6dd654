"""Adding jobs: what is stored, what is refused, and that a refusal leaves nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import (
    InvalidOptionError,
    InvalidPayloadError,
    JobOptions,
    JobSpec,
    ParentError,
    PartlyAddedError,
    Queue,
)
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.keyspace import Keyspace
from tests.bullworks.servers import RedisServer


async def test_the_queue_numbers_jobs_and_takes_ids_of_ones_own(queue: Queue) -> None:
    added = [await queue.add("a"), await queue.add("b", job_id="mine"), await queue.add("c")]
    assert [job.id for job in added] == ["1", "mine", "3"]


async def test_what_add_returns_is_what_lies_in_redis(queue: Queue) -> None:
    job = await queue.add("mail", {"to": "a@b"}, attempts=3, priority=5, delay=1000)
    stored = await queue.get_job(job.id)
    assert stored is not None
    for field in ("id", "name", "data", "opts", "timestamp", "delay", "priority", "progress", "attempts_made"):
        assert getattr(job, field) == getattr(stored, field), field
    assert (job.name, job.data, job.delay, job.priority, job.opts.attempts) == ("mail", {"to": "a@b"}, 1000, 5, 3)


async def test_a_second_job_of_an_id_is_not_added_and_is_told(queue: Queue, keyspace: Keyspace) -> None:
    await queue.add("first", 1, job_id="mine")
    again = await queue.add("second", 2, job_id="mine")
    stored = await queue.get_job("mine")
    assert stored is not None
    assert (again.id, stored.name, stored.data) == ("mine", "first", 1)
    assert await queue.get_job_counts("waiting") == {"waiting": 1}
    assert await keyspace.events("duplicated") == [{"event": "duplicated", "jobId": "mine"}]


async def test_each_kind_of_job_goes_to_its_place_in_its_order(queue: Queue, keyspace: Keyspace) -> None:
    for job_id, opts in (
        ("w1", {}),
        ("w2", {}),
        ("l", {"lifo": True}),
        ("p9", {"priority": 9}),
        ("p1", {"priority": 1}),
        ("p9b", {"priority": 9}),
        ("d", {"delay": 60_000}),
    ):
        await queue.add("a", None, job_id=job_id, **opts)  # type: ignore[arg-type]
    assert await keyspace.ids("wait") == ["w2", "w1", "l"]
    assert await keyspace.ids("prioritized") == ["p1", "p9", "p9b"]
    assert await keyspace.ids("delayed") == ["d"]
    assert await keyspace.ids("marker") == ["0", "1"]


async def test_jobs_due_in_the_same_millisecond_keep_their_order(queue: Queue, keyspace: Keyspace) -> None:
    due = 1_900_000_000_000
    ids = [f"d{i}" for i in (5, 3, 9, 1)]
    for job_id in ids:
        await queue.add("a", None, job_id=job_id, timestamp=due - 1000, delay=1000)
    assert await keyspace.ids("delayed") == ids


async def test_bulk_keeps_order_over_many_script_calls(queue: Queue) -> None:
    jobs = await queue.add_bulk(JobSpec("a", {"i": i}) for i in range(1201))
    assert [job.id for job in jobs] == [str(i) for i in range(1, 1202)]
    waiting = await queue.get_waiting()
    assert [job.data["i"] for job in waiting] == list(range(1201))


async def test_bulk_with_a_missing_parent_adds_nothing(queue: Queue, keyspace: Keyspace) -> None:
    orphan = JobSpec("orphan", parent={"id": "nobody", "queue": queue.keys.base[:-1]})
    with pytest.raises(ParentError, match=r"'orphan'.*nobody"):
        await queue.add_bulk([JobSpec("a"), orphan, JobSpec("b")])
    assert await keyspace.keys() == []


@pytest.mark.parametrize(
    ("at", "stored"),
    [(10, "250-499"), (260, "0-249, 500-749"), (760, "0-749, 1000-1099"), (1_010, "0-999")],
)
async def test_bulk_in_several_trips_says_which_are_stored(queue: Queue, at: int, stored: str) -> None:
    """A trip is 250 jobs, two are under way at once, and none is sent after one that failed."""
    jobs = [JobSpec("a", number) for number in range(1_100)]
    jobs[at] = JobSpec("orphan", parent={"id": "nobody", "queue": queue.keys.base[:-1]})
    with pytest.raises(PartlyAddedError) as caught:
        await queue.add_bulk(jobs)
    error = caught.value
    spans = [[int(end) for end in span.split("-")] for span in stored.split(", ")]
    assert list(error.stored) == [number for first, last in spans for number in range(first, last + 1)]
    for number in (spans[0][0], spans[-1][1]):
        job = await queue.get_job(error.stored[number])
        assert job is not None
        assert job.data == number
    assert await queue.count() == len(error.stored)
    assert isinstance(error.failure, ParentError)
    assert error.__cause__ is error.failure
    assert str(error).startswith(f"{len(error.stored)} of 1100 jobs are stored, numbers {stored} from 0; ")
    assert "'orphan'" in str(error)


async def test_bulk_of_nothing_adds_nothing(queue: Queue, keyspace: Keyspace) -> None:
    assert await queue.add_bulk([]) == []
    assert await keyspace.keys() == []


@pytest.mark.parametrize(
    ("job", "problem"),
    [
        (
            {"name": "a", "data": {"n": 1}, "opts": {"attempts": 3}},
            "must be a JobSpec, not a dict; write JobSpec('a', data, attempts=...)",
        ),
        ({"name": "a"}, "must be a JobSpec, not a dict; write JobSpec('a', data)"),
        ("a", 'must be a JobSpec, not a str; write JobSpec("welcome-email", {"n": 1}, priority=1)'),
    ],
)
async def test_what_is_no_job_spec_is_refused_with_the_line_to_write(
    queue: Queue, keyspace: Keyspace, job: Any, problem: str
) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        await queue.add_bulk([JobSpec("a"), job])
    assert str(caught.value) == f"jobs[1]: {problem}"
    assert await keyspace.keys() == []


async def test_one_bad_job_in_bulk_keeps_all_out(queue: Queue, keyspace: Keyspace) -> None:
    with pytest.raises(InvalidPayloadError):
        await queue.add_bulk([JobSpec("good", 1), JobSpec("bad", float("nan"))])
    assert await keyspace.keys() == []


@pytest.mark.parametrize(
    ("name", "data", "opts", "error"),
    [
        ("", None, {}, InvalidOptionError),
        (None, None, {}, InvalidOptionError),
        ("\ud800", None, {}, InvalidOptionError),
        ("a", {"when": datetime(2026, 1, 1)}, {}, InvalidPayloadError),  # noqa: DTZ001 - any will do
        ("a", float("nan"), {}, InvalidPayloadError),
        ("a", {"x": "y" * 100}, {"size_limit": 50}, InvalidPayloadError),
        ("a", "x" * (8 * 1024 * 1024), {}, InvalidPayloadError),
        ("a", None, {"delay": -1}, InvalidOptionError),
        ("a", None, {"priority": 2**21}, InvalidOptionError),
        ("a", None, {"job_id": "17"}, InvalidOptionError),
        ("a", None, {"atempts": 1}, InvalidOptionError),
    ],
)
async def test_bad_input_is_refused_and_leaves_nothing(
    queue: Queue, keyspace: Keyspace, name: Any, data: Any, opts: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await queue.add(name, data, **opts)
    assert await keyspace.keys() == []


async def test_a_near_name_is_suggested(queue: Queue) -> None:
    with pytest.raises(InvalidOptionError, match="remove_on_complet: unknown option; did you mean remove_on_complete"):
        await queue.add("a", None, remove_on_complet=True)  # type: ignore[call-arg]


async def test_defaults_hold_where_a_job_does_not_say_otherwise(redis_url: str, key_prefix: str) -> None:
    defaults: Any = {"attempts": 5, "remove_on_complete": True}
    async with Queue("q", connection=redis_url, prefix=key_prefix, default_job_options=defaults) as queue:
        plain, other = await queue.add("a"), await queue.add("b", None, attempts=1)
    assert (plain.opts.attempts, other.opts.attempts) == (5, 1)
    assert plain.opts.remove_on_complete == other.opts.remove_on_complete


@pytest.mark.parametrize("options", [{"name": "a:b"}, {"name": ""}, {"name": 5}, {"prefix": ""}, {"name": "\ud800"}])
def test_a_name_that_redis_could_not_tell_apart_is_refused(options: dict[str, Any]) -> None:
    arguments = {"name": "q", "connection": "redis://127.0.0.1:1", **options}
    with pytest.raises(InvalidOptionError):
        Queue(**arguments)


def test_bad_defaults_are_refused_before_the_first_job() -> None:
    with pytest.raises(InvalidOptionError, match="did you mean attempts"):
        Queue("q", connection="redis://127.0.0.1:1", default_job_options={"atempts": 3})  # type: ignore[typeddict-unknown-key]


async def test_an_id_that_cannot_be_sent_harms_no_other_command(queue: Queue) -> None:
    """It fails before it leaves; the replies to what follows must still go to whom they belong."""
    job = await queue.add("a", 1)
    with pytest.raises(UnicodeEncodeError):
        await queue.scripts.read_fields("\ud800")
    found = await queue.get_job(job.id)
    assert found is not None
    assert found.data == 1


@pytest.mark.process
@pytest.mark.parametrize("suffix", ["wait", "events", "meta", "marker", "delayed", "prioritized", "pc"])
async def test_a_key_of_another_type_is_named_and_nothing_is_added(
    queue: Queue, keyspace: Keyspace, suffix: str
) -> None:
    await keyspace.spoil(suffix)
    options: JobOptions = {"job_id": "mine"}
    if suffix == "delayed":
        options["delay"] = 60_000
    if suffix in {"prioritized", "pc"}:
        options["priority"] = 1
    with pytest.raises(ServerError, match=f"WRONGTYPE .*:{suffix}") as caught:
        await queue.add("a", **options)
    assert caught.value.code == "WRONGTYPE"
    assert await keyspace.keys() == [suffix]


@pytest.fixture
async def full_server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A server whose memory is used up."""
    with RedisServer(tmp_path) as server:
        server.run("CONFIG", "SET", "maxmemory", "1mb")
        yield server


async def test_a_server_without_memory_is_told_by_name_and_serves_again_later(full_server: RedisServer) -> None:
    async with Queue("q", connection=full_server.url) as queue:
        with pytest.raises(ServerError, match="OOM") as caught:
            await queue.add("a", "x" * 100_000)
        assert caught.value.code == "OOM"
        full_server.run("CONFIG", "SET", "maxmemory", "0")
        assert (await queue.add("a")).id == "1"
