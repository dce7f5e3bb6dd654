"""Queues, jobs, workers and their options need no cast; checked, never run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypedDict, assert_type

from pydantic import BaseModel

from bullworks.bullmq import (
    Backoff,
    CancelSignal,
    Job,
    JobOptions,
    JobSpec,
    Queue,
    QueueEvents,
    SyncJob,
    SyncQueue,
    Worker,
)
from bullworks.bullmq.flow_producer import FlowProducer
from bullworks.core import Token, create_application, module, provide
from bullworks.workers import (
    APP_GUARD,
    AddContext,
    BullModule,
    BullOptions,
    CallHandler,
    FlowProducerOptions,
    InjectFlowProducer,
    InjectQueue,
    JobContext,
    QueueEventsHost,
    QueueOptions,
    WorkerHost,
    catch,
    get_flow_producer_token,
    get_queue_token,
    on_queue_event,
    on_worker_event,
    process,
    processor,
    queue_events_listener,
    use_filters,
    use_guards,
    use_interceptors,
)


class Mail(TypedDict):
    to: str


@processor("email", concurrency=5, metrics={"max_data_points": 60}, limiter={"max": 1, "duration": 1_000})
class EmailWorker(WorkerHost[Mail, int]):
    def __init__(
        self,
        queue: Annotated[Queue, InjectQueue("email")],
        typed: Annotated[Queue[Mail], InjectQueue("email")],
        flows: Annotated[FlowProducer, InjectFlowProducer()],
        orders: Annotated[FlowProducer, InjectFlowProducer("orders")],
    ) -> None:
        assert_type(queue, Queue[Any])
        assert_type(typed, Queue[Mail])
        assert_type(flows, FlowProducer)
        assert_type(orders, FlowProducer)

    async def process(self, job: Job[Mail, int], signal: CancelSignal) -> int:
        assert_type(job.data, Mail)
        assert_type(job.data["to"], str)
        assert_type(job.returnvalue, int | None)
        assert_type(self.worker, Worker[Mail, int])
        return 1

    @on_worker_event("completed")
    def on_completed(self, job: Job[Mail, int], result: int) -> None: ...

    @on_worker_event("failed")
    async def on_failed(self, job: Job[Mail, int] | None, error: BaseException) -> None: ...

    @on_worker_event("active")
    @on_worker_event("completed")
    async def on_any(self, job: Job, *rest: Any) -> None: ...

    @on_worker_event("ready")
    @on_worker_event("drained")
    def on_life(self) -> int:
        return 1

    @on_worker_event("stalled")
    def on_stalled(self, job_id: str, previous: str = "active") -> None: ...

    @on_worker_event("lock_renewal_failed")
    def on_lost(self, job_ids: list[str]) -> None: ...


@processor("images", process_pool=4, process_factory="package.module:make")
class ImageWorker(WorkerHost):
    @process("resize", "crop")
    def resize(self, job: SyncJob) -> str:
        return "done"

    @process("look")
    async def look(self, job: Job) -> None:
        assert_type(job, Job[Any, Any])


@processor("thumbnails")
class ThumbnailWorker(WorkerHost[Mail, str]):
    def process(self, job: SyncJob[Mail, str], signal: CancelSignal) -> str:
        assert_type(job.data["to"], str)
        return str(signal.reason)


class PlainWorker(WorkerHost):
    async def process(self, job: Job) -> Any: ...


class SignalledWorker(PlainWorker):
    async def process(self, job: Job, signal: CancelSignal | None = None) -> Any:
        assert_type(self.worker, Worker[Any, Any])


@queue_events_listener("email", last_event_id="0")
class EmailListener(QueueEventsHost):
    @on_queue_event("completed")
    async def on_completed(self, args: dict[str, Any], event_id: str) -> None:
        assert_type(self.queue_events, QueueEvents)
        assert_type(self.queue_events.last_event_id, str)

    @on_queue_event("drained")
    def on_drained(self) -> None: ...

    @on_queue_event("error")
    def on_error(self, error: BaseException) -> None: ...

    @on_queue_event("my_own", custom=True)
    def on_mine(self, args: dict[str, str], event_id: str) -> None: ...

    async def load_last_event_id(self) -> str | None:
        return "0"


async def literal_shapes(queue: Queue[Mail], sync: SyncQueue[Mail]) -> None:
    assert_type(await queue.add("x", {"to": "a"}, {"attempts": 3, "backoff": {"type": "fixed"}}, delay=5), Job[Mail])
    assert_type(sync.add("x", {"to": "a"}, opts={"attempts": 3}), SyncJob[Mail])
    BullModule.register_queue({"name": "ticker", "default_job_options": {"attempts": 3}}, "email", prefix="p")
    BullModule.for_root(connection={"url": "redis://"}, default_job_options={"attempts": 3})
    assert_type(SyncQueue("x", connection="redis://", data_type=EmailJob), SyncQueue[EmailJob])
    Queue("x", connection={"host": "localhost", "port": 6379})


class BullConfig:
    def create_shared_configuration(self) -> BullOptions:
        return {"connection": {"url": "redis://"}}

    async def create_register_queue_options(self) -> QueueOptions:
        return {"default_job_options": {"attempts": 3}}


CONFIG: Token[BullConfig] = Token("config")
BullModule.for_root_async(use_class=BullConfig)
BullModule.register_queue_async("x", use_existing=CONFIG)
BullModule.register_queue_async("x", use_existing=BullConfig)


def queue_options(worker: EmailWorker) -> QueueOptions:
    return {"prefix": "p", "default_job_options": {"attempts": 3}, "streams": {"events": {"max_len": 10}}}


async def producer_options() -> FlowProducerOptions:
    return {"prefix": "p"}


@module(
    imports=[
        BullModule.for_root(queues=["email"], providers=[EmailListener]),
        BullModule.register_queue("email", "images", default_job_options={"attempts": 3}),
        BullModule.register_queue_async("sms", use_factory=queue_options),
        BullModule.register_flow_producer(),
        BullModule.register_flow_producer("orders", prefix="p"),
        BullModule.register_flow_producer_async("x", use_factory=producer_options),
    ],
    providers=[EmailWorker, ImageWorker],
)
class App: ...


async def main() -> None:
    async with await create_application(App) as app:
        assert_type(app.get(get_queue_token("email")), Queue[Any])
        assert_type(app.get(get_flow_producer_token()), FlowProducer)
        assert_type(app.get(EmailWorker).worker, Worker[Mail, int])


async def produce(queue: Queue[Mail], plain: Queue) -> None:
    job = await queue.add(
        "welcome",
        {"to": "you"},
        attempts=3,
        backoff={"type": "exponential", "delay": 60_000, "jitter": 0.5},
        delay=timedelta(seconds=5),
        priority=1,
        lifo=False,
        remove_on_complete=True,
        remove_on_fail={"age": 3_600, "count": 10},
        job_id="a",
        timestamp=1,
        timeout=5_000,
        expires=timedelta(hours=1),
        keep_logs=10,
        stack_trace_limit=3,
        size_limit=1_000,
        deduplication={"id": "a", "ttl": 1_000},
        parent={"id": "1", "queue": "bull:other"},
    )
    assert_type(job, Job[Mail])
    assert_type(job.data["to"], str)
    assert_type((await plain.add("x", group={"id": "acme", "weight": 2})).group, str | None)
    await plain.set_group_limits("acme", concurrency=2, rate={"max": 10, "duration": timedelta(seconds=1)})
    options: JobOptions = {"attempts": 3, "backoff": Backoff.fixed(1_000)}
    assert_type(await plain.add("x", 1, **options), Job[Any])
    assert_type(await queue.add_bulk([JobSpec("a", {"to": "you"}, priority=1)]), list[Job[Mail]])
    assert_type(await queue.get_job("1"), Job[Mail] | None)
    assert_type(await queue.get_waiting(), list[Job[Mail]])
    counts: Mapping[str, int] = await queue.get_job_counts("waiting")
    assert_type(counts["waiting"], int)
    assert_type(await job.wait_until_finished(ttl=timedelta(seconds=1)), Any)


class EmailJob(BaseModel):
    email: str


@dataclass
class Receipt:
    sent_to: str


@processor("typed")
class TypedWorker(WorkerHost[EmailJob, Receipt]):
    async def process(self, job: Job[EmailJob, Receipt]) -> Receipt:
        assert_type(job.data, EmailJob)
        assert_type(job.data.email, str)
        return Receipt(job.data.email)


@processor("said", data_type=EmailJob, result_type=Receipt)
class SaidWorker(WorkerHost):
    async def process(self, job: Job[EmailJob, Receipt]) -> Receipt:
        return Receipt(job.data.email)


BullModule.register_queue("typed", data_type=EmailJob, result_type=Receipt)


async def typed() -> None:
    queue = Queue("typed", connection="redis://", data_type=EmailJob, result_type=Receipt)
    assert_type(queue, Queue[EmailJob])
    job = await queue.add("x", EmailJob(email="a@b"))
    assert_type(job.data.email, str)

    async def handle(job: Job[EmailJob, Receipt]) -> Receipt:
        return Receipt(job.data.email)

    worker = Worker("typed", handle, connection="redis://", data_type=EmailJob, result_type=Receipt)
    assert_type(worker, Worker[EmailJob, Receipt])
    stub: Job[EmailJob, Receipt] = Job.stub(EmailJob(email="a@b"))
    assert_type(stub.data.email, str)
    assert_type(Queue("plain", connection="redis://"), Queue[Any])
    assert_type(Worker("plain", handle, connection="redis://"), Worker[Any, Any])


@catch(ValueError)
class Around:
    def can_activate(self, context: JobContext) -> bool:
        assert_type(context.job, Job[Any, Any])
        return context.get_class() is EmailWorker

    async def intercept(self, context: JobContext, call: CallHandler) -> Any:
        assert_type(context.get_class(), type[Any])
        return await call.handle()

    def can_add(self, context: AddContext) -> bool:
        assert_type(context.job.opts, dict[str, Any])
        return context.get_class() is None

    def catch(self, error: ValueError, context: JobContext) -> None: ...


@use_guards(Around)
@use_interceptors(Around())
@processor("around")
class AroundWorker(WorkerHost):
    @process("x")
    @use_filters(Around)
    async def x(self, job: Job) -> int:
        return 1


async def around(worker: AroundWorker, job: Job) -> None:
    assert_type(await worker.x(job), int)


provide(APP_GUARD, use_class=Around)
