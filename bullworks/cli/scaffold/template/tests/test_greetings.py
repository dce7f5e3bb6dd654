"""Greetings from end to end, on a queue in this process: no Redis, and no waiting for retries."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from bullworks.bullmq import Job, UnrecoverableError
from bullworks.testing import QueueHarness, Test, TestingModule

from app.app_module import AppModule
from app.modules.greetings import GreetingService, GreetingSettings
from app.workers.greetings_worker import GreetingsWorker


@pytest.fixture
def queue() -> QueueHarness[Any]:
    """The queue: what is added waits until `drain()` or `advance()`."""
    return QueueHarness("greetings")


@pytest.fixture
async def service(queue: QueueHarness[Any]) -> AsyncIterator[TestingModule]:
    """The whole service, built and wired as in production, with this queue and these settings."""
    builder = Test.create_testing_module(imports=[AppModule]).use_harness(queue)
    module = await builder.override_provider(GreetingSettings).use_value(GreetingSettings(greeting="Hi")).compile()
    yield module
    await module.close()


async def test_a_greeting_is_queued_and_written(service: TestingModule, queue: QueueHarness[Any]) -> None:
    await service.get(GreetingService).send("Ada")
    assert queue.counts == {"waiting": 1}
    await queue.drain()
    (job,) = queue.jobs
    assert job.returnvalue == {"greeting": "Hi, Ada!"}


async def test_the_cron_greets_the_world(service: TestingModule, queue: QueueHarness[Any]) -> None:
    await service.get(GreetingsWorker).greet_the_world()
    await queue.drain()
    assert [job.returnvalue for job in queue.jobs] == [{"greeting": "Hi, world!"}]


async def test_what_fails_is_tried_again_a_second_later(
    service: TestingModule, queue: QueueHarness[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.get(GreetingService).send("Ada")
    with monkeypatch.context() as patched:
        patched.delattr(GreetingService, "write")
        await queue.drain()
    assert queue.counts == {"delayed": 1}
    await queue.advance(1_000)
    assert queue.counts == {"completed": 1}


@pytest.mark.parametrize("data", [None, {}, {"nom": "Ada"}])
async def test_data_of_another_shape_fails_at_once(service: TestingModule, data: Any) -> None:
    with pytest.raises(UnrecoverableError, match="needs a name"):
        await service.get(GreetingsWorker).process(Job.stub(data=data))
