"""Flows: a parent runs once its children are done, and knows what became of them."""

import asyncio
from typing import Any

import pytest

from bullworks.bullmq.errors import (
    InvalidOptionError,
    JobLockedError,
    ParentError,
    PartlyAddedError,
    UnrecoverableError,
)
from bullworks.bullmq.queue.queue import Queue
from bullworks.bullmq.worker.worker import Worker
from tests.bullworks.bullmq.flows.conftest import FlowBench, job


async def test_a_parent_runs_after_all_below_it_and_sees_their_results(bench: FlowBench):
    order: list[str] = []

    async def process(running: Any) -> Any:
        order.append(running.id)
        if running.id in {"root", "left"}:
            return sorted((await running.get_children_values()).values(), key=str)
        return running.id.upper()

    await bench.flows.add(job("root", job("left", job("leaf-1"), job("leaf-2")), job("right")))
    assert await bench.ids("waiting-children") == ["root", "left"] or len(await bench.ids("waiting-children")) == 2
    async with bench.worker(process):
        await bench.until_in("completed", 5)
    assert order.index("left") > max(order.index("leaf-1"), order.index("leaf-2"))
    assert order[-1] == "root"
    assert (await bench.hash("left"))["returnvalue"] == '["LEAF-1","LEAF-2"]'
    assert (await bench.hash("root"))["returnvalue"] == '["RIGHT",["LEAF-1","LEAF-2"]]'
    assert await bench.ids("waiting-children") == []


async def test_children_may_lie_in_other_queues(bench: FlowBench):
    async def process(running: Any) -> str:
        return running.queue_name

    other: Queue[Any] = Queue("other", connection=bench.queue.connection, prefix=bench.prefix)

    worker = Worker("other", process, connection=bench.url, prefix=bench.prefix)
    bench.workers.append(worker)
    await bench.flows.add(job("root", job("child", queue_name="other")))
    async with worker, bench.worker(process):
        await bench.until_in("completed", 1)
    assert (await other.get_job_counts("completed"))["completed"] == 1
    children = await (await bench.queue.get_job("root")).get_children_values()  # type: ignore[union-attr]
    assert children == {f"{bench.prefix}:other:child": "other"}


@pytest.mark.parametrize(
    ("policy", "runs_root", "ignored"),
    [
        ("fail_parent_on_failure", False, {}),
        ("continue_parent_on_failure", True, {"bad": "boom"}),
        ("ignore_dependency_on_failure", True, {"bad": "boom"}),
        ("remove_dependency_on_failure", True, {}),
    ],
)
async def test_a_failed_child_does_to_its_parent_what_it_was_told(
    bench: FlowBench, policy: str, runs_root: bool, ignored: dict[str, str]
):
    ran: list[str] = []
    failures: dict[str, str] = {}

    async def process(running: Any) -> None:
        ran.append(running.id)
        if running.id == "bad":
            raise UnrecoverableError("boom")
        if running.id == "root":
            found = await running.get_ignored_children_failures()
            failures.update({key.rpartition(":")[2]: reason for key, reason in found.items()})

    await bench.flows.add(job("root", job("bad", **{policy: True})))
    async with bench.worker(process):
        await bench.until_in("completed" if runs_root else "failed", 1 if runs_root else 2)
    assert ("root" in ran) is runs_root
    assert failures == ignored
    if not runs_root:
        stored = await bench.hash("root")
        assert stored["failedReason"] == f"child {bench.key('bad')} failed"
        assert "defa" not in stored
        assert [key.rpartition(":")[2] for key in await (await _job(bench, "root")).get_failed_children()] == ["bad"]


async def _job(bench: FlowBench, job_id: str) -> Any:
    found = await bench.queue.get_job(job_id)
    assert found is not None
    return found


async def test_without_a_policy_the_parent_waits_until_the_child_is_retried(bench: FlowBench):
    async def process(running: Any) -> str:
        if running.id == "flaky" and running.attempts_made == 0:
            raise UnrecoverableError("once")
        return "ok"

    await bench.flows.add(job("root", job("flaky")))
    async with bench.worker(process):
        await bench.until_in("failed", 1)
        assert await bench.ids("waiting-children") == ["root"]
        await (await _job(bench, "flaky")).retry()
        await bench.until_in("completed", 2)


async def test_a_delayed_parent_is_delayed_once_its_children_are_done(bench: FlowBench):
    async def process(running: Any) -> None: ...

    await bench.flows.add(job("root", job("child"), delay=60_000))
    async with bench.worker(process):
        await bench.until_in("delayed", 1)
    assert await bench.ids("delayed") == ["root"]


async def test_dependencies_are_listed_by_state_and_counted(bench: FlowBench):
    async def process(running: Any) -> str:
        if running.id == "bad":
            raise UnrecoverableError("no")
        return "fine"

    await bench.flows.add(
        job("root", job("good"), job("bad", ignore_dependency_on_failure=True), job("later", delay=60_000))
    )
    root = await _job(bench, "root")
    async with bench.worker(process):
        await bench.until_in("failed", 1)
        await bench.until_in("completed", 1)
    found = await root.get_dependencies()
    assert found.processed == {bench.key("good"): "fine"}
    assert found.ignored == {bench.key("bad"): "no"}
    assert found.unprocessed == [bench.key("later")]
    counts = await root.get_dependencies_count()
    assert (counts.processed, counts.ignored, counts.unprocessed, counts.failed) == (1, 1, 1, 0)


