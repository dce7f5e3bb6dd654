"""Parents and children that come back, go away and fail, as npm bullmq has it; compat compares all of it."""

from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, Job, Queue, Worker
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.redis.server_error import ServerError
from tests.bullworks.bullmq.flows.conftest import FlowBench, job
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.waiting import eventually


async def there(bench: FlowBench, job_id: str) -> Job:
    found = await bench.queue.get_job(job_id)
    assert found is not None
    return found


async def test_a_child_that_is_retried_is_waited_for_again(bench: FlowBench):
    await bench.flows.add(job("p", job("a", ignore_dependency_on_failure=True), job("b"), job("c")))
    hand = HandWorker(bench.queue)
    await hand.take()
    await hand.fail("boom")
    await hand.take()
    await hand.complete(1)
    assert await bench.members("p:dependencies") == {"c"}
    await (await there(bench, "a")).retry("failed")
    await bench.queue.retry_jobs("completed")
    children = await (await there(bench, "p")).get_dependencies_count()
    assert (children.unprocessed, children.processed, children.ignored) == (3, 0, 0)


async def test_a_retry_with_a_parents_key_of_the_wrong_type_changes_nothing(bench: FlowBench):
    await bench.flows.add(job("p", job("a")))
    hand = HandWorker(bench.queue)
    await hand.take()
    await hand.fail("boom")
    await bench.command("SET", bench.key("p:unsuccessful"), "x")
    with pytest.raises(ServerError, match="p:unsuccessful"):
        await (await there(bench, "a")).retry("failed")
    with pytest.raises(ServerError, match="p:unsuccessful"):
        await bench.queue.retry_jobs("failed")
    assert await bench.ids("failed") == ["a"]


async def test_the_last_of_two_failing_children_names_the_reason(bench: FlowBench):
    children = [job(name, fail_parent_on_failure=True) for name in ("a", "b")]
    await bench.flows.add(job("p", *children))
    hands = [HandWorker(bench.queue, token=name) for name in ("a", "b")]
    for hand in hands:
        await hand.take()
    for hand in hands:
        await hand.fail("boom")
    assert (await bench.hash("p"))["defa"].endswith(":b failed")
    assert await bench.ids("wait") == ["p"]


async def test_a_job_that_is_failed_unrun_tells_that_its_attempts_are_used_up(bench: FlowBench):
    await bench.flows.add(job("p", job("a", fail_parent_on_failure=True)))

    async def process(running: Any) -> None:
        raise ValueError("boom")

    async with bench.worker(process):
        await bench.until_in("failed", 2)
    exhausted = [event for event in await bench.events() if event["event"] == "retries-exhausted"]
    assert [event["jobId"] for event in exhausted] == ["a", "p"]


async def test_a_parent_in_another_queue_outlives_the_draining_of_its_children(bench: FlowBench):
    other: Queue[Any] = Queue("other", connection=bench.queue.connection, prefix=bench.prefix)
    await bench.flows.add(job("p", job("a", queue_name="other")))
    await other.drain()
    assert await bench.ids("wait") == ["p"]
    await bench.flows.add(job("r", job("b")))
    await bench.queue.drain()
    assert await bench.queue.get_job("r") is None


async def test_many_flows_come_in_with_all_roots_first_and_generated_ids_are_no_options(bench: FlowBench):
    trees: list[Any] = [{"name": name, "queue_name": "work", "children": [job(f"{name}-child")]} for name in "pr"]
    first, second = await bench.flows.add_bulk(trees)
    added = [event["jobId"] for event in await bench.events() if event["event"] == "added"]
    assert added == [first.job.id, second.job.id, "p-child", "r-child"]
    assert '"jobId"' not in (await bench.hash(first.job.id))["opts"]


async def test_more_flows_than_one_call_may_store_come_in_several(bench: FlowBench):
    trees = [job(f"p{number}", *[job(f"p{number}-{child}") for child in range(299)]) for number in range(4)]
    nodes = await bench.flows.add_bulk(trees)
    assert [len(node.children) for node in nodes] == [299] * 4
    assert await bench.queue.get_job_counts("waiting", "waiting-children") == {"waiting": 1_196, "waiting-children": 4}


async def test_a_parent_cannot_be_deduplicated_and_a_flow_has_at_least_one_level(bench: FlowBench):
    with pytest.raises(InvalidOptionError, match="deduplication"):
        await bench.flows.add(job("p", job("a"), deduplication={"id": "d"}))
    with pytest.raises(InvalidOptionError, match="depth"):
        await bench.flows.get_flow("p", "work", depth=0)


async def test_a_producer_connects_before_its_first_flow_if_asked_to(redis_url: str, key_prefix: str):
    async with FlowProducer(connection=redis_url, prefix=key_prefix) as producer:
        await producer.wait_until_ready()
        assert producer.connection.is_connected


async def test_a_deduplication_id_whose_job_vanished_is_free(bench: FlowBench):
    first = await bench.queue.add("a", deduplication={"id": "d"})
    await bench.command("DEL", bench.key(first.id), bench.key("wait"))
    second = await bench.queue.add("a", deduplication={"id": "d", "ttl": 60_000})
    assert second.id != first.id
    await bench.command("DEL", bench.key(second.id), bench.key("wait"))
    assert (await bench.queue.add("a", deduplication={"id": "d"})).id == second.id


async def test_a_job_that_failed_before_it_completed_keeps_the_reason_when_it_is_retried(bench: FlowBench):
    await bench.queue.add("a", job_id="a", attempts=2)
    hand = HandWorker(bench.queue)
    await hand.take()
    await bench.command("HSET", bench.key("a"), "failedReason", "boom")
    await hand.complete(1)
    completed = await there(bench, "a")
    await completed.retry("completed")
    assert completed.failed_reason == "boom"
    fields = await bench.hash("a")
    assert fields["failedReason"] == "boom"
    assert not {"returnvalue", "finishedOn", "processedOn"} & set(fields)


async def test_a_parent_is_named_by_its_queues_qualified_name(bench: FlowBench):
    parent = await bench.queue.add("p", job_id="p")
    assert (parent.prefix, parent.queue_qualified_name) == (bench.prefix, bench.queue.qualified_name)
    await bench.queue.add("c", parent={"id": parent.id, "queue": parent.queue_qualified_name})
    assert (await parent.get_dependencies_count()).unprocessed == 1


async def test_a_handler_that_returns_while_a_child_is_open_has_failed_the_attempt(
    redis_url: str, key_prefix: str
) -> None:
    """As in Node. The job must not stay active, where it would only be found as stalled."""
    place: dict[str, Any] = {"connection": redis_url, "prefix": key_prefix}

    async def process(parent: Job[Any, Any]) -> str:
        if parent.name == "parent":
            async with Queue("elsewhere", **place) as elsewhere:
                await elsewhere.add("child", {}, parent={"id": parent.id, "queue": f"{key_prefix}:work"})
        return "done"

    async with Queue("work", **place) as queue, Worker("work", process, **place) as worker:
        first = await queue.add("parent", {}, attempts=2)
        second = await queue.add("next", {})

        async def ended() -> bool:
            await first.refresh()
            await second.refresh()
            return first.finished_on is not None and second.finished_on is not None

        await eventually(ended)
        assert first.failed_reason == f"job {first.id}: children are still open, so it cannot be completed"
        assert first.attempts_made == 2
        assert second.returnvalue == "done"
        assert worker.is_running
