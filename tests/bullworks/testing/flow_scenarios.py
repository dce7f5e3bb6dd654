"""Flows that are played on harnesses and on real workers alike."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Protocol

import pytest

from bullworks.bullmq import (
    FlowJob,
    FlowProducer,
    Job,
    JobChildrenError,
    JobFailedError,
    JobLockedError,
    JobSpec,
    ParentError,
    Queue,
    UnrecoverableError,
    WaitingChildrenError,
)
from bullworks.bullmq.options.parent import ParentOptions
from bullworks.bullmq.worker.processor import Processor

QUEUES = ("orders", "lines", "mails")

TICK_MS = 40
"""A delay that a real worker keeps, too, while a test waits for it."""


class FlowSide(Protocol):
    """Queues, a producer of flows over them, and workers that work all off when they are told to."""

    queues: dict[str, Queue[Any]]
    flows: FlowProducer
    started: dict[str, list[str]]
    seen: list[Any]

    async def settle(self) -> None:
        """Run everything, delays and backoffs included."""


FlowPlay = Callable[[FlowSide], Awaitable[None]]
FLOW_SCENARIOS: dict[str, FlowPlay] = {}


def flow_scenario(play: FlowPlay) -> FlowPlay:
    """Keep a play under its name."""
    FLOW_SCENARIOS[getattr(play, "__name__", "").replace("_", " ")] = play
    return play


def flow(queue_name: str, name: str, *children: FlowJob, data: Any = None, **opts: Any) -> FlowJob:
    """A job of a flow whose id is its name; one with children returns what it knows of them."""
    given = {"reads": True} if children and data is None else data
    return {
        "name": name,
        "queue_name": queue_name,
        "data": given,
        "opts": {"job_id": name, **opts},
        "children": list(children),
    }  # type: ignore[typeddict-item]


def handler_of(side: FlowSide, queue_name: str) -> Processor:
    """Does what the job's data says, and notes who was started."""

    async def handle(job: Job) -> Any:
        side.started[queue_name].append(job.name)
        data = job.data if isinstance(job.data, dict) else {}
        if job.attempts_made < data.get("fails", 0):
            raise ValueError(f"on purpose: {job.name}")
        if data.get("dies"):
            raise UnrecoverableError(f"for good: {job.name}")
        if data.get("spreads") and job.attempts_started == 1:
            return await _spread(side, job)
        if data.get("watches"):
            return await _watch_a_child_fail(side, job)
        if data.get("removes"):
            return await _remove_all(side, data["removes"])
        if data.get("resumes") and job.attempts_started == 1:
            assert await job.move_to_waiting_children()
            await side.queues[data["resumes"]].resume()
            raise WaitingChildrenError
        if {"reads", "spreads", "resumes"} & data.keys():
            return await family_of(job)
        return data.get("returns")

    return handle


async def _spread(side: FlowSide, job: Job) -> None:
    """Add children to a queue that rests until this job waits for them."""
    queue = side.queues["orders"]
    parent = {"id": job.id, "queue": f"{queue.keys.prefix}:{queue.name}"}
    for number in range(2):
        name = f"{job.name} {number}"
        await side.queues["lines"].add(name, {"returns": number}, job_id=name, parent=parent)
    assert await job.move_to_waiting_children()
    await side.queues["lines"].resume()
    raise WaitingChildrenError


async def _watch_a_child_fail(side: FlowSide, job: Job) -> None:
    parent = {"id": job.id, "queue": f"{side.queues['orders'].keys.prefix}:orders"}
    child = await side.queues["lines"].add(
        "dying", {"dies": True}, job_id="dying", parent=parent, fail_parent_on_failure=True
    )
    with pytest.raises(JobFailedError):
        await child.wait_until_finished(ttl=10_000)
    with pytest.raises(JobChildrenError) as caught:
        await job.move_to_waiting_children()
    raise UnrecoverableError(caught.value.problem)


async def _remove_all(side: FlowSide, root: str) -> str:
    """The tree in which this very job is."""
    node = await side.flows.get_flow(root, "orders", depth=1)
    assert node is not None
    with pytest.raises(JobLockedError) as caught:
        await node.job.remove()
    return str(caught.value)


async def family_of(job: Job) -> dict[str, Any]:
    """What it knows of its children."""
    everything = await job.get_dependencies()
    paged = await job.get_dependencies(processed={"cursor": 0}, failed={"cursor": 0, "count": 1})
    open_page = await job.get_dependencies(unprocessed={"cursor": 0})
    return {
        "values": await job.get_children_values(),
        "ignored": await job.get_ignored_children_failures(),
        "failed": sorted(await job.get_failed_children()),
        "unprocessed": sorted(everything.unprocessed),
        "count": asdict(await job.get_dependencies_count()),
        "page": [paged.processed, paged.failed, paged.next_processed_cursor, paged.next_failed_cursor],
        "kinds": [paged.unprocessed, paged.next_unprocessed_cursor, paged.next_ignored_cursor],
        "open": [sorted(open_page.unprocessed), open_page.failed, open_page.next_failed_cursor],
    }


