"""Steps survive what npm bullmq does with their job: promote, take, fail, fail for good, retry."""

from __future__ import annotations

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.compat.node import QUEUE, Node, in_node
from tests.bullworks.waiting import eventually


async def test_a_job_goes_on_behind_its_steps_after_node_had_it(node: Node, redis_url: str, key_prefix: str) -> None:
    calls: list[str] = []

    async def process(job: Job) -> str:
        await job.step("charge", calls.append, job.name)
        await job.sleep("nap", 3_600_000)
        return str(await job.wait_for("go"))

    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix) as queue:
        job = await queue.add("order", {}, attempts=5)
        async with Worker(QUEUE, process, connection=redis_url, prefix=key_prefix):
            await eventually(job.is_delayed)
        steps = [
            ["promote", job.id],
            ["take"],
            ["fail", "boom"],
            ["take"],
            ["failForGood", "no use"],
            ["retry", job.id, "failed"],
        ]
        await in_node(node, redis_url, key_prefix, steps)
        await job.refresh()
        assert [(step.kind, step.name) for step in job.steps] == [("step", "charge"), ("sleep", "nap")]
        async with Worker(QUEUE, process, connection=redis_url, prefix=key_prefix):
            await eventually(job.is_delayed)  # the sleep was over when Node promoted it
            assert await queue.signal(job.id, "go", "gone") == "woken"
            assert await job.wait_until_finished(ttl=10_000) == "gone"
    assert calls == ["order"]
