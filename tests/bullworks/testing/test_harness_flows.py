"""Flows on harnesses: what a test of a service that adds flows does, and what it is told when a harness is missing."""

from typing import Any

import pytest

from bullworks.bullmq import FlowJob, InvalidOptionError, Job, ParentError
from bullworks.testing import HarnessFlowProducer, HarnessGroup, NoHarnessError, NotSimulatedError, QueueHarness
from bullworks.testing.errors import RunawayError

START_MS = 1_800_000_000_000


async def pack(job: Job) -> Any:
    return {"packed": job.data["item"]}


async def ship(job: Job) -> Any:
    values = await job.get_children_values()
    return sorted(value["packed"] for value in values.values())


def order(*items: str, queue_name: str = "lines", **opts: Any) -> FlowJob:
    """An order with a line for each item."""
    children: list[FlowJob] = [{"name": "pack", "queue_name": queue_name, "data": {"item": item}} for item in items]
    return {"name": "ship", "queue_name": "orders", "children": children, "opts": opts}  # type: ignore[typeddict-item]


@pytest.fixture
def orders() -> QueueHarness[Any]:
    return QueueHarness("orders", ship, now_ms=START_MS)


@pytest.fixture
def lines() -> QueueHarness[Any]:
    return QueueHarness("lines", pack, now_ms=START_MS)


async def test_a_parent_waits_and_gets_its_childrens_values(
    orders: QueueHarness[Any], lines: QueueHarness[Any]
) -> None:
    node = await HarnessFlowProducer(orders, lines).add(order("tea", "milk"))
    await orders.drain()
    assert (orders.counts, lines.counts) == ({"waiting-children": 1}, {"waiting": 2})
    await lines.drain()
    assert orders.counts == {"waiting": 1}
    await orders.drain()
    assert [job.returnvalue for job in orders.jobs] == [["milk", "tea"]]
    assert orders.events_of(node.job) == ["added", "waiting_children", "waiting", "active", "completed"]
    assert await node.job.wait_until_finished() == ["milk", "tea"]


async def test_one_queue_may_hold_the_whole_tree() -> None:
    ran: list[str] = []

    async def handle(job: Job) -> None:
        ran.append(job.name)

    harness: QueueHarness[Any] = QueueHarness("orders", handle)
    children: list[FlowJob] = [{"name": f"child {number}", "queue_name": "orders"} for number in range(2)]
    await HarnessFlowProducer(harness).add({"name": "parent", "queue_name": "orders", "children": children})
    await harness.drain()
    assert ran == ["child 0", "child 1", "parent"]


async def test_a_group_runs_all_queues_with_one_time() -> None:
    ran: list[tuple[str, int]] = []

    async def handle(job: Job) -> None:
        ran.append((job.name, group.harnesses[0].now_ms - START_MS))
        if job.name == "second":
            await orders.add("third", delay=1_000)

    orders, lines = (QueueHarness[Any](name, handle, now_ms=START_MS) for name in ("orders", "lines"))
    group = HarnessGroup(orders, lines)
    await orders.add("first", delay=1_000)
    await lines.add("second", delay=2_000)
    await group.advance(2_500)
    assert ran == [("first", 1_000), ("second", 2_000)]
    assert orders.now_ms == lines.now_ms == START_MS + 2_500
    await group.drain_all()
    assert ran[2:] == [("third", 3_000)]
    await lines.add("now")
    await group.drain()
    assert ran[3:] == [("now", 3_000)]


async def test_queues_that_feed_each_other_for_ever_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bullworks.testing.harness_group._MOST_ROUNDS", 20)
    delay = 0

    async def handle(job: Job) -> None:
        await (lines if job.name == "order" else orders).add("line" if job.name == "order" else "order", delay=delay)

    orders, lines = (QueueHarness[Any](name, handle) for name in ("orders", "lines"))
    await orders.add("order")
    with pytest.raises(RunawayError, match="orders and lines"):
        await HarnessGroup(orders, lines).drain()
    delay = 1_000
    with pytest.raises(RunawayError):
        await HarnessGroup(orders, lines).drain_all()


