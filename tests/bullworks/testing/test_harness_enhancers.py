"""Guards, interceptors, pipes and filters run on a harness as they do in a worker, on both sides."""

from typing import Any

import pytest

from bullworks.bullmq import Job
from bullworks.core import module, provide
from bullworks.testing import HarnessSetupError, QueueHarness, Test
from bullworks.workers import (
    APP_PIPE,
    AddContext,
    BullModule,
    Delay,
    JobContext,
    WorkerHost,
    get_flow_producer_token,
    processor,
    use_guards,
)


class Waiting:
    def can_activate(self, context: JobContext) -> Any:
        return True if context.job.attempts_started > 1 else Delay(60_000)


@use_guards(Waiting)
@processor("email")
class EmailWorker(WorkerHost):
    async def process(self, job: Job) -> Any:
        return job.data


class Marking:
    def transform(self, value: Any, context: JobContext) -> Any:
        return [*value, "seen"]

    def transform_add(self, value: Any, context: AddContext) -> Any:
        return [value, "added"]


@module(
    imports=[
        BullModule.for_root(),
        BullModule.register_queue("email"),
        BullModule.register_flow_producer(),
    ],
    providers=[EmailWorker, provide(APP_PIPE, use_class=Marking)],
)
class AppModule: ...


async def test_in_a_testing_module_with_no_server_and_by_the_harness_own_clock() -> None:
    harness = QueueHarness("email")
    async with await Test.create_testing_module(imports=[AppModule]).use_harness(harness).compile() as ref:
        job = await harness.add("x", 1)
        await harness.drain()
        await harness.advance(59_999)
        assert (await job.get_state(), harness.events_of(job)[-1]) == ("delayed", "delayed")
        await harness.advance(1)
        await job.refresh()
        assert job.returnvalue == [1, "added", "seen"]
        node = await ref.get(get_flow_producer_token()).add({"name": "x", "queue_name": "email", "data": 2})
        assert node.job.data == [2, "added"]


async def test_an_override_takes_the_place_of_a_guard_that_only_a_decorator_names() -> None:
    class Open:
        def can_activate(self, context: JobContext) -> bool:
            return True

    harness = QueueHarness("email")
    building = Test.create_testing_module(imports=[AppModule]).use_harness(harness)
    async with await building.override_provider(Waiting).use_class(Open).compile():
        job = await harness.add("x", 1)
        await harness.drain()
        await job.refresh()
        assert job.returnvalue == [1, "added", "seen"]


async def test_a_host_without_modules_has_those_that_need_nothing() -> None:
    async with QueueHarness("email", EmailWorker()) as harness:
        job = await harness.add("x", 1)
        await harness.drain()
        assert await job.get_state() == "delayed"
        await harness.drain_all()
        await job.refresh()
        assert job.returnvalue == 1


async def test_and_says_so_where_they_need_something() -> None:
    class NeedsMore(Waiting):
        def __init__(self, more: object) -> None: ...

    @use_guards(NeedsMore)
    @processor("email")
    class Guarded(EmailWorker): ...

    async with QueueHarness("email", Guarded()) as harness:
        await harness.add("x", 1)
        with pytest.raises(HarnessSetupError, match=r"cannot build NeedsMore of Guarded: .*use it in a testing module"):
            await harness.drain()
