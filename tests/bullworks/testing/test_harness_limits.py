"""The harness says what it does not simulate, by name, and what it lacks to run jobs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, Job, Queue
from bullworks.bullmq.worker.options import WorkerOptions
from bullworks.testing import HarnessSetupError, NotSimulatedError, QueueHarness, RunawayError
from bullworks.workers import WorkerHost, processor

Call = Callable[[Queue[Any]], Awaitable[Any]]

REFUSED: dict[str, tuple[Call, str]] = {
    "repeat": (lambda queue: queue.add("x", repeat={"every": 1_000}), "job schedulers"),
    "schedulers": (lambda queue: queue.get_job_schedulers(), "the Redis command"),
    "children of other queues": (lambda queue: queue.get_dependencies("1", "processed"), "Queue.get_dependencies"),
    "debounce": (
        lambda queue: queue.add("x", deduplication={"id": "a", "ttl": 1, "replace": True}),
        "deduplication other than by id and ttl",
    ),
    "clean": (lambda queue: queue.clean(0), "clean"),
    "obliterate": (lambda queue: queue.obliterate(), "obliterate"),
    "retry_jobs": (lambda queue: queue.retry_jobs(), "retry_jobs"),
    "metrics": (lambda queue: queue.get_metrics("completed"), "the Redis command 'HGETALL'"),
    "global concurrency": (lambda queue: queue.set_global_concurrency(1), "the Redis command 'HSET'"),
    "workers": (lambda queue: queue.get_workers(), "the Redis command 'CLIENT'"),
    "limits of groups": (lambda queue: queue.set_group_limits("a", concurrency=1), "limits of groups"),
    "pausing a group": (lambda queue: queue.pause_group("a"), "pausing a group"),
    "listing groups": (lambda queue: queue.get_groups(), "listing groups"),
    "counting groups": (lambda queue: queue.get_group_counts("a"), "counting groups"),
    "trim": (lambda queue: queue.trim_events(1), "the Redis command 'XTRIM'"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_simulated_is_refused_by_name(name: str) -> None:
    call, thing = REFUSED[name]
    with pytest.raises(NotSimulatedError) as caught:
        await call(QueueHarness("email").queue)
    assert str(caught.value).startswith(f"the harness of queue 'email' does not simulate {thing}")
    assert "bull_queue" in str(caught.value)


async def test_what_a_handler_asks_for_in_vain_is_told_to_the_test() -> None:
    async def handle(job: Job) -> None:
        await harness.queue.upsert_job_scheduler("nightly", {"every": 1_000})

    harness: QueueHarness[Any] = QueueHarness("email", handle)
    await harness.add("x")
    with pytest.raises(NotSimulatedError, match="job schedulers"):
        await harness.drain()
    await harness.drain()


async def test_a_started_worker_or_a_job_taken_by_hand_is_refused() -> None:
    @processor("email")
    class Starting(WorkerHost):
        async def process(self, job: Job) -> None:
            if job.name == "start":
                await self.worker.start()
            elif job.name == "take":
                await self.worker.get_next_job("token", block=False)
            else:
                self.worker._endpoint.client()

    there_is_none = "a connection to Redis"
    for name, refused in {"start": there_is_none, "take": "takes a job by hand", "client": there_is_none}.items():
        harness: QueueHarness[Any] = QueueHarness("email", Starting())
        await harness.add(name)
        with pytest.raises(NotSimulatedError, match=refused):
            await harness.drain()


async def test_a_job_that_adds_itself_for_ever_is_noticed() -> None:
    async def handle(job: Job) -> None:
        await harness.add("again")

    harness: QueueHarness[Any] = QueueHarness("email", handle, most_runs=20)
    await harness.add("first")
    with pytest.raises(RunawayError, match="has run 21 attempts in one call"):
        await harness.drain()


async def test_a_job_that_delays_itself_for_ever_is_noticed() -> None:
    async def handle(job: Job) -> None:
        await harness.add("again", delay=1_000)

    harness: QueueHarness[Any] = QueueHarness("email", handle, most_runs=20)
    await harness.add("first")
    with pytest.raises(RunawayError):
        await harness.drain_all()
    assert len(harness.jobs_in("completed")) == 21


async def test_jobs_need_a_processor() -> None:
    harness: QueueHarness[Any] = QueueHarness("email")
    await harness.drain()
    await harness.add("x")
    with pytest.raises(HarnessSetupError, match=r'has jobs and no processor: give it one, QueueHarness\("email"'):
        await harness.drain()


async def test_a_handler_cannot_drain_its_own_harness() -> None:
    async def handle(job: Job) -> None:
        await harness.drain()

    harness: QueueHarness[Any] = QueueHarness("email", handle)
    await harness.add("x")
    await harness.drain()
    assert isinstance(harness.errors[0], HarnessSetupError)


def test_a_host_must_be_the_processor_of_this_queue() -> None:
    class Undecorated(WorkerHost):
        async def process(self, job: Job) -> None: ...

    @processor("sms")
    class Other(WorkerHost):
        async def process(self, job: Job) -> None: ...

    with pytest.raises(HarnessSetupError, match=r'was given a Undecorated, which has no @processor\("email"\) above'):
        QueueHarness("email", Undecorated())
    with pytest.raises(HarnessSetupError, match="was given a Other, which processes the queue 'sms'"):
        QueueHarness("email", Other())


@pytest.mark.parametrize(
    ("arguments", "options"),
    [(("e:mail",), {}), (("email", 7), {}), (("email",), {"concurency": 1}), (("email",), {"concurrency": 0})],
)
def test_bad_names_processors_and_options_are_the_engines_errors(
    arguments: tuple[Any, ...], options: WorkerOptions
) -> None:
    with pytest.raises(InvalidOptionError):
        QueueHarness(*arguments, **options)


async def test_a_harness_that_is_closed_leaves_nobody_running() -> None:
    begun = asyncio.Event()

    async def handle(job: Job) -> None:
        begun.set()
        await asyncio.sleep(30)

    async with QueueHarness("email", handle) as harness:
        job = await harness.add("x")
        waiting = asyncio.create_task(job.wait_until_finished())
        await begun.wait()
        assert repr(harness) == "<QueueHarness 'email', 1 jobs>"
        waiting.cancel()
    await harness.close()
    assert await job.get_state() == "waiting"
    with pytest.raises(asyncio.CancelledError):
        await waiting
