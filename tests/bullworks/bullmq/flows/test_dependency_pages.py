"""A parent's children in pages, from its job and from its queue. compat compares what Node answers."""

import asyncio
from typing import Any

import pytest

from bullworks.bullmq import Dependencies, InvalidOptionError, Job, SyncJob
from tests.bullworks.bullmq.flows.conftest import FlowBench, job

MANY = 500


async def with_many_children(bench: FlowBench) -> Job:
    """A parent that waits for many, has lost many, and goes on without many more."""
    parent = await bench.queue.add("p", job_id="p")
    for number in range(MANY):
        await bench.command("SADD", bench.key("p:dependencies"), bench.key(f"c{number}"))
    failed = [part for number in range(MANY) for part in (number, bench.key(f"f{number}"))]
    await bench.command("ZADD", bench.key("p:unsuccessful"), *failed)
    return parent


@pytest.mark.parametrize("kind", ["unprocessed", "failed"])
async def test_pages_together_have_every_child(kind: Any, bench: FlowBench):
    parent = await with_many_children(bench)
    found: list[str] = []
    cursor: int | None = None
    pages = 0
    while cursor != 0:
        page = await parent.get_dependencies(**{kind: {"cursor": cursor or 0, "count": 100}})
        found += getattr(page, kind)
        cursor = getattr(page, f"next_{kind}_cursor")
        pages += 1
        assert pages < MANY
    assert len(set(found)) == MANY
    assert 5 <= pages <= 10


async def test_what_no_page_is_asked_of_is_empty(bench: FlowBench):
    parent = await with_many_children(bench)
    page = await parent.get_dependencies(processed={})
    assert page == Dependencies(next_processed_cursor=0)
    assert (await parent.get_dependencies()).next_processed_cursor is None


async def test_a_thread_reads_pages_too(bench: FlowBench):
    parent = await with_many_children(bench)
    sync_job = SyncJob(parent, asyncio.get_running_loop())
    page = await asyncio.to_thread(lambda: sync_job.get_dependencies(failed={"cursor": MANY - 1, "count": 10}))
    assert (page.failed, page.next_failed_cursor) == ([bench.key(f"f{MANY - 1}")], 0)


async def test_a_stubs_children_are_on_one_page():
    stub = Job.stub(children_values={"bull:q:a": 1})
    page = await stub.get_dependencies(processed={"count": 1}, failed={})
    assert page == Dependencies({"bull:q:a": 1}, next_processed_cursor=0, next_failed_cursor=0)


@pytest.mark.parametrize(
    ("pages", "problem"),
    [
        ({"processd": {}}, "processd: unknown option; did you mean processed?"),
        ({"processed": 5}, "processed: must be a dict"),
        ({"processed": {"cursr": 5}}, "processed.cursr: unknown option; did you mean processed.cursor?"),
        ({"failed": {"cursor": -1}}, "failed.cursor: must be a whole number >= 0"),
        ({"ignored": {"count": 0}}, "ignored.count: must be a whole number >= 1"),
    ],
)
async def test_a_page_that_there_cannot_be_is_refused(pages: Any, problem: str):
    with pytest.raises(InvalidOptionError, match=problem):
        await Job.stub().get_dependencies(**pages)


async def test_the_queue_has_children_with_their_jobs_wherever_they_are(bench: FlowBench):
    elsewhere = f"{bench.prefix}-2"
    await bench.flows.add(job("p", job("here"), {**job("there", queue_name="other"), "prefix": elsewhere}, job("gone")))
    await bench.command("DEL", bench.key("gone"))
    page = await bench.queue.get_dependencies("p", "pending")
    assert {item.id for item in page.items} == {
        bench.key("here"),
        bench.key("gone"),
        f"{elsewhere}:other:there",
    }
    assert page.total == 3
    assert {(found.queue_name, found.id) for found in page.jobs} == {("work", "here"), ("other", "there")}
    await bench.command("HSET", bench.key("p:processed"), bench.key("x"), "no json")
    (item,) = (await bench.queue.get_dependencies("p", "processed")).items
    assert (item.id, item.value) == (bench.key("x"), None)


async def test_the_queue_has_only_two_kinds_of_children(bench: FlowBench):
    with pytest.raises(InvalidOptionError, match="kind: must be 'processed' or 'pending', not 'failed'"):
        await bench.queue.get_dependencies("p", "failed")  # type: ignore[arg-type]


async def test_a_tree_is_read_without_reading_all_children(bench: FlowBench):
    await bench.flows.add(job("p", *(job(f"c{number}") for number in range(MANY))))
    tree = await bench.flows.get_flow("p", "work", max_children=3)
    assert tree is not None
    assert len(tree.children) == 3
