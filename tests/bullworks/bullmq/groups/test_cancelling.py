"""Jobs of a group are cancelled: whoever comes next in it does not wait for them."""

from __future__ import annotations

import asyncio

import pytest

from bullworks.bullmq import Job
from tests.bullworks.bullmq.groups.conftest import GroupBench
from tests.bullworks.waiting import eventually


@pytest.mark.parametrize("parked", [3, 60])
async def test_the_next_of_a_group_runs_when_who_holds_its_slot_and_who_waits_are_cancelled(
    bench: GroupBench, parked: int
) -> None:
    await bench.queue.set_group_limits("A", concurrency=1)
    ids = await bench.add("A", parked + 2)
    holder, cancelled, last = ids[0], ids[1:-1], ids[-1]

    async def handle(job: Job) -> None:
        bench.started.append(job.id)
        if job.id == holder:
            await asyncio.Event().wait()

    await bench.worker(handle, concurrency=parked + 10).start()
    await eventually(lambda: bench.started == [holder])
    await bench.until_in("delayed", parked + 1)
    found = await bench.queue.cancel_many([*cancelled, holder])
    assert set(found.values()) == {"cancelled", "requested"}
    await bench.until_in("completed", 1)
    await bench.until_in("failed", parked + 1)
    assert bench.started == [holder, last]
    await eventually(lambda: _has_only_limits(bench), what="what is known of the group to go")


async def _has_only_limits(bench: GroupBench) -> bool:
    # Requests to workers are kept for a minute.
    return set(await bench.group_keys()) - {"bw:cancels"} == {"bw:limits"}