async def test_a_flow_into_a_queue_without_a_harness_is_refused_before_anything_is_stored(
    orders: QueueHarness[Any], lines: QueueHarness[Any]
) -> None:
    flows = HarnessFlowProducer(orders, lines)
    with pytest.raises(NoHarnessError) as caught:
        await flows.add_bulk([order("tea"), order("milk", queue_name="parcels")])
    assert str(caught.value) == (
        "a job of the flow 'ship' is of the queue 'parcels', which has no harness; there is one for 'orders' and "
        "'lines'. In a testing module add .use_harness(QueueHarness(\"parcels\")); elsewhere give HarnessFlowProducer "
        "one for each queue"
    )
    assert (orders.jobs, lines.jobs) == ([], [])


async def test_a_parent_in_a_queue_without_a_harness_is_refused(
    orders: QueueHarness[Any], lines: QueueHarness[Any]
) -> None:
    parent: Any = {"id": "1", "queue": "bull:parcels"}
    with pytest.raises(NoHarnessError, match="the job bull:parcels:1 is of the queue 'parcels'"):
        await lines.add("pack", {"item": "tea"}, parent=parent)
    with pytest.raises(NoHarnessError, match="'parcels'"):
        await HarnessFlowProducer(orders, lines).add(order("tea", parent=parent))
    with pytest.raises(NoHarnessError, match="the job that is asked for is of the queue 'parcels'"):
        await HarnessFlowProducer(orders, lines).get_flow("1", "parcels")
    assert (orders.jobs, lines.jobs) == ([], [])


async def test_a_flow_that_cannot_be_stored_whole_is_not_stored_at_all(
    orders: QueueHarness[Any], lines: QueueHarness[Any]
) -> None:
    flows = HarnessFlowProducer(orders, lines)
    tree = order("tea")
    tree["children"][0]["opts"] = {"deduplication": {"id": "a", "ttl": 1, "replace": True}}
    with pytest.raises(NotSimulatedError, match="deduplication other than by id and ttl"):
        await flows.add(tree)
    with pytest.raises(ParentError):
        await flows.add(order("tea", parent={"id": "nobody", "queue": "bull:lines"}))
    for wrong in ({"name": "x"}, {"name": "", "queue_name": "orders"}, {"name": "x", "queue": "orders"}):
        with pytest.raises(InvalidOptionError):
            await flows.add(wrong)  # type: ignore[arg-type]
    assert (orders.jobs, lines.jobs) == ([], [])


async def test_a_prefix_makes_no_difference(orders: QueueHarness[Any], lines: QueueHarness[Any]) -> None:
    tree = order("tea")
    tree["prefix"] = tree["children"][0]["prefix"] = "shop"
    await HarnessFlowProducer(orders, lines).add(tree)
    await HarnessGroup(orders, lines).drain()
    assert orders.jobs[0].returnvalue == ["tea"]


async def test_a_handler_may_wait_for_a_job_of_another_harness(lines: QueueHarness[Any]) -> None:
    async def handle(job: Job) -> Any:
        line = await lines.add("pack", {"item": job.data["item"]})
        return await line.wait_until_finished(ttl=5_000)

    orders: QueueHarness[Any] = QueueHarness("orders", handle)
    await orders.add("ship", {"item": "tea"})
    await orders.drain()
    assert orders.jobs[0].returnvalue == {"packed": "tea"}


async def test_a_parent_that_returns_while_children_are_open_is_not_completed(
    lines: QueueHarness[Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(job: Job) -> None:
        await lines.add("pack", {"item": "tea"}, parent={"id": job.id, "queue": "bull:orders"})

    orders: QueueHarness[Any] = QueueHarness("orders", handle)
    async with HarnessFlowProducer(orders, lines) as flows:
        await flows.wait_until_ready()
        await orders.add("ship")
        await orders.drain()
    assert orders.counts == {"active": 1}
    assert "children are still open, so it cannot be completed" in caplog.text