@flow_scenario
async def a_parent_waits_for_children_in_other_queues(side: FlowSide) -> None:
    children = [flow("lines", f"line {number}", data={"returns": {"packed": number}}) for number in range(3)]
    node = await side.flows.add(flow("orders", "order", *children, flow("mails", "mail", data={"returns": "sent"})))
    side.seen += [await node.job.get_state(), [child.job.id for child in node.children], node.children[0].job.data]
    side.seen.append(await side.queues["orders"].get_job_counts())
    await side.settle()


@flow_scenario
async def trees_are_deep_and_come_back_to_a_queue(side: FlowSide) -> None:
    leaf = flow("orders", "leaf", data={"returns": 1})
    middle = flow("lines", "middle", leaf, flow("lines", "twig", data={"returns": 2}))
    await side.flows.add(flow("orders", "root", middle, flow("mails", "branch", data={"returns": 3})))
    await side.settle()


@flow_scenario
async def bulks_have_an_order(side: FlowSide) -> None:
    trees = [
        flow("orders", "one", flow("orders", "one's child"), priority=5),
        flow("orders", "two", flow("orders", "two's child", priority=1)),
        flow("orders", "three", flow("orders", "three's child", flow("orders", "three's grandchild", lifo=True))),
        flow("orders", "alone", lifo=True),
    ]
    nodes = await side.flows.add_bulk(trees, queues_options={"orders": {"attempts": 2}})
    side.seen += [node.job.opts.attempts for node in nodes]
    await side.settle()


@flow_scenario
async def a_parent_is_delayed_once_its_children_are_done(side: FlowSide) -> None:
    await side.flows.add(flow("orders", "root", flow("lines", "child", delay=TICK_MS), delay=TICK_MS))
    await side.settle()


def _with_a_failing_child(policy: str) -> FlowPlay:
    async def play(side: FlowSide) -> None:
        options = {policy: True} if policy else {}
        failing = flow("lines", "failing", data={"fails": 9}, attempts=2, backoff=TICK_MS, **options)
        order = flow("orders", "order", failing, flow("lines", "good", data={"returns": 1}))
        await side.flows.add(flow("mails", "mail", order))
        await side.settle()
        side.seen += [await queue.get_job_counts() for queue in side.queues.values()]
        failed = await side.queues["lines"].get_job("failing")
        assert failed is not None
        await failed.update_data({"returns": "at last"})
        await failed.retry(reset_attempts_made=True)
        await side.settle()

    return play


for _policy in ("", "fail_parent", "continue_parent", "ignore_dependency", "remove_dependency"):
    _option = f"{_policy}_on_failure" if _policy else ""
    FLOW_SCENARIOS[f"a child fails: {_policy or 'no policy'}"] = _with_a_failing_child(_option)


@flow_scenario
async def failures_go_up_to_the_root(side: FlowSide) -> None:
    leaf = flow("lines", "leaf", data={"dies": True}, fail_parent_on_failure=True)
    middle = flow("orders", "middle", leaf, flow("lines", "other"), fail_parent_on_failure=True, attempts=3)
    await side.flows.add(flow("mails", "root", middle, flow("mails", "late", delay=TICK_MS)))
    await side.settle()


@flow_scenario
async def a_failed_parent_that_was_to_be_delayed_waits_for_that(side: FlowSide) -> None:
    leaf = flow("lines", "leaf", data={"dies": True}, fail_parent_on_failure=True)
    await side.flows.add(flow("orders", "root", leaf, delay=TICK_MS))
    await side.settle()


@flow_scenario
async def a_parent_that_was_delayed_fails_at_once(side: FlowSide) -> None:
    first = flow("lines", "first", data={"dies": True}, continue_parent_on_failure=True)
    second = flow("lines", "second", data={"dies": True}, fail_parent_on_failure=True)
    await side.flows.add(flow("orders", "root", first, second, delay=3_600_000))
    await side.settle()


@flow_scenario
async def a_child_fails_a_parent_that_has_failed(side: FlowSide) -> None:
    child = flow("lines", "child", data={"dies": True}, fail_parent_on_failure=True)
    node = await side.flows.add(flow("orders", "root", child))
    await side.settle()
    await node.children[0].job.retry()
    side.seen.append(await family_of(node.job))
    await side.settle()


