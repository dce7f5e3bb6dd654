"""What is wrong is said at decoration or at the start, with what to do."""

from typing import Annotated, Any, Protocol
from unittest.mock import Mock

import pytest

from bullworks.bullmq import InvalidOptionError, Job, Queue
from bullworks.bullmq.flow_producer import FlowProducer
from bullworks.core import Lazy, Scope, WiringError, create_application, injectable, module, provide
from bullworks.redis import BadUrlError, ConnectError
from bullworks.settings import SettingsError
from bullworks.workers import (
    BullModule,
    HostScopeError,
    InjectFlowProducer,
    InjectQueue,
    ProcessorClassError,
    RegisteredTwiceError,
    RootImportedTwiceError,
    SameWorkerNameError,
    UnknownQueueError,
    UnknownWorkerError,
    UnknownWorkerEventError,
    WorkerHost,
    on_worker_event,
    processor,
)
from tests.bullworks.servers import free_port
from tests.bullworks.workers.test_processing import Sender


class Enqueues(Protocol):
    async def add(self, name: str) -> Any: ...


@processor("email")
class EmailWorker(WorkerHost):
    async def process(self, job: Job) -> None: ...


@processor("ticks")
class TickerWorker(WorkerHost):
    async def process(self, job: Job) -> None: ...


def test_a_processor_that_is_no_worker_host_is_refused() -> None:
    class Mailer:
        async def process(self, job: Job) -> None: ...

    with pytest.raises(ProcessorClassError) as caught:
        processor("email")(Mailer)
    assert str(caught.value) == (
        '@processor("email") on Mailer, which has no WorkerHost among its bases; write `class Mailer(WorkerHost):`'
    )


def test_a_processor_without_process_is_refused() -> None:
    class Mailer(WorkerHost): ...

    with pytest.raises(ProcessorClassError) as caught:
        processor("email")(Mailer)
    assert str(caught.value) == (
        '@processor("email") on Mailer, which has no process; write `async def process(self, job: Job) -> Any` in it, '
        'or such methods with @process("job-name")'
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurency": 5}, "did you mean concurrency"),
        ({"retries": 5}, r"retries: unknown option; attempts is an option of jobs: give it to queue\.add\(\), or in"),
        ({"backoff": 5}, "backoff: unknown option; backoff is an option of jobs"),
        ({"concurrency": 0}, "concurrency: must be a whole number >= 1"),
        ({"lock_duration": -1}, "lock_duration"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options: Any, message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        processor("email", **options)


@pytest.mark.parametrize("name", ["", "a:b"])
def test_a_queue_name_that_cannot_be_used_is_refused(name: str) -> None:
    for register in (processor, BullModule.register_queue):
        with pytest.raises(InvalidOptionError, match="queue name"):
            register(name)


@pytest.mark.parametrize(
    ("wanted", "how"),
    [
        (Queue, 'Annotated[Queue, InjectQueue("...")]'),
        (Queue[int], 'Annotated[Queue, InjectQueue("...")]'),
        (FlowProducer, "Annotated[FlowProducer, InjectFlowProducer()]"),
        (Job, "Annotated[Job, Inject(JOB)]"),
    ],
)
@pytest.mark.parametrize("are_there_queues", [True, False])
def test_a_parameter_without_its_mark_is_told_how_to_ask(wanted: Any, how: str, are_there_queues: bool) -> None:
    class Producer:
        def __init__(self, q: Any) -> None: ...

    Producer.__init__.__annotations__["q"] = wanted
    imports = [BullModule.for_root(queues=["email"])] if are_there_queues else []
    app = create_application(module(imports=imports, providers=[Producer])(type("App", (), {})))
    with pytest.raises(WiringError) as caught:
        app.container.check_dependencies()
    hint = f"  Hint: there may be several, each with a name; say which: `q: {how}`."
    assert str(caught.value).splitlines()[2] == hint


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Annotated[int, InjectQueue("email")], "it says int, and its mark gives a Queue"),
        (Annotated[FlowProducer | None, InjectQueue("email")], "it says FlowProducer, and its mark gives a Queue"),
        (Annotated[Queue, InjectFlowProducer()], "it says Queue, and its mark gives a FlowProducer"),
    ],
)
def test_a_mark_on_a_parameter_of_another_class_is_refused(annotation: Any, said: str) -> None:
    class Producer:
        def __init__(self, q: Any) -> None: ...

    Producer.__init__.__annotations__["q"] = annotation
    imports = [BullModule.for_root(queues=["email"]), BullModule.register_flow_producer()]
    app = create_application(module(imports=imports, providers=[Producer])(type("App", (), {})))
    with pytest.raises(WiringError, match=f"the annotation of `q` can't be read: {said}"):
        app.container.check_dependencies()


