"""Node and Python in one fleet: over 2,000 jobs of both, for both, each run exactly as often as it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import JobSpec
from tests.bullworks.compat.fleet import Fleet
from tests.bullworks.compat.line_process import LineProcess
from tests.bullworks.compat.node import Node
from tests.bullworks.waiting import eventually

HALF = 500
TREES = 100
CHILDREN = 4


@pytest.fixture
async def fleet(node: Node, redis_url: str, key_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with Fleet(LineProcess(node, "fleet.mjs", tmp_path / "fleet.log"), redis_url, key_prefix) as fleet:
        yield fleet


def options_of(number: int) -> dict[str, Any]:
    """Jobs of every kind, by Node's names and ours where these are the same."""
    kinds: list[dict[str, Any]] = [
        {},
        {"priority": 1 + number % 7},
        {"delay": number % 200},
        {"lifo": True},
        {"attempts": 3, "backoff": {"type": "fixed", "delay": 20}},
    ]
    return kinds[number % len(kinds)]


def data_of(number: int) -> dict[str, int]:
    failures = number // 5 % 3 if "attempts" in options_of(number) else 0
    return {"n": number, "failures": failures}


async def test_a_thousand_jobs_on_one_queue(fleet: Fleet) -> None:
    """Given workers and producers of both, and the queue paused by one and resumed by the other, each way."""
    queue = await fleet.queue("mixed")
    await fleet.listen("mixed", "completed", "paused", "resumed")
    theirs = [{"name": "n", "data": data_of(n), "opts": {**options_of(n), "jobId": f"n{n}"}} for n in range(HALF)]
    ours = [JobSpec("p", data_of(n), **options_of(n), job_id=f"p{n}") for n in range(HALF)]
    for side in ("a", "b"):
        await fleet.work("mixed", name=f"python-{side}", concurrency=5)
        await fleet.node("work", name=f"node-{side}", queue="mixed", concurrency=5)
    for part in range(0, HALF, 100):
        await queue.add_bulk(ours[part : part + 100])
        await fleet.node("add", queue="mixed", jobs=theirs[part : part + 100])
    await pause_and_resume(fleet, pauses=lambda: fleet.node("pause", queue="mixed"), resumes=queue.resume)
    await queue.add_bulk([JobSpec("p", {"n": 0}, job_id=f"late{n}") for n in range(50)])
    await pause_and_resume(fleet, pauses=queue.pause, resumes=lambda: fleet.node("resume", queue="mixed"))
    await fleet.until_ended("mixed", 2 * HALF + 50)

    expected = {f"mixed:{side}{n}": 1 + data_of(n)["failures"] for side in "np" for n in range(HALF)}
    assert await fleet.runs() == expected | {f"mixed:late{n}": 1 for n in range(50)}
    by_side = await fleet.runs_by_side()
    assert by_side.keys() == {"node", "python"}
    assert min(by_side.values()) > 50, by_side
    counts = await queue.get_job_counts()
    assert counts == await fleet.node("counts", queue="mixed")
    assert counts == {**dict.fromkeys(counts, 0), "completed": 2 * HALF + 50}
    jobs = {job.id: job.returnvalue for job in await queue.get_completed()}
    assert jobs == {**{f"{side}{n}": n for side in "np" for n in range(HALF)}, **{f"late{n}": 0 for n in range(50)}}
    await eventually(lambda: len(fleet.heard["completed"]) == len(jobs), what="our listener to hear all")
    assert (
        Counter(fleet.heard["completed"])
        == Counter(await fleet.node("heard", event="completed"))
        == Counter(list(jobs))
    )
    for event in ("paused", "resumed"):
        assert len(fleet.heard[event]) == len(await fleet.node("heard", event=event)) == 2


