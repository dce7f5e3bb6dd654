"""Events and waits across languages: what one side tells, the other hears, with the same values."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bullworks.bullmq import JobFailedError, JobSpec, Queue, QueueEvents, QueueEventsProducer, Worker
from bullworks.bullmq.wire.event_codec import STREAM_EVENTS
from tests.bullworks.bullmq.events.ear import Ear
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.compat.node import QUEUE, Node, in_node
from tests.bullworks.waiting import eventually

NODE_NAMES = sorted(name.replace("_", "-") for name in STREAM_EVENTS)
# As Node has them; ours are in snake_case.
NODE_FIELDS = {
    "jobId": "job_id",
    "failedReason": "failed_reason",
    "attemptsMade": "attempts_made",
    "deduplicationId": "deduplication_id",
    "deduplicatedJobId": "deduplicated_job_id",
}
VALUE = {"text": 'żółć 😀 \u2028\\"', "n": [1, 2.5, -3, None, True], "deep": {"a": {"b": []}}}


def as_ours(line: bytes) -> tuple[str, dict[str, Any], str]:
    """What Node's listener printed, by our names; where Node leaves a number in a string, it is one here."""
    told = json.loads(line)
    args = {NODE_FIELDS.get(name, name): value for name, value in told["args"].items()}
    for name in ("count", "attempts_made"):
        if name in args:
            args[name] = int(args[name])
    return told["event"].replace("-", "_"), args, told["id"]


async def test_node_and_we_hear_the_same_of_a_queue_that_we_work_on(
    node: Node, redis_url: str, key_prefix: str
) -> None:
    """Given everything that we can have happen to a queue, both listeners hear it, in order and with the same ids."""
    connection: dict[str, Any] = {"connection": redis_url, "prefix": key_prefix}
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE, "names": NODE_NAMES}
    async with Queue(QUEUE, **connection) as queue, QueueEvents(QUEUE, **connection) as events:
        ear = Ear(events)
        hand = HandWorker(queue)
        job = await queue.add("mail", VALUE)
        await hand.take()
        await job.update_progress(VALUE)
        await job.update_progress(50)
        await hand.complete(VALUE)
        await queue.add("mail", job_id="twice")
        await queue.add("mail", job_id="twice")
        await hand.take()
        await hand.fail("no such address")
        await queue.add("mail", delay=60_000, job_id="later")
        await queue.remove("later")
        await queue.pause()
        await queue.resume()
        await queue.clean(0, "failed")
        await ear.until("cleaned")
        async with node.serve("events.mjs", question) as lines, asyncio.timeout(10):
            heard_by_node = [as_ours(await lines.readline()) for _ in ear.heard]
    assert heard_by_node == ear.heard
    assert {"added", "progress", "completed", "failed", "retries_exhausted", "duplicated", "cleaned"} <= set(ear.names)


async def test_we_hear_what_node_does_as_node_does(node: Node, redis_url: str, key_prefix: str) -> None:
    connection: dict[str, Any] = {"connection": redis_url, "prefix": key_prefix}
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE, "names": NODE_NAMES}
    async with QueueEvents(QUEUE, **connection) as events:
        ear = Ear(events)
        steps: list[list[Any]] = [
            ["add", "mail", VALUE, {"jobId": "a", "deduplication": {"id": "d"}}],
            ["add", "mail", VALUE, {"deduplication": {"id": "d"}}],
            ["add", "mail", VALUE, {"jobId": "a"}],
            ["take"],
            ["progress", "a", VALUE],
            ["complete", VALUE],
            ["add", "mail", VALUE, {"jobId": "b", "attempts": 2, "backoff": 60_000}],
            ["take"],
            ["fail", "the first time"],
            ["promote", "b"],
            ["take"],
            ["fail", "no such address"],
            ["pause"],
            ["resume"],
            ["add", "mail", VALUE, {"jobId": "c"}],
            ["remove", "c"],
            ["clean", 0, 0, "failed"],
        ]
        await in_node(node, redis_url, key_prefix, steps)
        await ear.until("cleaned")
        async with node.serve("events.mjs", question) as lines, asyncio.timeout(10):
            heard_by_node = [as_ours(await lines.readline()) for _ in ear.heard]
    assert heard_by_node == ear.heard
    assert ear.of("completed") == [{"job_id": "a", "returnvalue": VALUE, "prev": "active"}]
    assert ear.of("deduplicated")[0]["deduplication_id"] == "d"
    assert {"duplicated", "progress", "delayed", "failed", "retries_exhausted", "removed"} <= set(ear.names)
    assert ear.errors == []


