"""`config_key`: queues, flow producers and workers on further connections."""

from typing import Annotated, Any

import pytest

from bullworks.bullmq import FlowProducer, InvalidOptionError, Job, Queue
from bullworks.core import WiringError, create_application, module
from bullworks.workers import (
    BullModule,
    BullOptions,
    ConfigKeyError,
    InjectFlowProducer,
    InjectQueue,
    QueueEventsHost,
    RegisteredTwiceError,
    RootImportedTwiceError,
    WorkerHost,
    get_flow_producer_token,
    get_queue_token,
    on_queue_event,
    processor,
    queue_events_listener,
)
from tests.bullworks.waiting import eventually
from tests.bullworks.workers.test_processing import finished


@processor("report", config_key="reports")
class ReportWorker(WorkerHost):
    def __init__(self, emails: Annotated[Queue, InjectQueue("email")]) -> None:
        self.emails = emails

    async def process(self, job: Job) -> str:
        await self.emails.add("report", job.data)
        return "reported"


@queue_events_listener("report", config_key="reports")
class Heard(QueueEventsHost):
    def __init__(self) -> None:
        self.completed: list[str] = []

    @on_queue_event("completed")
    def on_completed(self, args: dict[str, Any]) -> None:
        self.completed.append(args["job_id"])


def an_app(*imports: Any, providers: Any = ()) -> Any:
    return create_application(module(imports=imports, providers=providers)(type("App", (), {})))


@pytest.fixture
def default(redis_url: str, key_prefix: str) -> Any:
    return BullModule.for_root(connection=redis_url, prefix=key_prefix)


@pytest.fixture
def elsewhere(redis_url: str) -> str:
    """Another database of the server."""
    return redis_url.removesuffix("/0") + "/1"


@pytest.fixture
def reports(elsewhere: str, key_prefix: str) -> Any:
    return BullModule.for_root(config_key="reports", connection=elsewhere, prefix=f"{key_prefix}-reports")


async def test_queues_workers_and_listeners_go_where_their_key_says(
    default: Any, reports: Any, elsewhere: str, key_prefix: str
) -> None:
    queues = [BullModule.register_queue("email"), BullModule.register_queue("report", config_key="reports")]
    async with an_app(default, reports, *queues, providers=[ReportWorker, Heard]) as app:
        report, email = app.get(get_queue_token("report")), app.get(get_queue_token("email"))
        assert (report.keys.prefix, email.keys.prefix) == (f"{key_prefix}-reports", key_prefix)
        assert report.connection is not email.connection
        job = await finished(await report.add("x", {"n": 1}))
        assert job.returnvalue == "reported"
        assert [each.data for each in await email.get_waiting()] == [{"n": 1}]
        await eventually(lambda: app.get(Heard).completed == [job.id], what="the event to be heard")
        async with Queue("report", connection=elsewhere, prefix=f"{key_prefix}-reports") as outside:
            assert (await outside.get_job_counts())["completed"] == 1


async def test_flow_producers_have_it_too(default: Any, reports: Any, key_prefix: str) -> None:
    class Planner:
        def __init__(self, flows: Annotated[FlowProducer, InjectFlowProducer("nightly")]) -> None:
            self.flows = flows

    producer = BullModule.register_flow_producer("nightly", config_key="reports")
    queue = BullModule.register_queue("report", config_key="reports")
    async with an_app(default, reports, producer, queue, providers=[Planner]) as app:
        await app.get(Planner).flows.add({"name": "x", "queue_name": "report", "data": {}})
        assert (await app.get(get_queue_token("report")).get_job_counts())["waiting"] == 1


async def test_options_of_functions_are_for_a_key_as_well(default: Any, elsewhere: str, key_prefix: str) -> None:
    root = BullModule.for_root_async(
        config_key="reports",
        use_factory=lambda: BullOptions(connection=elsewhere, prefix=f"{key_prefix}-r"),
        queues=("invoice",),
    )
    queue = BullModule.register_queue_async(
        "report", config_key="reports", use_factory=lambda: {"default_job_options": {"attempts": 3}}
    )
    producer = BullModule.register_flow_producer_async(config_key="reports", use_factory=dict)
    async with an_app(default, root, queue, producer) as app:
        queues = [app.get(get_queue_token(name)) for name in ("report", "invoice")]
        assert {queue.keys.prefix for queue in queues} == {f"{key_prefix}-r"}
        assert app.get(get_flow_producer_token()) is not None


async def test_a_key_without_a_root_says_which_to_import(default: Any) -> None:
    queue = BullModule.register_queue("report", config_key="reports")
    with pytest.raises(WiringError) as caught:
        await an_app(default, queue)
    assert (
        "Hint: did you mean workers:connection? "
        'Else import BullModule.for_root(config_key="reports", connection=...) in the root module.'
    ) in str(caught.value)


async def test_a_further_connection_alone_says_to_import_the_first(reports: Any) -> None:
    with pytest.raises(WiringError, match=r"Else import BullModule\.for_root\(\) in the root module\."):
        await an_app(reports)


async def test_a_processor_of_another_connection_than_its_queue_is_refused(default: Any, reports: Any) -> None:
    queues = [BullModule.register_queue("email"), BullModule.register_queue("report")]
    with pytest.raises(ConfigKeyError) as caught:
        await an_app(default, reports, *queues, providers=[ReportWorker])
    assert str(caught.value) == (
        "App > ReportWorker has config_key='reports', but the queue 'report' is registered with none. "
        'Give both the same: BullModule.register_queue("report", config_key="reports")'
    )


async def test_one_queue_on_two_connections_is_refused(default: Any, reports: Any) -> None:
    queues = [BullModule.register_queue("report", config_key=key) for key in (None, "reports")]
    with pytest.raises(RegisteredTwiceError, match="the queue 'report' is registered with different options"):
        await an_app(default, reports, *queues)


async def test_two_roots_of_one_key_are_refused(default: Any, reports: Any, elsewhere: str) -> None:
    other = BullModule.for_root(config_key="reports", connection=elsewhere)
    with pytest.raises(RootImportedTwiceError, match=r'for_root\(config_key="reports"\) is imported twice'):
        await an_app(default, reports, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "connection: must be given where there is a config_key"),
        ({"workers_enabled": False}, "workers_enabled: applies to the whole process"),
        ({"manual_registration": True}, "manual_registration: applies to the whole process"),
        ({"config_key": ""}, "config_key: must be a name such as 'reports', not ''"),
    ],
)
def test_options_that_do_not_go_with_a_key_are_refused(options: Any, message: str) -> None:
    connection = {"connection": "redis://127.0.0.1"} if options else {}
    with pytest.raises(InvalidOptionError, match=message):
        BullModule.for_root(**{"config_key": "reports", **connection, **options})


async def test_what_a_function_gives_for_a_key_is_checked(default: Any) -> None:
    root = BullModule.for_root_async(config_key="reports", use_factory=BullOptions)
    with pytest.raises(InvalidOptionError, match="must be given where there is a config_key"):
        await an_app(default, root, BullModule.register_queue("report", config_key="reports"))
