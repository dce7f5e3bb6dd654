"""What type checkers refuse; the comment on a line says by which rules. Checked, never run."""

from collections.abc import AsyncIterator
from typing import Annotated, TypedDict

from dependency_injector.providers import Singleton
from pydantic import BaseModel

from bullworks.bullmq import Job, JobSpec, Queue, Worker
from bullworks.bullmq.flow_producer import FlowProducer
from bullworks.core import Application, Inject, Lazy, LazyModuleLoader, ModuleRef, Token, provide
from bullworks.testing import QueueHarness, Test
from bullworks.workers import (
    BullModule,
    InjectQueue,
    QueueEventsHost,
    WorkerHost,
    on_queue_event,
    on_worker_event,
    processor,
)


class Mail(TypedDict):
    to: str


async def open_url() -> AsyncIterator[str]:
    yield "redis://"


class EmailJob(BaseModel):
    email: str


class MailService: ...


URL: Token[str] = Token("url")


def want_mail(mail: MailService) -> None: ...
def want_int(number: int) -> None: ...
def want_ints(queue: Queue[int]) -> None: ...
def want_flows(flows: FlowProducer) -> None: ...
def make_mail() -> MailService:
    return MailService()


def want_worker(worker: Worker[int, int]) -> None: ...


@processor("email", concurency=5)  # refused: mypy call-arg, pyright reportCallIssue
class Misspelt(WorkerHost):
    async def process(self, job: Job) -> None: ...


@processor("email", concurrency="5")  # refused: mypy arg-type, pyright reportArgumentType
class Text(WorkerHost[Mail, int]):
    def __init__(self, queue: Annotated[Queue[Mail], InjectQueue("email")], mail: Lazy[MailService]) -> None:
        want_ints(queue)  # refused: mypy arg-type, pyright reportArgumentType
        mail().send()  # refused: mypy attr-defined, pyright reportAttributeAccessIssue

    async def process(self, job: Job[Mail, int]) -> int:
        want_int(job.data["to"])  # refused: mypy arg-type, pyright reportArgumentType
        want_worker(self.worker)  # refused: mypy arg-type, pyright reportArgumentType
        return job.data["to"]  # refused: mypy return-value, pyright reportReturnType


async def produce(queue: Queue[Mail], plain: Queue) -> None:
    await queue.add("welcome", {"to": 1})  # refused: mypy typeddict-item, pyright reportArgumentType
    await queue.add("x", {"to": "a", "cc": "b"})  # refused: mypy typeddict-unknown-key, pyright reportArgumentType
    await plain.add("x", attemps=3)  # refused: mypy call-arg, pyright reportCallIssue
    await plain.add("x", attempts="3")  # refused: mypy arg-type, pyright reportArgumentType
    await plain.add("x", backoff={"typ": "fixed"})  # refused: mypy arg-type, pyright reportArgumentType
    await plain.add_bulk([JobSpec("x", 1, prority=1)])  # refused: mypy call-arg, pyright reportCallIssue
    await plain.add("x", {}, {"removeOnFail": 1})  # refused: mypy arg-type, pyright reportArgumentType
    await plain.apply_async("x")  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    await plain.clean(0, "done")  # refused: mypy arg-type, pyright reportArgumentType
    await plain.get_jobs("failled")  # refused: mypy arg-type, pyright reportArgumentType


class Heard(WorkerHost[Mail, int]):
    @on_worker_event("end")  # refused: mypy call-overload untyped-decorator, pyright reportArgumentType reportCallIssue
    def misspelt(self, job: Job[Mail, int]) -> None: ...

    @on_worker_event("completed")  # refused: mypy type-var, pyright reportArgumentType
    def wrong_order(self, result: str, job: Job[Mail, int]) -> None: ...

    @on_worker_event("completed")  # refused: mypy type-var, pyright reportArgumentType
    def too_many(self, job: Job[Mail, int], result: int, previous: str, more: str) -> None: ...

    @on_worker_event("failed")  # refused: mypy type-var, pyright reportArgumentType
    def never_none(self, job: Job[Mail, int], error: BaseException) -> None: ...

    @on_worker_event("drained")  # refused: mypy type-var, pyright reportArgumentType
    def takes_something(self, job: Job[Mail, int]) -> None: ...

    @on_worker_event("stalled")  # refused: mypy type-var, pyright reportArgumentType
    def takes_a_job(self, job: Job[Mail, int]) -> None: ...