@pytest.mark.parametrize("annotation", [Queue, Queue[int], Any, object, Lazy[Queue], Enqueues, Queue | None])
async def test_a_mark_goes_with_what_a_queue_may_be(annotation: Any) -> None:
    class Producer:
        def __init__(self, q: Any) -> None: ...

    Producer.__init__.__annotations__["q"] = Annotated[annotation, InjectQueue("email")]
    root = BullModule.for_root(queues=["email"], providers=[Producer])
    create_application(root).container.check_dependencies()


def test_an_unknown_worker_event_is_refused_with_the_near_name() -> None:
    with pytest.raises(UnknownWorkerEventError, match="no such event; did you mean 'completed'"):
        on_worker_event("complete")
    with pytest.raises(UnknownWorkerEventError, match="there are: active, closed, closing"):
        on_worker_event("xyz")


async def test_a_queue_that_nobody_registered_is_named_with_the_known_ones(run: Any) -> None:
    @processor("emial")
    class Misspelt(WorkerHost):
        async def process(self, job: Job) -> None: ...

    with pytest.raises(UnknownQueueError) as caught:
        await run(Misspelt, queues=("email", "sms"))
    assert str(caught.value) == (
        "BullModule > Misspelt processes the queue 'emial', which no module registers. Did you mean 'email'? "
        'Registered: email, sms. Add BullModule.register_queue("emial") to imports, '
        'or queues=("emial",) to for_root().'
    )


async def test_an_unknown_name_in_enabled_workers_lists_the_known_ones(run: Any) -> None:
    with pytest.raises(UnknownWorkerError) as caught:
        await run(EmailWorker, TickerWorker, queues=("email", "ticks"), enabled_workers="email,candles")
    assert str(caught.value) == "ENABLED_WORKERS names the unknown worker candles. Workers: email, ticker"


async def test_two_workers_of_one_name_are_refused(run: Any) -> None:
    @processor("sms", worker_name="email")
    class SmsWorker(WorkerHost):
        async def process(self, job: Job) -> None: ...

    with pytest.raises(SameWorkerNameError, match="EmailWorker and BullModule > SmsWorker are both the worker 'ema"):
        await run(EmailWorker, SmsWorker, queues=("email", "sms"))


async def test_a_class_in_two_modules_is_two_workers_of_one_name(redis_url: str) -> None:
    first = module(imports=[BullModule.register_queue("email")], providers=[EmailWorker])(type("First", (), {}))
    second = module(providers=[EmailWorker])(type("Second", (), {}))
    root = module(imports=[BullModule.for_root(connection=redis_url), first, second])(type("App", (), {}))
    with pytest.raises(SameWorkerNameError, match="App > First > EmailWorker and App > Second > EmailWorker"):
        await create_application(root)


async def test_a_queue_registered_with_different_options_is_refused(redis_url: str) -> None:
    plain = BullModule.register_queue("email")
    retrying = BullModule.register_queue("email", default_job_options={"attempts": 3})
    root = module(imports=[BullModule.for_root(connection=redis_url), plain, retrying])(type("App", (), {}))
    with pytest.raises(RegisteredTwiceError, match="the queue 'email' is registered with different options"):
        await create_application(root)


async def test_two_different_roots_are_refused(redis_url: str) -> None:
    feature = module(imports=[BullModule.for_root(connection=redis_url, prefix="other")])(type("Feature", (), {}))
    root = module(imports=[BullModule.for_root(connection=redis_url), feature])(type("App", (), {}))
    with pytest.raises(RootImportedTwiceError, match="App > BullModule and App > Feature > BullModule"):
        await create_application(root)