@flow_scenario
async def a_child_fails_a_parent_that_runs(side: FlowSide) -> None:
    await side.queues["orders"].add("watching", {"watches": True}, job_id="watching", attempts=3)
    await side.settle()


@flow_scenario
async def a_tree_is_not_removed_while_a_job_of_it_runs(side: FlowSide) -> None:
    await side.flows.add(flow("orders", "root", flow("lines", "child", data={"removes": "root"})))
    await side.settle()


@flow_scenario
async def a_parent_that_went_on_hears_of_later_children(side: FlowSide) -> None:
    await side.queues["mails"].pause()
    early = flow("lines", "early", data={"dies": True}, continue_parent_on_failure=True)
    late = flow("mails", "late", data={"dies": True}, ignore_dependency_on_failure=True)
    await side.flows.add(flow("orders", "root", early, late, data={"resumes": "mails"}))
    await side.settle()


@flow_scenario
async def a_failed_child_is_removed_and_not_waited_for(side: FlowSide) -> None:
    gone = flow("lines", "gone", data={"dies": True}, remove_on_fail=True)
    done = flow("lines", "done", data={"returns": 1}, remove_on_complete=True)
    await side.flows.add(flow("orders", "root", gone, done))
    await side.settle()


@flow_scenario
async def retention_makes_parents_go_on(side: FlowSide) -> None:
    children = [flow("lines", f"failing {number}", data={"dies": True}, remove_on_fail=1) for number in range(3)]
    await side.flows.add(flow("orders", "root", *children))
    await side.settle()
    side.seen.append(await side.queues["orders"].get_job_counts())


@flow_scenario
async def jobs_that_are_there_become_children(side: FlowSide) -> None:
    lines = side.queues["lines"]
    await lines.add("done", {"returns": "done before"}, job_id="done")
    await side.settle()
    await lines.add("waiting", {"returns": "waited"}, job_id="waiting")
    await side.flows.add(flow("orders", "root", flow("lines", "done"), flow("lines", "waiting")))
    with pytest.raises(ParentError):
        await side.flows.add(flow("orders", "rival", flow("lines", "waiting"), flow("lines", "never added")))
    await side.settle()


@flow_scenario
async def deduplicated_children_are_not_waited_for(side: FlowSide) -> None:
    await side.queues["lines"].add("owner", {"returns": 0}, job_id="owner", deduplication={"id": "one"})
    child = flow("lines", "dropped", deduplication={"id": "one"})
    await side.flows.add(flow("orders", "root", child, flow("lines", "kept")))
    await side.flows.add(flow("orders", "childless", flow("lines", "dropped too", deduplication={"id": "one"})))
    await side.settle()


@flow_scenario
async def a_handler_adds_children_and_waits_for_them(side: FlowSide) -> None:
    await side.queues["lines"].pause()
    await side.queues["orders"].add("spreading", {"spreads": True}, job_id="spreading", attempts=3)
    await side.settle()


@flow_scenario
async def a_parent_must_be_there(side: FlowSide) -> None:
    queue = side.queues["lines"]
    nobody = {"id": "nobody", "queue": f"{queue.keys.prefix}:orders"}
    with pytest.raises(ParentError) as caught:
        await queue.add("orphan", {}, parent=nobody)
    side.seen.append(caught.value.problem)
    with pytest.raises(ParentError):
        await side.flows.add(flow("lines", "root", flow("lines", "leaf"), parent=nobody))
    node = await side.flows.add(flow("orders", "parent", flow("lines", "first")))
    await side.flows.add(flow("lines", "root", flow("lines", "leaf"), parent={**nobody, "id": "parent"}))
    await queue.add("third", {"returns": 3}, job_id="third", parent={**nobody, "id": "parent"})
    side.seen.append((await node.job.get_dependencies_count()).unprocessed)
    await side.settle()


@flow_scenario
async def parents_are_told_apart_where_jobs_are_added_one_by_one(side: FlowSide) -> None:
    prefix = side.queues["orders"].keys.prefix
    one, other, nobody = (ParentOptions(id=name, queue=f"{prefix}:orders") for name in ("one", "other", "nobody"))
    stuck = flow("mails", "stuck", data={"dies": True})
    await side.flows.add_bulk([flow("orders", "one", flow("lines", "first")), flow("orders", "other", stuck)])
    lines = side.queues["lines"]
    with pytest.raises(ParentError) as caught:
        await lines.add("first", {}, job_id="first", parent=other)
    side.seen.append(caught.value.problem)
    parents = {"orphan": nobody, "mine": one, "yours": other}
    with pytest.raises(ParentError):
        await lines.add_bulk([JobSpec(name, {}, job_id=name, parent=parent) for name, parent in parents.items()])
    side.seen.append(await lines.get_job_counts())
    await side.settle()