async def test_an_event_that_node_publishes_reaches_us(node: Node, redis_url: str, key_prefix: str) -> None:
    async with QueueEvents(QUEUE, connection=redis_url, prefix=key_prefix) as events:
        ear = Ear(events)
        heard: list[dict[str, Any]] = []
        events.on_custom("painted", heard.append)
        told = {"eventName": "painted", "colorName": "żółty", "jobId": 5, "dry": False, "share": 0.5, "by": None}
        await node.ask("publish.mjs", {"url": redis_url, "prefix": key_prefix, "queue": QUEUE, "events": [told]})
        await ear.until("painted")
    assert heard == [{"colorName": "żółty", "jobId": "5", "dry": "false", "share": "0.5", "by": ""}]


async def test_an_event_that_we_publish_reaches_node_as_if_node_had(
    node: Node, redis_url: str, key_prefix: str
) -> None:
    fields: dict[str, Any] = {"colorName": "żółty", "jobId": 5, "dry": False, "share": 0.5, "by": None}
    question: dict[str, Any] = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE}
    await node.ask("publish.mjs", {**question, "events": [{"eventName": "painted", **fields}]})
    async with QueueEventsProducer(QUEUE, connection=redis_url, prefix=key_prefix) as producer:
        await producer.publish_event({"event_name": "painted", **fields})
    async with node.serve("events.mjs", {**question, "names": ["painted"]}) as lines, asyncio.timeout(10):
        nodes, ours = [json.loads(await lines.readline())["args"] for _ in range(2)]
    assert ours == nodes == {"colorName": "żółty", "jobId": "5", "dry": "false", "share": "0.5", "by": ""}


async def test_node_waits_for_jobs_that_our_worker_runs(node: Node, redis_url: str, key_prefix: str) -> None:
    async def process(job: Any) -> Any:
        if job.name == "bad":
            raise ValueError("no such address")
        return job.data

    jobs = [
        {"name": "good", "data": VALUE},
        {"name": "bad"},
        # Node looks at the job first: it must still be there then.
        {"name": "good", "data": None, "opts": {"removeOnComplete": True, "delay": 1_000}},
        {"name": "late", "data": 1, "opts": {"delay": 60_000}},
    ]
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE, "ttl": 3_000, "jobs": jobs}
    async with Worker(QUEUE, process, connection=redis_url, prefix=key_prefix, concurrency=5):
        good, bad, removed, late = await node.ask("wait.mjs", question)
    assert good == {"value": VALUE}
    assert bad == {"error": "no such address"}
    assert removed == {"value": None}
    assert "timed out before finishing" in late["error"]


async def test_we_wait_for_jobs_that_nodes_worker_runs(node: Node, redis_url: str, key_prefix: str) -> None:
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE}
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue:
        specs = [JobSpec("mail", {"n": n}) for n in range(50)]
        *good, bad = await queue.add_bulk([*specs, JobSpec("mail", {"fail": "no such address"})])
        waits = [asyncio.create_task(job.wait_until_finished(ttl=10_000)) for job in (*good, bad)]
        await eventually(lambda: len(queue._readers.reader(queue.keys).waits) == 51)
        async with node.serve("worker.mjs", question):
            *values, failure = await asyncio.gather(*waits, return_exceptions=True)
        assert values == [{"ran": "mail", "attemptsStarted": 1}] * 50
        assert isinstance(failure, JobFailedError)
        assert failure.failed_reason == "no such address"
        with pytest.raises(JobFailedError, match="no such address"):
            await bad.wait_until_finished(ttl=5_000)


async def test_each_side_lists_the_others_listeners(node: Node, redis_url: str, key_prefix: str) -> None:
    question = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE, "names": NODE_NAMES}
    async with (
        Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue,
        QueueEvents(QUEUE, connection=redis_url, prefix=key_prefix),
        node.serve("events.mjs", question),
    ):

        async def both() -> list[str]:
            listeners = [listener.raw_name for listener in await queue.get_queue_events()]
            return listeners if len(listeners) == 2 else []

        ours = await eventually(both, what="both listeners to be listed")
        (theirs,) = await in_node(node, redis_url, key_prefix, [["queueEvents"]])
    assert theirs == ours
    assert len(set(ours)) == 1


async def test_node_does_not_take_our_listener_for_a_worker(node: Node, redis_url: str, key_prefix: str) -> None:
    async with QueueEvents(QUEUE, connection=redis_url, prefix=key_prefix):
        _, workers = await in_node(node, redis_url, key_prefix, [["worker", {}], ["workers"]])
    assert [worker["rawname"].rpartition(":")[2] for worker in workers] == ["worker-1"]
