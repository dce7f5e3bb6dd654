"""Processors and queues of modules with typed jobs: the type is read where it stands, or said outright."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from bullworks.bullmq import InvalidOptionError, InvalidPayloadError, Job, Queue
from bullworks.core import create_application, module
from bullworks.testing import QueueHarness, Test
from bullworks.workers import BullModule, InjectQueue, RegisteredTwiceError, WorkerHost, get_queue_token, processor
from bullworks.workers.processor import PROCESSOR
from tests.bullworks.workers.conftest import Workers

NOWHERE = "redis://127.0.0.1:1/0"


class EmailJob(BaseModel):
    email: str


@dataclass
class Receipt:
    to: str


class Mail(TypedDict):
    to: str


@processor("email")
class EmailWorker(WorkerHost[EmailJob, Receipt]):
    async def process(self, job: Job[EmailJob, Receipt]) -> Receipt:
        return Receipt(job.data.email)


class UserService:
    def __init__(self, queue: Annotated[Queue[EmailJob], InjectQueue("email")]) -> None:
        self.queue = queue


def types_of(cls: type[Any]) -> tuple[Any, Any]:
    spec = vars(cls)[PROCESSOR]
    return spec.data_type, spec.result_type


def test_models_and_dataclasses_are_read_from_the_brackets_and_what_else_stands_there_is_not_checked() -> None:
    @processor("a")
    class Only(WorkerHost[EmailJob]):
        async def process(self, job: Job[EmailJob]) -> None: ...

    @processor("b")
    class Inheriting(Only):
        pass

    @processor("c")
    class Unchecked(WorkerHost[Mail, int]):
        async def process(self, job: Job[Mail, int]) -> int:
            return 1

    @processor("d", data_type=Mail, result_type=int)
    class Said(WorkerHost[EmailJob, Receipt]):
        async def process(self, job: Job) -> Any: ...

    @processor("e")
    class Plain(WorkerHost):
        async def process(self, job: Job) -> Any: ...

    assert types_of(EmailWorker) == (EmailJob, Receipt)
    assert types_of(Only) == types_of(Inheriting) == (EmailJob, None)
    assert types_of(Unchecked) == types_of(Plain) == (None, None)
    assert types_of(Said) == (Mail, int)


def test_a_type_that_cannot_be_checked_is_an_error_where_it_is_given() -> None:
    with pytest.raises(InvalidOptionError, match="data_type: Queue cannot be checked"):
        processor("a", data_type=Queue)(type("Host", (WorkerHost,), {"process": lambda self, job: None}))
    with pytest.raises(InvalidOptionError, match="result_type: Queue cannot be checked"):
        BullModule.register_queue("a", result_type=Queue)


def test_processes_of_a_pool_get_plain_json() -> None:
    with pytest.raises(InvalidOptionError, match="data_type: does not go with process_pool="):

        @processor("a", process_pool=1)
        class Pooled(WorkerHost[EmailJob]):
            def process(self, job: Any) -> None: ...


async def test_a_service_adds_models_and_its_worker_gets_them(workers: Workers) -> None:
    queue = BullModule.register_queue("email", data_type=EmailJob, result_type=Receipt)
    root = workers(EmailWorker, UserService, queues=(), imports=[queue])
    async with create_application(root) as app:
        job = await app.get(UserService).queue.add("x", EmailJob(email="you"))
        assert await job.wait_until_finished(ttl=10_000) == Receipt("you")
        with pytest.raises(InvalidPayloadError, match=r"\$\.email"):
            await app.get(UserService).queue.add("x", {"emial": "you"})  # type: ignore[arg-type]


async def test_a_processor_without_a_type_has_its_queues(workers: Workers) -> None:
    @processor("email")
    class Untyped(WorkerHost):
        async def process(self, job: Job) -> Any:
            return type(job.data).__name__

    queue = BullModule.register_queue("email", data_type=EmailJob)
    async with create_application(workers(Untyped, queues=(), imports=[queue])) as app:
        job = await app.get(get_queue_token("email")).add("x", EmailJob(email="you"))
        assert await job.wait_until_finished(ttl=10_000) == "EmailJob"


async def test_a_queue_registered_with_two_types_is_registered_differently() -> None:
    @module(imports=[BullModule.register_queue("email", data_type=EmailJob)])
    class One: ...

    @module(imports=[BullModule.register_queue("email", data_type=Receipt), One])
    class Two: ...

    @module(imports=[BullModule.for_root(connection=NOWHERE), Two])
    class App: ...

    with pytest.raises(RegisteredTwiceError, match="queue 'email'"):
        await create_application(App)


async def test_a_harness_has_the_types_of_its_processor() -> None:
    for harness in (QueueHarness[Any]("email", EmailWorker()), QueueHarness[Any]("email")):
        root = BullModule.for_root(connection=NOWHERE, queues=("email",), providers=[EmailWorker, UserService])
        ref = await Test.create_testing_module(imports=[root]).use_harness(harness).compile()
        job = await ref.get(UserService).queue.add("x", EmailJob(email="you"))
        await harness.drain()
        await job.refresh()
        assert (job.data, job.returnvalue) == (EmailJob(email="you"), Receipt("you"))
        with pytest.raises(InvalidPayloadError, match=r"\$\.email does not fit EmailJob"):
            await harness.add("x", {})


async def test_a_harness_may_be_given_types() -> None:
    async def handle(job: Job[EmailJob]) -> Any:
        return {"to": job.data.email}

    harness = QueueHarness("email", handle, data_type=EmailJob, result_type=Receipt)
    await harness.add("x", EmailJob(email="you"))
    await harness.drain()
    assert harness.jobs[0].returnvalue == Receipt("you")