async def test_two_roots_that_say_the_same_are_one(redis_url: str, key_prefix: str) -> None:
    def for_root() -> Any:
        return BullModule.for_root(connection=redis_url, prefix=key_prefix)

    feature = module(imports=[for_root(), BullModule.register_queue("email")], providers=[EmailWorker])
    root = module(imports=[for_root(), feature(type("Feature", (), {}))])(type("App", (), {}))
    async with create_application(root) as app:
        assert app.get(EmailWorker).worker.is_running


@pytest.mark.parametrize(
    ("how", "what"), [(injectable(scope=Scope.TRANSIENT), "TRANSIENT-scoped"), (injectable(lazy=True), "lazy")]
)
async def test_a_processor_that_is_not_built_at_the_start_is_refused(run: Any, how: Any, what: str) -> None:
    @how
    @processor("email")
    class Worker(WorkerHost):
        async def process(self, job: Job) -> None: ...

    with pytest.raises(HostScopeError) as caught:
        await run(Worker)
    assert str(caught.value) == (
        f"BullModule > Worker is {what}; a processor is a singleton that is built at the start, "
        "or REQUEST-scoped: one for each job"
    )


def test_one_name_where_several_belong_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match=r"queues: takes several names, as in queues=\('email',\)"):
        BullModule.for_root(queues="email")


async def test_what_only_a_factory_knows_is_told_once_it_has_run(run: Any) -> None:
    made = provide("worker", use_factory=TickerWorker)
    with pytest.raises(UnknownQueueError, match=r"'worker' processes the queue 'ticks', which no module registers"):
        await run(made)
    with pytest.raises(ExceptionGroup, match="the workers cannot start") as caught:
        await run(made, provide("other", use_factory=TickerWorker), queues=())
    assert [type(error) for error in caught.value.exceptions] == [
        UnknownQueueError,
        UnknownQueueError,
        SameWorkerNameError,
    ]


async def test_mistakes_are_told_before_anything_is_built(run: Any) -> None:
    built = []

    class Pool:
        def __init__(self) -> None:
            built.append(self)

    with pytest.raises(UnknownQueueError):
        await run(TickerWorker, Pool)
    assert built == []


async def test_settings_that_cannot_be_used_are_told_beside_the_rest(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS_ENABLED", "perhaps")
    with pytest.raises(ExceptionGroup) as caught:
        await run(TickerWorker, connection=None)
    assert [type(error) for error in caught.value.exceptions] == [SettingsError, UnknownQueueError]


async def test_a_second_name_for_a_processor_is_no_second_worker(run: Any) -> None:
    async with run(EmailWorker, provide("mailer", use_existing=EmailWorker)) as app:
        assert app.get("mailer").worker.is_running


async def test_several_problems_come_at_once(run: Any) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await run(EmailWorker, TickerWorker, enabled_workers=("candles",))
    assert {type(error) for error in caught.value.exceptions} == {UnknownQueueError, UnknownWorkerError}


def test_a_queue_that_is_injected_and_not_registered_says_how_to_register_it() -> None:
    root = module(imports=[BullModule.for_root(connection="redis://127.0.0.1")], providers=[Sender])
    with pytest.raises(WiringError, match=r'add BullModule\.register_queue\("email"\) to imports'):
        create_application(root(type("App", (), {}))).container.check_dependencies()


def test_a_registered_queue_without_a_root_says_to_import_one() -> None:
    root = module(imports=[BullModule.register_queue("email")], providers=[Sender])(type("App", (), {}))
    with pytest.raises(WiringError, match=r"import BullModule.for_root\(\) in the root module"):
        create_application(root).container.check_dependencies()


async def test_redis_out_of_reach_fails_the_start_and_names_the_address(run: Any) -> None:
    port = free_port()
    with pytest.raises(ConnectError, match=f"127.0.0.1:{port}") as caught:
        await run(EmailWorker, connection=f"redis://user:secret-word@127.0.0.1:{port}/0")
    assert "secret-word" not in "".join([str(caught.value), *caught.value.__notes__])


async def test_a_url_that_cannot_be_used_fails_the_start(run: Any) -> None:
    with pytest.raises(BadUrlError):
        await run(EmailWorker, connection="http://127.0.0.1")


async def test_a_mock_in_a_processor_s_place_is_no_worker(run: Any) -> None:
    async with run(provide(EmailWorker, use_value=Mock(spec=EmailWorker)), provide("x", use_value=1)) as app:
        assert not hasattr(type(app.get(EmailWorker)), "worker")
