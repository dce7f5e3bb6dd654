"""A harness in a testing module: services add to it, processors run its jobs, and init() needs no Redis."""

from collections.abc import Hashable, Mapping
from typing import Annotated, Any
from unittest.mock import AsyncMock

import pytest

from app.modules.email import EmailModule, MailNotSentError, MailService
from app.modules.users import UserService, UsersModule
from app.workers.email_worker import EmailWorker
from bullworks.bullmq import Job, Queue
from bullworks.core import (
    AnyToken,
    ContextKey,
    ContextStrategy,
    Inject,
    Scope,
    injectable,
    module,
    provide,
)
from bullworks.testing import HarnessSetupError, QueueHarness, Test, TestingModule
from bullworks.workers import JOB, BullModule, InjectQueue, NoWorkerError, WorkerHost, get_queue_token, processor

MAIL = {"to": "user@example.com", "subject": "Welcome!", "body": "Thank you for registering"}


@pytest.fixture
def mail() -> AsyncMock:
    return AsyncMock(spec=MailService)


@pytest.fixture
def harness() -> QueueHarness[Any]:
    return QueueHarness("email")


@pytest.fixture
async def ref(harness: QueueHarness[Any], mail: AsyncMock, monkeypatch: pytest.MonkeyPatch) -> TestingModule:
    """Two features of the service, with a mock for their mails and a harness for their queue."""
    monkeypatch.setenv("APP_ENV", "test")
    monkeypatch.setenv("QUEUE_REDIS_URL", "")
    builder = Test.create_testing_module(
        imports=[BullModule.for_root(), EmailModule, UsersModule], providers=[EmailWorker]
    )
    return await builder.use_harness(harness).override_provider(MailService).use_value(mail).compile()


async def test_the_welcome_mail_goes_out_five_seconds_after_the_registration(
    ref: TestingModule, harness: QueueHarness[Any], mail: AsyncMock
) -> None:
    await ref.get(UserService).send_welcome_email("user@example.com")
    await harness.advance(4_999)
    mail.send.assert_not_awaited()
    await harness.advance(1)
    mail.send.assert_awaited_once_with(**MAIL)
    (job,) = harness.jobs
    assert (job.name, job.priority, job.returnvalue) == ("welcome-email", 1, {"sent": True})
    assert harness.counts == {"unknown": 1}, "it was to be removed once completed"


async def test_a_mail_that_cannot_be_sent_is_tried_again_and_again(
    ref: TestingModule, harness: QueueHarness[Any], mail: AsyncMock
) -> None:
    mail.send.side_effect = [MailNotSentError("smtp.example", "busy"), MailNotSentError("smtp.example", "busy"), None]
    await ref.get(UserService).send_welcome_email("user@example.com")
    start_ms = harness.now_ms
    await harness.drain_all()
    assert harness.now_ms - start_ms == 5_000 + 60_000 + 120_000
    assert [type(error) for error in harness.errors] == [MailNotSentError, MailNotSentError]
    assert harness.jobs[0].returnvalue == {"sent": True}


async def test_the_modules_start_and_close_without_redis(
    ref: TestingModule, harness: QueueHarness[Any], mail: AsyncMock
) -> None:
    async with ref:
        await harness.add("mail", {"email": "a@b.example", "subject": "s", "body": "b"})
        await harness.drain()
        mail.send.assert_awaited_once()
        assert ref.get(EmailWorker).worker.queue_name == "email"
        assert ref.get(get_queue_token("email")) is harness.queue


async def test_a_mock_put_in_after_compiling_reaches_the_processor(
    ref: TestingModule, harness: QueueHarness[Any], mail: AsyncMock
) -> None:
    await harness.add("mail", {"email": "a@b.example", "subject": "s", "body": "b"})
    await harness.drain()
    other = AsyncMock(spec=MailService)
    with ref.container.mail_service.override(other):
        await harness.add("mail", {"email": "c@d.example", "subject": "s", "body": "b"})
        await harness.drain()
    assert (mail.send.await_count, other.send.await_count) == (1, 1)


async def test_a_processor_of_ones_own_goes_before_the_modules() -> None:
    seen: list[str] = []

    async def handle(job: Job) -> None:
        seen.append(job.name)

    harness: QueueHarness[Any] = QueueHarness("email", handle)
    ref = await _two_processors(harness)
    await harness.add("x")
    await harness.drain()
    assert seen == ["x"]
    with pytest.raises(NoWorkerError):
        _ = ref.get(First).worker