class Listening(QueueEventsHost):
    @on_queue_event("end")  # refused: mypy call-overload untyped-decorator, pyright reportArgumentType reportCallIssue
    def misspelt(self, args: dict[str, str]) -> None: ...

    @on_queue_event("completed")  # refused: mypy type-var, pyright reportArgumentType
    def takes_a_job(self, job: Job[Mail, int]) -> None: ...

    @on_queue_event("completed")  # refused: mypy type-var, pyright reportArgumentType
    def too_many(self, args: dict[str, str], event_id: str, more: str) -> None: ...


class Marked:
    def __init__(self, queue: Annotated[Queue[Mail], InjectQueue("email")]) -> None:
        want_flows(queue)  # refused: mypy arg-type, pyright reportArgumentType


async def look_up(app: Application, modules: ModuleRef, loader: LazyModuleLoader) -> None:
    want_mail(app.get(Text))  # refused: mypy arg-type, pyright reportArgumentType
    want_int(await app.resolve(URL))  # refused: mypy arg-type, pyright reportArgumentType
    want_mail(await modules.create(Text))  # refused: mypy arg-type, pyright reportArgumentType
    app.get(7)  # refused: mypy call-overload, pyright reportArgumentType reportCallIssue
    app.provider_of(MailService)().send()  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    provide(7, use_value=1)  # refused: mypy call-overload, pyright reportArgumentType reportCallIssue
    provide(MailService, use_valu=1)  # refused: mypy call-overload, pyright reportCallIssue
    provide(URL, use_value=1)  # refused: mypy misc, pyright reportArgumentType reportCallIssue
    provide(URL, use_class=MailService)  # refused: mypy misc, pyright reportArgumentType reportCallIssue
    provide(URL, use_factory=make_mail)  # refused: mypy arg-type, pyright reportArgumentType reportCallIssue
    provide(URL, use_factory=int)  # refused: mypy arg-type, pyright reportArgumentType reportCallIssue
    provide(URL, use_existing=MailService)  # refused: mypy misc, pyright reportArgumentType reportCallIssue
    provide(MailService, use_class=make_mail)  # refused: mypy call-overload, pyright reportArgumentType reportCallIssue
    provide(MailService, use_factory=7)  # refused: mypy call-overload, pyright reportArgumentType reportCallIssue
    Inject(7)  # refused: mypy arg-type, pyright reportArgumentType
    BullModule.register_queue("email", prefx="p")  # refused: mypy call-arg, pyright reportCallIssue
    BullModule.register_queue({"prefix": "p"})  # refused: mypy arg-type, pyright reportArgumentType
    BullModule.for_root(connection={"uri": ""})  # refused: mypy arg-type, pyright reportArgumentType
    BullModule.for_root_async(use_class=MailService)  # refused: mypy arg-type, pyright reportArgumentType
    mail = Singleton(MailService)
    provide(URL, use_provider=mail)  # refused: mypy misc, pyright reportArgumentType reportCallIssue
    want_mail((await loader.load(MailService)).get(Text))  # refused: mypy arg-type, pyright reportArgumentType
    BullModule.for_root(queus=("email",))  # refused: mypy call-arg, pyright reportCallIssue


async def test(harness: QueueHarness[Mail]) -> None:
    builder = Test.create_testing_module(providers=[Text])
    Test.create_testing_module(provider=[Text])  # refused: mypy call-arg, pyright reportCallIssue
    builder.override_provider(URL).compile()  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    builder.override_provider(URL).use_value(1)  # refused: mypy arg-type, pyright reportArgumentType
    builder.override_provider(MailService).use_value(1)  # refused: mypy arg-type, pyright reportArgumentType
    builder.override_provider(MailService).use_class(Text)  # refused: mypy arg-type, pyright reportArgumentType
    builder.override_provider(MailService).use_factory(open_url)  # refused: mypy arg-type, pyright reportArgumentType
    builder.override_provider(7)  # refused: mypy call-overload, pyright reportArgumentType reportCallIssue
    builder.use_value(1)  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    await harness.add("welcome", {"to": 1})  # refused: mypy typeddict-item, pyright reportArgumentType
    harness.jobs_in("done")  # refused: mypy arg-type, pyright reportArgumentType


async def typed(queue: Queue[EmailJob], job: Job[EmailJob, int]) -> None:
    await queue.add("x", {"email": "a@b"})  # refused: mypy arg-type, pyright reportArgumentType
    want_mail(job.data)  # refused: mypy arg-type, pyright reportArgumentType
    job.data.emial  # noqa: B018  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    want_ints(Queue("x", connection="", data_type=EmailJob))  # refused: mypy arg-type, pyright reportArgumentType