@flow_scenario
async def children_are_removed_one_by_one(side: FlowSide) -> None:
    node = await side.flows.add(
        flow("orders", "root", flow("lines", "one"), flow("lines", "two"), flow("lines", "three"))
    )
    one, two, _ = (child.job for child in node.children)
    await one.remove()
    side.seen.append(await two.remove_child_dependency())
    with pytest.raises(ParentError):
        await two.remove_child_dependency()
    await side.settle()


@flow_scenario
async def trees_are_removed(side: FlowSide) -> None:
    middle = flow("lines", "middle", flow("mails", "leaf"), flow("mails", "other leaf"))
    node = await side.flows.add(flow("orders", "root", middle, flow("lines", "twig"), flow("lines", "other twig")))
    await node.children[0].job.remove()
    await node.job.remove()
    gone = flow("lines", "gone", data={"returns": 1}, remove_on_complete=True)
    ended = await side.flows.add(flow("orders", "ended", gone, flow("lines", "there")))
    await side.settle()
    await ended.job.remove()
    kept = await side.flows.add(flow("orders", "kept", flow("lines", "child")))
    await kept.job.remove(remove_children=False)
    await side.settle()


@flow_scenario
async def what_has_not_run_is_removed_from_under_a_parent(side: FlowSide) -> None:
    middle = flow("lines", "middle", flow("mails", "stuck", data={"dies": True}), flow("mails", "done"))
    node = await side.flows.add(flow("orders", "root", middle, flow("lines", "twig", data={"returns": 1})))
    await side.settle()
    side.seen.append(await node.job.remove_unprocessed_children())
    await side.settle()
    fresh = await side.flows.add(flow("orders", "fresh", flow("lines", "late", flow("mails", "later", delay=60_000))))
    side.seen.append(await fresh.job.remove_unprocessed_children())
    await side.settle()


@flow_scenario
async def queues_are_drained_of_children(side: FlowSide) -> None:
    same = flow("lines", "same", flow("lines", "child in the same queue"))
    await side.flows.add(flow("orders", "root", same))
    await side.flows.add(flow("orders", "other", flow("lines", "one"), flow("mails", "two", delay=TICK_MS)))
    await side.flows.add(flow("lines", "half", flow("lines", "drained"), flow("mails", "three", delay=TICK_MS)))
    await side.queues["lines"].drain()
    side.seen += [await queue.get_job_counts() for queue in side.queues.values()]
    await side.settle()


@flow_scenario
async def ended_children_run_again_while_their_parent_waits(side: FlowSide) -> None:
    slow = flow("lines", "slow", data={"fails": 1}, attempts=1)
    done = flow("lines", "done", data={"returns": 1})
    ignored = flow("lines", "ignored", data={"dies": True}, ignore_dependency_on_failure=True)
    node = await side.flows.add(flow("orders", "root", slow, done, ignored))
    await side.settle()
    jobs = {child.job.name: child.job for child in node.children}
    await jobs["done"].retry("completed")
    await jobs["ignored"].update_data({"returns": "not ignored"})
    await jobs["ignored"].retry()
    side.seen.append(await family_of(node.job))
    await side.settle()
    await jobs["slow"].update_data({"returns": "at last"})
    await jobs["slow"].retry()
    await side.settle()


@flow_scenario
async def flows_can_be_read(side: FlowSide) -> None:
    leaf = flow("mails", "leaf", data={"returns": 1})
    await side.flows.add(
        flow("orders", "root", flow("lines", "middle", leaf), flow("lines", "twig", data={"dies": True}))
    )
    await side.settle()
    read = await side.flows.get_flow("root", "orders")
    assert read is not None
    side.seen.append({child.job.id: [below.job.id for below in child.children] for child in read.children})
    shallow = await side.flows.get_flow("root", "orders", depth=1)
    side.seen.append(shallow is not None and len(shallow.children))
    side.seen.append(await side.flows.get_flow("nobody", "orders"))


@flow_scenario
async def flows_are_cancelled_with_all_below(side: FlowSide) -> None:
    await side.flows.add(
        flow(
            "orders",
            "order",
            flow("lines", "line", flow("mails", "mail"), fail_parent_on_failure=True),
            flow("lines", "other", ignore_dependency_on_failure=True),
        )
    )
    assert await side.queues["orders"].cancel("order", "not needed") == "cancelled"
    await side.settle()


@flow_scenario
async def a_child_is_cancelled_alone(side: FlowSide) -> None:
    await side.flows.add(flow("orders", "order", flow("lines", "line", ignore_dependency_on_failure=True)))
    assert await side.queues["lines"].cancel("line", "not needed") == "cancelled"
    await side.settle()
