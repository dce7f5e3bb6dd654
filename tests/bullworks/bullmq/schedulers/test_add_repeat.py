"""`Queue.add(..., repeat=)`: a job scheduler without a name of its own."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, JobSpec, Queue, SyncQueue
from bullworks.bullmq.flow_producer import FlowProducer
from tests.bullworks.bullmq.schedulers.conftest import Clockwork


async def scheduler_of(queue: Queue, name: str, **options: Any) -> str:
    job = await queue.add(name, {"n": 1}, **options)
    assert job.repeat_job_key is not None
    return job.repeat_job_key


async def test_it_makes_a_scheduler_of_the_job(queue: Queue, clockwork: Clockwork) -> None:
    job = await queue.add("sync-data", {"source": "api"}, attempts=3, repeat={"pattern": "*/5 * * * *"})
    (scheduler,) = await queue.get_job_schedulers()
    assert scheduler.key.startswith("sync-data-")
    assert (scheduler.name, scheduler.pattern) == ("sync-data", "*/5 * * * *")
    assert (scheduler.template.data, scheduler.template.opts.attempts) == ({"source": "api"}, 3)
    assert job.id == f"repeat:{scheduler.key}:{await clockwork.due_ms(scheduler.key)}"
    assert (job.name, job.data, job.opts.attempts) == ("sync-data", {"source": "api"}, 3)
    assert scheduler.next % 300_000 == 0


async def test_adding_it_again_changes_nothing_but_what_it_says(queue: Queue, clockwork: Clockwork) -> None:
    first = await queue.add("sync", {"v": 1}, repeat={"every": 60_000})
    again = await queue.add("sync", {"v": 2}, repeat={"every": 60_000, "limit": 5})
    assert again.id == first.id
    assert again.data == {"v": 2}
    assert await queue.get_job_schedulers_count() == 1


async def test_each_name_and_schedule_has_a_scheduler_of_its_own(queue: Queue) -> None:
    ids = [
        await scheduler_of(queue, "a", repeat={"pattern": "*/5 * * * *"}),
        await scheduler_of(queue, "b", repeat={"pattern": "*/5 * * * *"}),
        await scheduler_of(queue, "a", repeat={"pattern": "*/6 * * * *"}),
        await scheduler_of(queue, "a", repeat={"pattern": "*/5 * * * *", "tz": "Asia/Tokyo"}),
        await scheduler_of(queue, "a", repeat={"pattern": "*/5 * * * *", "end_date": 4_000_000_000_000}),
        await scheduler_of(queue, "a", repeat={"every": 300_000}),
        await scheduler_of(queue, "a", repeat={"every": 300_000}, job_id="other"),
    ]
    assert len(set(ids)) == len(ids) == await queue.get_job_schedulers_count()


async def test_a_key_is_the_schedulers_id(queue: Queue) -> None:
    assert await scheduler_of(queue, "a", repeat={"every": 5_000, "key": "mine"}) == "mine"
    assert await scheduler_of(queue, "b", repeat={"every": 6_000, "key": "mine"}) == "mine"
    (scheduler,) = await queue.get_job_schedulers()
    assert (scheduler.name, scheduler.every) == ("b", 6_000)


async def test_none_is_no_repeat(queue: Queue) -> None:
    job = await queue.add("a", {}, repeat=None)  # type: ignore[arg-type]
    assert (job.id, job.repeat_job_key) == ("1", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repeat": {"pattern": "nonsense"}}, "nonsense"),
        ({"repeat": "*/5 * * * *"}, "must be a dict"),
        ({"repeat": {}}, "needs a pattern"),
        ({"repeat": {"every": 5, "key": 5}}, "scheduler_id"),
        ({"repeat": {"every": 5}, "delay": 5}, "delay: cannot be given"),
        ({"repeat": {"every": 5}, "atempts": 5}, "did you mean attempts"),
    ],
)
async def test_what_makes_no_sense_is_refused(queue: Queue, options: Any, message: str) -> None:
    with pytest.raises(InvalidOptionError) as refusal:
        await queue.add("a", {}, **options)
    assert message in str(refusal.value)
    assert await queue.get_job_schedulers_count() == 0


async def test_it_is_of_add_alone(queue: Queue, redis_url: str, key_prefix: str) -> None:
    with pytest.raises(InvalidOptionError, match=r"repeat: is of Queue\.add alone"):
        await queue.add_bulk([JobSpec("a", {}, repeat={"every": 5})])
    with pytest.raises(InvalidOptionError, match=r"repeat: is of Queue\.add alone"):
        Queue("q", connection=redis_url, prefix=key_prefix, default_job_options={"repeat": {"every": 5}})
    async with FlowProducer(connection=queue.connection, prefix=key_prefix) as flows:
        with pytest.raises(InvalidOptionError, match=r"repeat: is of Queue\.add alone"):
            await flows.add({"name": "a", "queue_name": "q", "opts": {"repeat": {"every": 5}}})


def test_code_without_an_event_loop_can_add_one(redis_url: str, key_prefix: str) -> None:
    with SyncQueue("q", connection=redis_url, prefix=key_prefix) as queue:
        job = queue.add("sync", {"a": 1}, repeat={"every": 60_000})
        assert job.id.startswith("repeat:sync-")
        assert queue.get_job_counts("waiting") == {"waiting": 1}
