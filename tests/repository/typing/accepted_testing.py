"""Testing modules and harnesses need no cast; checked, never run."""

from collections.abc import AsyncIterator
from typing import Any, Protocol, TypedDict, assert_type
from unittest.mock import AsyncMock

from bullworks.bullmq import Job, JobNode, Queue
from bullworks.core import ModuleContainer, Token, module, provide
from bullworks.locks import Lock
from bullworks.testing import (
    HarnessFlowProducer,
    HarnessGroup,
    MemoryLocks,
    QueueHarness,
    RecordedEvent,
    Test,
    TestingModule,
    TestingModuleBuilder,
    eventually,
)
from bullworks.testing.pytest_plugin import BullQueues, QueueHarnesses
from bullworks.workers import WorkerHost, processor

URL: Token[str] = Token("url")


class Mail(TypedDict):
    to: str


class MailService:
    async def send(self, to: str) -> None: ...


class FakeMail(MailService):
    async def send(self, to: str) -> None: ...


class Clock(Protocol):
    def now(self) -> int: ...


class FakeClock:
    def now(self) -> int:
        return 0


async def open_url() -> AsyncIterator[str]:
    yield "redis://"


@processor("email")
class EmailWorker(WorkerHost[Mail, bool]):
    def __init__(self, mail: MailService) -> None: ...

    async def process(self, job: Job[Mail, bool]) -> bool:
        return True


@module(providers=[MailService])
class MailModule: ...


def builder(harness: QueueHarness[Any]) -> TestingModuleBuilder:
    return (
        Test.create_testing_module(imports=[MailModule], providers=[EmailWorker, provide(URL, use_value="redis://")])
        .override_provider(MailService)
        .use_value(AsyncMock(spec=MailService))
        .override_provider(MailService)
        .use_class(FakeMail)
        .override_provider(URL)
        .use_factory(lambda mail: "redis://", inject=[MailService])
        .override_provider(URL)
        .use_factory(open_url)
        .override_provider(Clock)
        .use_class(FakeClock)
        .override_provider("a name")
        .use_value(1)
        .override_module(MailModule)
        .use_module(MailModule)
        .use_mocker()
        .use_mocker(lambda token: AsyncMock())
        .use_harness(harness)
        .use_redis("redis://127.0.0.1:6379/0", prefix="test", config_key="reports")
        .use_schedule()
    )


async def main(queues: BullQueues, harnesses: QueueHarnesses) -> None:
    harness: QueueHarness[Mail] = QueueHarness("email", EmailWorker(MailService()), concurrency=3, timeout=1_000)
    module = await builder(harness).compile()
    assert_type(module, TestingModule)
    assert_type(module.get(EmailWorker), EmailWorker)
    assert_type(module.get(URL), str)
    assert_type(await module.resolve(EmailWorker), EmailWorker)
    assert_type(await module.create(EmailWorker), EmailWorker)
    assert_type(module.container, ModuleContainer)
    async with module as running:
        assert_type(running.get(MailService), MailService)

    assert_type(await harness.add("welcome", {"to": "you"}, attempts=3), Job[Mail])
    assert_type(harness.queue, Queue[Mail])
    assert_type(harness.jobs, list[Job[Mail]])
    assert_type(harness.jobs_in("failed", "completed")[0].data["to"], str)
    assert_type(harness.events, list[RecordedEvent])
    assert_type(await eventually(lambda: harness.jobs), list[Job[Mail]])
    assert_type(module.harnesses, HarnessGroup)
    await HarnessGroup(harness, QueueHarness("sms")).advance(1_000)
    assert_type(await HarnessFlowProducer(harness).add({"name": "x", "queue_name": "email"}), JobNode)
    assert_type(await MemoryLocks().acquire("sync", 1_000), Lock | None)
    await eventually(queues("email").get_completed_count)
    assert_type(harnesses("email", lambda job: None), QueueHarness[Any])
