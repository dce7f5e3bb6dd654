"""What type checkers refuse; the comment on a line says by which rules. Checked, never run."""

from typing import Annotated, TypedDict

from pydantic import BaseModel

from bullworks.bullmq import Job, JobSpec, Queue, Worker
from bullworks.core import Application, Inject, Lazy, ModuleRef, Token, provide
from bullworks.testing import QueueHarness, Test
from bullworks.workers import BullModule, InjectQueue, WorkerHost, processor


class Mail(TypedDict):
    to: str


class EmailJob(BaseModel):
    email: str


class MailService: ...


URL: Token[str] = Token("url")


def want_mail(mail: MailService) -> None: ...
def want_int(number: int) -> None: ...
def want_ints(queue: Queue[int]) -> None: ...
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
    await plain.clean(0, "done")  # refused: mypy arg-type, pyright reportArgumentType
    await plain.get_jobs("failled")  # refused: mypy arg-type, pyright reportArgumentType


async def look_up(app: Application, modules: ModuleRef) -> None:
    want_mail(app.get(Text))  # refused: mypy arg-type, pyright reportArgumentType
    want_int(await app.resolve(URL))  # refused: mypy arg-type, pyright reportArgumentType
    want_mail(await modules.create(Text))  # refused: mypy arg-type, pyright reportArgumentType
    app.get(7)  # refused: mypy call-overload, pyright reportArgumentType reportCallIssue
    app.provider_of(MailService)().send()  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    provide(7, use_value=1)  # refused: mypy arg-type, pyright reportArgumentType
    provide(MailService, use_valu=1)  # refused: mypy call-arg, pyright reportCallIssue
    Inject(7)  # refused: mypy arg-type, pyright reportArgumentType
    BullModule.register_queue("email", prefx="p")  # refused: mypy call-arg, pyright reportCallIssue
    BullModule.for_root(queus=("email",))  # refused: mypy call-arg, pyright reportCallIssue


async def test(harness: QueueHarness[Mail]) -> None:
    builder = Test.create_testing_module(providers=[Text])
    Test.create_testing_module(provider=[Text])  # refused: mypy call-arg, pyright reportCallIssue
    builder.override_provider(URL).compile()  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    builder.use_value(1)  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    await harness.add("welcome", {"to": 1})  # refused: mypy typeddict-item, pyright reportArgumentType
    harness.jobs_in("done")  # refused: mypy arg-type, pyright reportArgumentType


async def typed(queue: Queue[EmailJob], job: Job[EmailJob, int]) -> None:
    await queue.add("x", {"email": "a@b"})  # refused: mypy arg-type, pyright reportArgumentType
    want_mail(job.data)  # refused: mypy arg-type, pyright reportArgumentType
    job.data.emial  # noqa: B018  # refused: mypy attr-defined, pyright reportAttributeAccessIssue
    want_ints(Queue("x", connection="", data_type=EmailJob))  # refused: mypy arg-type, pyright reportArgumentType
