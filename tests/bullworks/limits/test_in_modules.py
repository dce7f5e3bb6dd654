"""Limits are registered and injected as queues are, and hand back jobs that they have no room for."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import pytest

from bullworks.bullmq import Job, JobSpec, Worker
from bullworks.core import WiringError, create_application, injectable, module
from bullworks.limits import InvalidLimitError, Limit, LimitReachedError, Window
from bullworks.testing import MemoryLimit, QueueHarness, Test
from bullworks.workers import BullModule, InjectLimit, WorkerHost, get_limit_token, get_queue_token, processor
from tests.bullworks.waiting import eventually

HOUR_MS = 3_600_000
# A name of its own on the server, and one that annotations can see.
CALLS = f"calls:{uuid4()}"


@injectable()
class Client:
    def __init__(self, limit: Annotated[Limit, InjectLimit("api")]) -> None:
        self.limit = limit


async def test_modules_that_register_it_alike_share_one_limit(redis_url: str) -> None:
    @injectable()
    class Other(Client): ...

    @module(imports=[BullModule.register_limit("api", Window(5, per=1_000))], providers=[Other])
    class OtherModule: ...

    root = BullModule.for_root(
        connection=redis_url,
        providers=[Client],
        imports=[BullModule.register_limit("api", Window(5, per=1_000)), OtherModule],
    )
    async with await create_application(root) as app:
        limit = app.get(Client).limit
        assert app.select(OtherModule).get(Other).limit is limit
        assert app.get(get_limit_token("api")) is limit
        assert limit.windows == (Window(5, per=1_000),)
        assert (await limit.get_usage()).paused_ms == 0


async def test_a_limit_that_nobody_registered_or_that_cannot_be_ends_the_start() -> None:
    with pytest.raises(WiringError, match=r'BullModule.register_limit\("api", Window'):
        await create_application(BullModule.for_root(connection="redis://127.0.0.1:1", providers=[Client])).init()
    with pytest.raises(InvalidLimitError, match="needs windows"):
        BullModule.register_limit("api")


async def test_in_a_testing_module_it_is_in_memory(no_network: None) -> None:
    root = BullModule.for_root(providers=[Client], imports=[BullModule.register_limit("api", Window(5, per=HOUR_MS))])
    async with await Test.create_testing_module(imports=[root]).compile() as testing:
        limit = testing.get(Client).limit
        assert isinstance(limit, MemoryLimit)
        reservation = await limit.reserve(4, key="a")
        await reservation.settle(2)
        await limit.reserve(3, key="a")
        await limit.reserve(5)
        with pytest.raises(LimitReachedError) as refused:
            await limit.reserve(key="a")
        assert HOUR_MS - 60_000 < refused.value.retry_after_ms <= HOUR_MS
        await limit.pause(HOUR_MS, key="b")
        assert HOUR_MS - 60_000 < (await limit.get_usage(key="b")).paused_ms <= HOUR_MS
        await limit.resume(key="b")
        await (await limit.reserve(key="b")).settle(9)
        assert [window.used for window in (await limit.get_usage(key="b")).windows] == [9]


async def test_where_nobody_provides_it_a_mocker_does() -> None:
    async with await Test.create_testing_module(providers=[Client]).use_mocker().compile() as testing:
        limit = testing.get(Client).limit
        await limit.reserve(5, key="a")
        with pytest.raises(TypeError, match="colour"):
            await limit.reserve(colour="red")


async def test_in_memory_a_window_passes_as_it_does_in_redis() -> None:
    limit = MemoryLimit("api", Window(5, per=50), Window(9, per=100))
    await limit.reserve(5)
    await limit.reserve(4, wait=10_000)
    await limit.reserve(5, wait=10_000)


async def test_a_job_without_room_is_put_off_with_no_attempt_spent(redis_url: str, key_prefix: str) -> None:
    ran: list[int] = []

    @processor("calls", concurrency=10)
    class Calls(WorkerHost):
        def __init__(self, limit: Annotated[Limit, InjectLimit(CALLS)]) -> None:
            self.limit = limit

        async def process(self, job: Job) -> None:
            await self.limit.reserve(job=job)
            ran.append(job.data)

    limit = BullModule.register_limit(CALLS, Window(10, per=200))
    root = BullModule.for_root(
        connection=redis_url, prefix=key_prefix, queues=["calls"], imports=[limit], providers=[Calls]
    )
    async with await create_application(root) as app:
        queue = app.get(get_queue_token("calls"))
        await queue.add_bulk([JobSpec("call", number) for number in range(40)])
        await eventually(lambda: has_completed(queue, 40), what="40 calls")
        jobs = await queue.get_completed()
    assert sorted(ran) == list(range(40))
    assert {job.attempts_made for job in jobs} == {1}
    assert max(job.attempts_started for job in jobs) > 1


async def has_completed(queue: Any, count: int) -> bool:
    return bool(await queue.get_completed_count() == count)


async def test_a_pause_puts_its_job_off_until_it_ends(redis_url: str, key_prefix: str, name: str) -> None:
    limit = Limit(name, Window(10, per=200), connection=redis_url)
    app = BullModule.for_root(connection=redis_url, prefix=key_prefix, queues=["calls"])
    answers = [429, 200]

    async def process(job: Job) -> int:
        reservation = await limit.reserve(key="tenant", job=job)
        if answers.pop(0) == 429:
            await reservation.settle(0)
            await limit.pause(100, key="tenant", job=job)
        return 200

    async with await create_application(app) as running, limit:
        queue = running.get(get_queue_token("calls"))
        async with Worker("calls", process, connection=redis_url, prefix=key_prefix):
            job = await queue.add("call")
            assert await job.wait_until_finished(ttl=20_000) == 200
        await job.refresh()
    assert (job.attempts_made, job.attempts_started) == (1, 2)


async def test_on_a_harness_too_a_job_without_room_is_put_off() -> None:
    limit = MemoryLimit("api", Window(1, per=HOUR_MS))
    await limit.reserve()

    async def process(job: Job) -> None:
        await limit.reserve(job=job)

    harness: QueueHarness[Any] = QueueHarness("calls", process)
    job = await harness.add("call")
    await harness.drain()
    assert (await job.get_state(), harness.errors) == ("delayed", [])
