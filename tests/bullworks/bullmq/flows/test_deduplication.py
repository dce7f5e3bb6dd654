"""One job at a time for a deduplication id, in each of its modes. Expected values are what npm bullmq 6.7 leaves."""

import asyncio
from typing import Any

import pytest

from bullworks.bullmq.errors import InvalidOptionError
from tests.bullworks.bullmq.flows.conftest import FlowBench


async def _events(bench: FlowBench, name: str) -> list[dict[str, str]]:
    return [event for event in await bench.events() if event["event"] == name]


async def test_while_the_first_is_there_a_second_is_not_added(bench: FlowBench):
    first = await bench.queue.add("a", {"n": 1}, deduplication={"id": "once"})
    second = await bench.queue.add("a", {"n": 2}, deduplication={"id": "once"})
    assert second.id == first.id == "1"
    assert await bench.ids("wait") == ["1"]
    assert (await bench.hash("1"))["deid"] == "once"
    assert await _events(bench, "deduplicated") == [
        {"event": "deduplicated", "jobId": "1", "deduplicationId": "once", "deduplicatedJobId": "2"}
    ]
    assert await bench.queue.get_deduplication_job_id("once") == "1"


@pytest.mark.parametrize("outcome", ["completed", "failed"])
async def test_without_a_ttl_the_id_is_free_once_its_job_has_ended(bench: FlowBench, outcome: str):
    async def process(job: Any) -> None:
        if outcome == "failed":
            raise RuntimeError("no")

    await bench.queue.add("a", {}, deduplication={"id": "once"})
    async with bench.worker(process):
        await bench.until_in(outcome, 1)
        again = await bench.queue.add("a", {}, deduplication={"id": "once"})
        await bench.until_in(outcome, 2)
    assert again.id == "2"
    assert await bench.queue.get_deduplication_job_id("once") is None


async def test_with_a_ttl_the_id_outlives_its_job_and_extend_begins_it_anew(bench: FlowBench):
    async def process(job: Any) -> None: ...

    await bench.queue.add("a", {}, deduplication={"id": "t", "ttl": 60_000})
    async with bench.worker(process):
        await bench.until_in("completed", 1)
    assert (await bench.queue.add("a", {}, deduplication={"id": "t", "ttl": 60_000})).id == "1"
    await bench.command("PEXPIRE", bench.key("de:t"), 1_000)
    await bench.queue.add("a", {}, deduplication={"id": "t", "ttl": 60_000, "extend": True})
    assert await bench.command("PTTL", bench.key("de:t")) > 50_000


async def test_replace_puts_the_new_job_in_the_place_of_a_delayed_one(bench: FlowBench):
    options: Any = {"id": "r", "ttl": 60_000, "replace": True}
    await bench.queue.add("a", {"n": 1}, delay=60_000, deduplication=options)
    second = await bench.queue.add("a", {"n": 2}, delay=60_000, deduplication=options)
    assert await bench.ids("delayed") == [second.id] == ["2"]
    assert await bench.hash("1") == {}
    assert await _events(bench, "removed") == [{"event": "removed", "jobId": "1", "prev": "delayed"}]
    assert await _events(bench, "deduplicated") == [
        {"event": "deduplicated", "jobId": "2", "deduplicationId": "r", "deduplicatedJobId": "1"}
    ]


async def test_replace_leaves_a_waiting_job_alone(bench: FlowBench):
    options: Any = {"id": "r", "replace": True}
    first = await bench.queue.add("a", {"n": 1}, deduplication=options)
    second = await bench.queue.add("a", {"n": 2}, deduplication=options)
    assert second.id == first.id
    assert await bench.ids("wait") == [first.id]
    assert await _events(bench, "deduplicated") == []


async def test_reschedule_gives_the_delayed_job_the_new_delay(bench: FlowBench):
    options: Any = {"id": "s", "reschedule": True}
    first = await bench.queue.add("a", {"n": 1}, delay=10_000, deduplication=options)
    score = float(await bench.command("ZSCORE", bench.key("delayed"), first.id))
    second = await bench.queue.add("a", {"n": 2}, delay=600_000, deduplication=options)
    assert second.id == first.id
    later = float(await bench.command("ZSCORE", bench.key("delayed"), first.id))
    assert (later - score) / 4096 >= 590_000
    assert (await bench.hash(first.id))["data"] == '{"n":1}'


async def test_the_latest_job_that_comes_while_the_ids_job_runs_is_added_when_it_ends(bench: FlowBench):
    running, release = asyncio.Event(), asyncio.Event()
    seen: list[Any] = []

    async def process(job: Any) -> None:
        seen.append(job.data["n"])
        running.set()
        await release.wait()

    options: Any = {"id": "k", "keep_last_if_active": True}
    await bench.queue.add("a", {"n": 1}, deduplication=options)
    await bench.queue.add("a", {"n": 2}, deduplication=options)  # it waits: dropped
    async with bench.worker(process, concurrency=2):
        await running.wait()
        for number in (3, 4):
            await bench.queue.add("a", {"n": number}, deduplication=options)
        kept = await bench.hash("dn:k")
        assert (kept["data"], kept["jid"]) == ('{"n":4}', "4")
        release.set()
        await bench.until_in("completed", 2)
    assert seen == [1, 4]
    assert await bench.hash("dn:k") == {}


async def test_removing_the_job_or_the_key_frees_the_id(bench: FlowBench):
    first = await bench.queue.add("a", {}, deduplication={"id": "x"})
    await first.remove()
    second = await bench.queue.add("a", {}, deduplication={"id": "x"})
    assert second.id != first.id
    assert await second.remove_deduplication_key() is True
    assert await second.remove_deduplication_key() is False
    third = await bench.queue.add("a", {}, deduplication={"id": "x"})
    assert await second.remove_deduplication_key() is False  # it is the third's by now
    assert await bench.queue.remove_deduplication_key("x") is True
    assert len({first.id, second.id, third.id}) == 3


async def test_bad_deduplication_options_are_refused_with_the_near_name(bench: FlowBench):
    for options, message in (
        ({}, "deduplication.id"),
        ({"id": "x", "tll": 5}, "did you mean deduplication.ttl"),
        ({"id": "x", "ttl": -5}, "deduplication.ttl"),
        ({"id": "x", "extend": 1}, "True or False"),
        ("x", "must be a dict"),
    ):
        with pytest.raises(InvalidOptionError, match=message):
            await bench.queue.add("a", {}, deduplication=options)  # type: ignore[arg-type]
