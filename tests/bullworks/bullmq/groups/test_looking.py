"""What can be seen of groups, and what is forgotten of them."""

from __future__ import annotations

from bullworks.bullmq import GroupCounts, GroupSize, Job
from bullworks.bullmq.flow_producer import FlowProducer
from tests.bullworks.bullmq.groups.conftest import GroupBench
from tests.bullworks.bullmq.hand_worker import HandWorker


async def test_groups_and_their_jobs_are_listed(bench: GroupBench) -> None:
    many, few = await bench.add("A", 3), await bench.add("B", 1)
    assert await bench.queue.get_groups() == [GroupSize("B", 1), GroupSize("A", 3)]
    assert await bench.queue.get_groups(1, 1) == [GroupSize("A", 3)]
    assert await bench.queue.get_groups_count() == 2
    assert [job.id for job in await bench.queue.get_group_jobs("A")] == many
    assert [job.id for job in await bench.queue.get_group_jobs("A", 1, 1)] == many[1:2]
    assert [job.id for job in await bench.queue.get_group_jobs("B")] == few
    assert await bench.queue.get_group_jobs("C") == []


async def test_groups_are_exported_to_prometheus(bench: GroupBench) -> None:
    await bench.add('a"b', 2)
    exported = await bench.queue.export_prometheus_group_metrics(labels={"env": "test"})
    assert exported.splitlines()[1:] == [
        "# TYPE bullworks_group_job_count gauge",
        'bullworks_group_job_count{queue="work", group="a\\"b", env="test"} 2',
    ]


async def test_a_groups_jobs_are_counted_where_they_are(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", concurrency=1)
    await bench.add("A", 4)
    await bench.queue.add("work", group={"id": "A"}, delay=100_000)
    hand = HandWorker(bench.queue)
    await hand.take()
    await hand.take()  # all others are parked
    await bench.add("A", 2)
    assert await bench.queue.get_group_counts("A") == GroupCounts(2, 3, 1, 1, 0)
    assert await bench.queue.get_group_counts("B") == GroupCounts(0, 0, 0, 0, 0)


async def test_what_others_ended_is_forgotten_when_somebody_looks(bench: GroupBench) -> None:
    ids = await bench.add("A", 700)
    await bench.command("DEL", bench.key("prioritized"), *(bench.key(job_id) for job_id in ids[:699]))
    await bench.command("HSET", bench.key(ids[699]), "finishedOn", "1")
    assert await bench.queue.get_groups() == [GroupSize("A", 700)]
    assert await bench.queue.tidy_groups() == 700
    assert await bench.group_keys() == []


async def test_each_add_looks_at_a_few(bench: GroupBench) -> None:
    ids = await bench.add("A", 20)
    await bench.command("DEL", bench.key("prioritized"), *(bench.key(job_id) for job_id in ids))
    for _ in range(60):
        await bench.add("B", 1)
    assert await bench.queue.get_groups() == [GroupSize("B", 60)]


async def test_a_flows_jobs_may_have_groups(bench: GroupBench) -> None:
    """Given a parent and children of one group among those of others, all run, the parent last."""
    async with FlowProducer(connection=bench.url, prefix=bench.prefix) as flows:
        children = [{"name": "c", "queue_name": "work", "opts": {"group": {"id": group}}} for group in ("A", "A", "B")]
        tree = {"name": "p", "queue_name": "work", "opts": {"group": {"id": "A"}}, "children": children}
        node = await flows.add(tree)  # type: ignore[arg-type]
    assert (await bench.queue.get_group_counts("A")).waiting_children == 1
    order: list[str] = []

    async def note(job: Job) -> None:
        order.append(f"{job.name}{job.group}")

    await bench.worker(note).start()
    await bench.until_in("completed", 4)
    assert order == ["cA", "cB", "cA", "pA"]
    assert await bench.ids("completed")
    assert node.job.group == "A"
    assert await bench.group_keys() == []


async def test_a_flow_that_is_removed_leaves_its_groups(bench: GroupBench) -> None:
    """A parent whose children go before it would be brought in line by the last of them."""
    async with FlowProducer(connection=bench.url, prefix=bench.prefix) as flows:
        child = {"name": "c", "queue_name": "work", "opts": {"group": {"id": "B"}}}
        tree = {"name": "p", "queue_name": "work", "opts": {"group": {"id": "A"}}, "children": [child, child]}
        node = await flows.add(tree)  # type: ignore[arg-type]
    assert await bench.queue.remove(node.job.id)
    assert await bench.group_keys() == []


async def test_nothing_is_left_of_an_obliterated_queue(bench: GroupBench) -> None:
    await bench.queue.set_group_limits("A", concurrency=1)
    await bench.queue.pause_group("B")
    await bench.add("A", 3)
    await bench.add("B", 3)
    await HandWorker(bench.queue).take()
    await bench.queue.pause()
    await bench.queue.obliterate(force=True)
    assert await bench.command("KEYS", bench.key("*")) == []
