"""Processors and queues of modules with typed jobs: the type is read where it stands, or said outright."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from bullworks.bullmq import FlowJob, FlowProducer, InvalidOptionError, InvalidPayloadError, Job, Queue, SyncJob
from bullworks.core import create_application, module
from bullworks.testing import HarnessFlowProducer, QueueHarness, Test
from bullworks.workers import (
    BullModule,
    InjectFlowProducer,
    InjectQueue,
    PayloadTypeError,
    ProcessPoolError,
    QueueOptions,
    RegisteredTwiceError,
    WorkerHost,
    get_queue_token,
    processor,
)
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


@processor("email", process_pool=1)
class PooledWorker(WorkerHost[EmailJob, Receipt]):
    def process(self, job: SyncJob[EmailJob, Receipt]) -> Receipt:
        job.update_data(EmailJob(email=job.data.email.upper()))
        return Receipt(job.data.email)


async def test_a_type_that_no_process_could_import_is_an_error_at_the_start() -> None:
    class Local(BaseModel):
        email: str

    @processor("email", process_pool=1, data_type=Local)
    class Pooled(PooledWorker): ...

    root = BullModule.for_root(connection=NOWHERE, queues=("email",), providers=[Pooled])
    with pytest.raises(ProcessPoolError, match="defined inside a function"):
        await create_application(root)


async def test_a_queue_and_its_processor_of_different_types_are_an_error_at_the_start() -> None:
    class Order(BaseModel):
        number: int

    @module(imports=[BullModule.register_queue("email", data_type=Order, result_type=Receipt)])
    class Orders: ...

    def options() -> QueueOptions:
        return {"data_type": Order}

    @module(imports=[BullModule.register_queue_async("email", use_factory=options)])
    class OrdersLater: ...

    for orders in (Orders, OrdersLater):
        root = BullModule.for_root(connection=NOWHERE, providers=[EmailWorker], imports=[orders])
        with pytest.raises(PayloadTypeError) as caught:
            await create_application(root)
        assert (caught.value.option, caught.value.queue) == ("data_type", "email")
        assert str(caught.value) == (
            "BullModule > EmailWorker has data_type=EmailJob, but the queue 'email' is registered with data_type="
            f"Order, by BullModule > {orders.__name__} > BullModule > QueueModule(email) > queue:email. "
            "Give both the same, or leave it out of the processor, which then has its queue's"
        )


class Reports:
    def __init__(self, flows: Annotated[FlowProducer, InjectFlowProducer()]) -> None:
        self.flows = flows


async def test_flows_and_processes_know_the_types_of_registered_queues(workers: Workers) -> None:
    queue = BullModule.register_queue("email", data_type=EmailJob, result_type=Receipt)
    producer = BullModule.register_flow_producer()
    root = workers(PooledWorker, Reports, queues=(), imports=[queue, producer])
    async with create_application(root) as app:
        flows = app.get(Reports).flows
        with pytest.raises(InvalidPayloadError) as caught:
            await flows.add({"name": "x", "queue_name": "email", "data": {"emial": "you"}})
        assert str(caught.value) == "job 'x' for queue 'email': $.email does not fit EmailJob: Field required"
        child: FlowJob = {"name": "y", "queue_name": "email", "data": EmailJob(email="y")}
        node = await flows.add({"name": "x", "queue_name": "email", "data": {"email": "x"}, "children": [child]})
        assert (node.job.data, node.children[0].job.data) == (EmailJob(email="x"), EmailJob(email="y"))
        assert await node.job.wait_until_finished(ttl=10_000) == Receipt("X")
        read = await flows.get_flow(node.job.id, "email")
        assert read is not None
        assert (read.job.data, read.job.returnvalue) == (EmailJob(email="X"), Receipt("X"))
        assert await read.job.get_children_values() != {}


async def test_flows_of_harnesses_know_the_types_of_their_processors() -> None:
    harness: QueueHarness[Any] = QueueHarness("email", EmailWorker())
    flows = HarnessFlowProducer(harness)
    with pytest.raises(InvalidPayloadError, match=r"job 'x' for queue 'email': \$\.email"):
        await flows.add({"name": "x", "queue_name": "email"})
    node = await flows.add({"name": "x", "queue_name": "email", "data": EmailJob(email="you")})
    await harness.drain()
    assert harness.jobs[0].returnvalue == Receipt("you")
    assert node.job.data == EmailJob(email="you")


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