async def test_of_several_processors_one_must_be_chosen() -> None:
    harness: QueueHarness[Any] = QueueHarness("email")
    await _two_processors(harness)
    await harness.add("x")
    with pytest.raises(HarnessSetupError, match=r"has the processors TestingModule > .*First and .*Second: give"):
        await harness.drain()


async def test_a_request_scoped_processor_is_made_for_each_job() -> None:
    made: list[str] = []

    @injectable(scope=Scope.REQUEST)
    class Session:
        def __init__(self, job: Annotated[Job, Inject(JOB)]) -> None:
            made.append(job.name)

    @processor("email", scope=Scope.REQUEST)
    class PerJob(WorkerHost):
        def __init__(self, session: Session) -> None:
            self.session = session

        async def process(self, job: Job) -> int:
            assert self.worker.queue_name == "email"
            return id(self.session)

    harness: QueueHarness[Any] = QueueHarness("email")
    root = BullModule.for_root(connection="redis://127.0.0.1:1/0", queues=("email",), providers=[PerJob, Session])
    await Test.create_testing_module(imports=[root]).use_harness(harness).compile()
    await harness.add("one")
    await harness.add("two")
    await harness.drain()
    assert made == ["one", "two"]
    assert len(harness.jobs_in("completed")) == 2


async def test_a_processor_that_nobody_ever_builds_is_told_of() -> None:
    @injectable(lazy=True)
    @processor("email")
    class Never(WorkerHost):
        async def process(self, job: Job) -> None: ...

    harness: QueueHarness[Any] = QueueHarness("email")
    await (
        Test.create_testing_module(providers=[Never, provide("q", use_existing=get_queue_token("email"))])
        .use_harness(harness)
        .compile()
    )
    await harness.add("x")
    with pytest.raises(HarnessSetupError, match="needs a host that is built at the start, or for each job"):
        await harness.drain()


async def test_a_module_that_only_adds_needs_no_processor() -> None:
    class Producer:
        def __init__(self, queue: Annotated[Queue, InjectQueue("email")]) -> None:
            self.queue = queue

    harness: QueueHarness[Any] = QueueHarness("email")
    ref = await Test.create_testing_module(providers=[Producer]).use_harness(harness).compile()
    await ref.get(Producer).queue.add("x", {"n": 1})
    assert [job.data for job in harness.jobs] == [{"n": 1}]


@processor("email")
class First(WorkerHost):
    async def process(self, job: Job) -> None: ...


@processor("email")
class Second(WorkerHost):
    async def process(self, job: Job) -> None: ...


async def _two_processors(harness: QueueHarness[Any]) -> TestingModule:
    @module(imports=[BullModule.register_queue("email")], providers=[First, Second])
    class Both: ...

    root = BullModule.for_root(connection="redis://127.0.0.1:1/0")
    return await Test.create_testing_module(imports=[root, Both]).use_harness(harness).compile()


async def test_a_tenant_s_jobs_share_a_durable_host_and_what_it_needs() -> None:
    built: list[Any] = []

    class ByTenant(ContextStrategy):
        def key_of(self, values: Mapping[AnyToken, Any]) -> Hashable | None:
            return values[JOB].data["tenant"] if JOB in values else None

    @injectable(scope=Scope.REQUEST, durable=True)
    class Database:
        def __init__(self, key: ContextKey) -> None:
            built.append(key.value)

        async def on_module_destroy(self) -> None:
            built.append("closed")

    @processor("invoices")
    class InvoiceWorker(WorkerHost):
        def __init__(self, database: Database) -> None:
            self.seen = 0

        async def process(self, job: Job) -> int:
            self.seen += 1
            return self.seen

    harness: QueueHarness[Any] = QueueHarness("invoices")
    given = [InvoiceWorker, Database, provide(ContextStrategy, use_class=ByTenant)]
    root = BullModule.for_root(connection="redis://127.0.0.1:1/0", queues=("invoices",), providers=given)
    async with await Test.create_testing_module(imports=[root]).use_harness(harness).compile():
        for tenant in ("acme", "acme", "globex"):
            await harness.add("invoice", {"tenant": tenant})
        await harness.drain()
        assert [job.returnvalue for job in harness.jobs] == [1, 2, 1]
        assert built == ["acme", "globex"]
    assert built[2:] == ["closed", "closed"]