async def test_a_flow_is_read_back_as_a_tree(bench: FlowBench):
    await bench.flows.add(job("root", job("a", job("a1"), job("a2")), job("b")))
    tree = await bench.flows.get_flow("root", "work")
    assert tree is not None
    assert sorted(child.job.id for child in tree.children) == ["a", "b"]
    below = next(child for child in tree.children if child.job.id == "a")
    assert sorted(child.job.id for child in below.children) == ["a1", "a2"]
    shallow = await bench.flows.get_flow("root", "work", depth=2, max_children=1)
    assert shallow is not None
    assert [child.children for child in shallow.children] == [[]]
    assert await bench.flows.get_flow("nobody", "work") is None


async def test_removing_a_child_releases_its_parent_and_removing_a_parent_takes_its_children(bench: FlowBench):
    await bench.flows.add(job("root", job("only")))
    await (await _job(bench, "only")).remove()
    assert await bench.ids("wait") == ["root"]
    await bench.flows.add(job("top", job("mid", job("leaf"))))
    await (await _job(bench, "top")).remove()
    for gone in ("top", "mid", "leaf"):
        assert await bench.hash(gone) == {}
    assert await bench.ids("wait") == ["root"]
    assert await bench.ids("waiting-children") == []


async def test_a_parent_is_not_removed_while_a_child_runs(bench: FlowBench):
    release = asyncio.Event()

    async def process(running: Any) -> None:
        await release.wait()

    await bench.flows.add(job("root", job("busy"), job("idle")))
    async with bench.worker(process):
        await bench.until_in("active", 1)
        with pytest.raises(JobLockedError):
            await (await _job(bench, "root")).remove()
        assert await (await _job(bench, "root")).remove_unprocessed_children() == 1
        release.set()
        await bench.until_in("completed", 2)


async def test_draining_takes_parents_whose_last_children_are_drained(bench: FlowBench):
    await bench.flows.add(job("root", job("mid", job("leaf"))))
    await bench.queue.drain()
    for gone in ("root", "mid", "leaf"):
        assert await bench.hash(gone) == {}
    assert await bench.ids("waiting-children") == []


async def test_a_child_may_leave_its_parent(bench: FlowBench):
    await bench.flows.add(job("root", job("child")))
    child = await _job(bench, "child")
    assert await child.remove_child_dependency() is True
    assert sorted(await bench.ids("wait")) == ["child", "root"]
    assert "parentKey" not in await bench.hash("child")
    with pytest.raises(ParentError):
        await child.remove_child_dependency()


async def test_a_missing_parent_is_an_error_and_nothing_is_added(bench: FlowBench):
    parent = {"id": "nobody", "queue": f"{bench.prefix}:work"}
    with pytest.raises(ParentError, match="nobody"):
        await bench.queue.add("n", {}, parent=parent)  # type: ignore[typeddict-item]
    with pytest.raises(ParentError, match="nobody"):
        await bench.flows.add(job("root", job("child"), parent=parent))
    assert (await bench.queue.get_job_counts())["waiting"] == 0
    assert await bench.hash("root") == {}


async def test_flows_in_one_trip_are_added_all_or_none(bench: FlowBench):
    orphan = job("orphan", job("child"), parent={"id": "nobody", "queue": f"{bench.prefix}:work"})
    with pytest.raises(ParentError, match="nobody"):
        await bench.flows.add_bulk([job("root", job("leaf")), orphan])
    assert await bench.hash("root") == {}


async def test_flows_in_several_trips_say_which_are_stored(bench: FlowBench):
    """A trip is up to 1,000 jobs."""
    orphan = job("orphan", job("child"), parent={"id": "nobody", "queue": f"{bench.prefix}:work"})
    flows = [job(f"root{number}", job(f"leaf{number}")) for number in range(600)]
    with pytest.raises(
        PartlyAddedError, match=r"^500 of 601 flows are stored, numbers 0-499 from 0; .*nobody"
    ) as caught:
        await bench.flows.add_bulk([*flows, orphan])
    assert caught.value.stored == {number: f"root{number}" for number in range(500)}
    assert await bench.hash("root499") != {}
    assert await bench.hash("root500") == {}


async def test_a_flow_that_takes_another_parents_child_is_refused_whole(bench: FlowBench):
    await bench.flows.add(job("first", job("shared")))
    with pytest.raises(ParentError, match="another parent"):
        await bench.flows.add(job("second", job("own"), job("shared")))
    assert await bench.hash("second") == {}
    assert await bench.hash("own") == {}


async def test_a_child_that_is_completed_already_counts_as_done_but_releases_nobody_early(bench: FlowBench):
    async def process(running: Any) -> str:
        return "early"

    await bench.queue.add("early", {}, job_id="early")
    async with bench.worker(process):
        await bench.until_in("completed", 1)
    await bench.flows.add(job("root", job("early"), job("late", delay=60_000)))
    assert await bench.ids("waiting-children") == ["root"]
    assert await bench.members("root:dependencies") == {"late"}


async def test_bad_flows_are_refused_before_anything_is_sent(bench: FlowBench):
    with pytest.raises(InvalidOptionError, match="did you mean children"):
        await bench.flows.add({"name": "a", "queue_name": "work", "childen": []})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(InvalidOptionError, match="cannot be used together"):
        await bench.flows.add(job("a", job("b", fail_parent_on_failure=True, ignore_dependency_on_failure=True)))
    with pytest.raises(InvalidOptionError, match="queue name"):
        await bench.flows.add(job("a", job("b", queue_name="x:y")))
    assert await bench.command("EXISTS", bench.key("a")) == 0