async def pause_and_resume(fleet: Fleet, *, pauses: Any, resumes: Any) -> None:
    """While paused by one side nothing is run by either, though there is work; then the other side lets it go on."""
    queue = await fleet.queue("mixed")
    await pauses()

    async def is_quiet() -> bool:
        return await queue.get_active_count() == 0

    await eventually(is_quiet)
    before = await fleet.runs_by_side()
    await queue.add("p", {"n": 0}, job_id="probe")
    # Together: delayed jobs become due meanwhile.
    theirs, ours = await fleet.node("counts", queue="mixed"), await queue.get_job_counts()
    assert sum(theirs.values()) == sum(ours.values())
    assert theirs["completed"] == ours["completed"]
    assert await queue.get_job_state("probe") == "waiting"
    assert await queue.remove("probe")
    assert await fleet.runs_by_side() == before
    await resumes()


def tree_for_node(number: int) -> dict[str, Any]:
    children = [{"name": "c", "queueName": "ours", "data": {"n": n}} for n in range(CHILDREN)]
    return {"name": "p", "queueName": "theirs", "data": {"n": 1_000 * number}, "children": children}


def tree_for_us(number: int) -> Any:
    children = [{"name": "c", "queue_name": "theirs", "data": {"n": n}} for n in range(CHILDREN)]
    return {"name": "p", "queue_name": "ours", "data": {"n": 1_000 * number}, "children": children}


async def test_a_thousand_jobs_in_flows_across_languages(fleet: Fleet) -> None:
    """Node's flows have children that Python runs below parents that Node runs, and ours the reverse."""
    await fleet.work("ours", name="python", concurrency=10)
    await fleet.node("work", name="node", queue="theirs", concurrency=10)
    await fleet.node("flows", trees=[tree_for_node(number) for number in range(TREES)])
    await fleet.flows.add_bulk([tree_for_us(number) for number in range(TREES)])
    each = TREES + TREES * CHILDREN
    for name in ("ours", "theirs"):
        await fleet.until_ended(name, each)
        queue = await fleet.queue(name)
        counts = await queue.get_job_counts()
        assert counts == await fleet.node("counts", queue=name) == {**dict.fromkeys(counts, 0), "completed": each}
        parents = [job for job in await queue.get_completed() if job.name == "p"]
        sums = sorted(1_000 * number + sum(range(CHILDREN)) for number in range(TREES))
        assert sorted(job.returnvalue for job in parents) == sums
    runs = await fleet.runs()
    assert len(runs) == 2 * each
    assert set(runs.values()) == {1}
    assert await fleet.runs_by_side() == {"node": each, "python": each}


async def test_schedulers_set_by_each_are_run_by_the_other(fleet: Fleet) -> None:
    await (await fleet.queue("theirs")).upsert_job_scheduler("s", {"every": 40, "limit": 15}, {"data": {"n": 1}})
    await fleet.node("upsert", queue="ours", id="s", repeat={"every": 40, "limit": 15}, data={"n": 2})
    await fleet.work("ours", name="python", concurrency=3)
    await fleet.node("work", name="node", queue="theirs", concurrency=3)
    for name, value in (("theirs", 1), ("ours", 2)):
        await fleet.until_ended(name, 15)
        assert {job.returnvalue for job in await (await fleet.queue(name)).get_completed()} == {value}
    assert await fleet.runs_by_side() == {"node": 15, "python": 15}
    assert set((await fleet.runs()).values()) == {1}


async def test_a_worker_that_leaves_hands_its_share_to_the_other_side(fleet: Fleet) -> None:
    """Closing in order, under load and from either side, neither loses nor doubles a job."""
    queue = await fleet.queue("mixed")
    await queue.add_bulk([JobSpec("p", {"n": n}, job_id=f"p{n}") for n in range(400)])
    ours = await fleet.work("mixed", name="python", concurrency=4)
    await fleet.node("work", name="node", queue="mixed", concurrency=4)

    async def both_work() -> bool:
        return len(await fleet.runs_by_side()) == 2

    await eventually(both_work)
    await ours.close()
    await fleet.node("stop", name="node")
    done = await queue.get_completed_count()
    assert done == len(await fleet.runs())
    await fleet.work("mixed", name="python-again", concurrency=4)
    await fleet.until_ended("mixed", 400)
    assert await fleet.runs() == {f"mixed:p{n}": 1 for n in range(400)}
