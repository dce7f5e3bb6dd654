"""Limits of groups hold while workers are killed, and nothing hangs for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import redis

from bullworks.bullmq import JobSpec, Queue
from tests.bullworks.reliability.history import check_ended, completed
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.worker_process import WorkerProcess
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

GROUPS = ("a", "b", "c", "d")
JOBS_EACH = 40
AT_ONCE = 2


def most_at_once(ledger: Ledger) -> dict[str, int]:
    """Of each group the most runs side by side; those of the killed process end where the test noted its end."""
    killed = {job_id for job_id, starts in ledger.count("start").items() if starts > 1}
    running: dict[str, set[str]] = defaultdict(set)
    most: Counter[str] = Counter()
    for line in ledger.path.read_text().splitlines():
        what, job_id = line.split(" ", 1)
        group = job_id[0]
        if what == "start":
            running[group].add(job_id)
            most[group] = max(most[group], len(running[group]))
        elif what == "end":
            running[group].discard(job_id)
        else:
            running = defaultdict(set, {name: ids - killed for name, ids in running.items()})
    return dict(most)


async def test_concurrency_holds_while_a_worker_is_killed(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """Given three processes, of which one dies with jobs of every group in its hands."""
    await queue.set_group_limits(concurrency=AT_ONCE)
    await queue.set_group_limits("d", ordered=True)
    specs = [JobSpec("x", group={"id": group}, job_id=f"{group}{n}") for n in range(JOBS_EACH) for group in GROUPS]
    ids = [job.id for job in await queue.add_bulk(specs)]
    options = {"run_ms": 20, "concurrency": 8, "lock_duration": 500, "stalled_interval": 300}
    arguments: tuple[Any, ...] = (own_server.url, key_prefix, "q", ledger.path)
    with (
        WorkerProcess(*arguments, **options),
        WorkerProcess(*arguments, **options),
        WorkerProcess(*arguments, **options) as doomed,
    ):
        await eventually(lambda: len(ledger.ids("end")) > len(ids) // 4, what="a quarter of the jobs to end")
        doomed.kill()
        ledger.note("killed", "-")
        await eventually(lambda: completed(look, queue) == len(ids), what="all jobs to complete")
    check_ended(look, queue, ids)
    most = most_at_once(ledger)
    assert most.pop("d") == 1
    assert set(most.values()) == {AT_ONCE}
    in_order = list(dict.fromkeys(job_id for job_id in ledger.ids("end") if job_id.startswith("d")))
    assert in_order == [f"d{n}" for n in range(JOBS_EACH)]
