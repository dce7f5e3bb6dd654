"""Queues and flow producers as modules: with options from a function, and flow producers at all."""

import asyncio
from typing import Annotated, Any
from unittest.mock import Mock

import pytest

from bullworks.bullmq import InvalidOptionError, Job
from bullworks.bullmq.flow_producer import FlowProducer
from bullworks.core import LazyModuleLoader, WiringError, create_application, module, provide
from bullworks.schedule import LateJobError, cron
from bullworks.workers import (
    BullModule,
    FlowProducerOptions,
    InjectFlowProducer,
    LateHostError,
    QueueOptions,
    RegisteredTwiceError,
    WorkerHost,
    get_flow_producer_token,
    get_queue_token,
    processor,
)
from bullworks.workers.tokens import CONNECTION
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.test_processing import finished


class Config:
    attempts = 4
    prefix = "own"


@module(providers=[Config], exports=[Config])
class ConfigModule: ...


class Shop:
    def __init__(self, flows: Annotated[FlowProducer, InjectFlowProducer()]) -> None:
        self.flows = flows


def app_of(*imports: Any) -> Any:
    return module(imports=imports)(type("App", (), {}))


async def test_options_of_a_queue_come_from_a_function_async_or_not(redis_url: str, key_prefix: str) -> None:
    async def slowly(config: Config) -> QueueOptions:
        await asyncio.sleep(0)
        return {"prefix": f"{key_prefix}{config.prefix}", "default_job_options": {"attempts": config.attempts}}

    def at_once() -> QueueOptions:
        return {}

    imports = (
        BullModule.for_root(connection=redis_url, prefix=key_prefix),
        BullModule.register_queue_async("email", use_factory=slowly, imports=[ConfigModule]),
        BullModule.register_queue_async("email", use_factory=slowly, imports=[ConfigModule]),
        BullModule.register_queue_async("sms", use_factory=at_once),
    )
    async with create_application(app_of(*imports)) as app:
        assert (await queue_of(app).add("x")).opts.attempts == 4
        assert queue_of(app).keys.prefix == f"{key_prefix}own"
        assert queue_of(app, "sms").keys.prefix == key_prefix
        assert queue_of(app, "sms").connection is queue_of(app).connection


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prefx": "a"}, "did you mean prefix"),
        ({"attempts": 3}, "attempts is an option of jobs"),
        (None, "must be QueueOptions"),
    ],
)
async def test_options_that_a_function_gives_are_checked(redis_url: str, options: Any, message: str) -> None:
    queue = BullModule.register_queue_async("email", use_factory=lambda: options)
    with pytest.raises(InvalidOptionError, match=message):
        await create_application(app_of(BullModule.for_root(connection=redis_url), queue))


def test_options_of_a_queue_are_checked_at_once() -> None:
    for options in (
        {"prefx": "a"},
        {"streams": {"events": {"max_len": -1}}},
        {"default_job_options": {"attempts": -1}},
    ):
        with pytest.raises(InvalidOptionError):
            BullModule.register_queue("email", **options)  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="queue name"):
        BullModule.register_queue_async("a:b", use_factory=dict)


async def test_a_queue_keeps_as_many_events_as_it_is_registered_with(redis_url: str, key_prefix: str) -> None:
    queue = BullModule.register_queue("email", streams={"events": {"max_len": 10}})
    root = BullModule.for_root(connection=redis_url, prefix=key_prefix)
    async with create_application(app_of(root, queue)) as app:
        await queue_of(app).add("x")
        stored = await queue_of(app).connection.execute("HGET", queue_of(app).keys.of("meta"), "opts.maxLenEvents")
        assert stored == b"10"


async def test_a_flow_producer_adds_flows_over_the_shared_connection(redis_url: str, key_prefix: str) -> None:
    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> Any:
            return job.data if job.name == "child" else await job.get_children_values()

    root = BullModule.for_root(
        connection=redis_url, prefix=key_prefix, queues=("email",), providers=[EmailWorker, Shop],
        imports=[BullModule.register_flow_producer()],
    )  # fmt: skip
    async with create_application(root) as app:
        flows = app.get(Shop).flows
        assert flows is app.get(get_flow_producer_token())
        assert flows.connection is await app.resolve(CONNECTION)
        child = {"name": "child", "queue_name": "email", "data": 7}
        node = await flows.add({"name": "parent", "queue_name": "email", "children": [child]})  # type: ignore[list-item]
        assert list((await finished(node.job)).returnvalue.values()) == [7]


async def test_flow_producers_have_names_and_prefixes_and_are_one_object_each(redis_url: str, key_prefix: str) -> None:
    def options(config: Config) -> FlowProducerOptions:
        return {"prefix": config.prefix}

    imports = (
        BullModule.for_root(connection=redis_url, prefix=key_prefix),
        BullModule.register_flow_producer(),
        BullModule.register_flow_producer(prefix=None),
        BullModule.register_flow_producer("orders", prefix="p"),
        BullModule.register_flow_producer_async("async", use_factory=options, imports=[ConfigModule]),
    )
    async with create_application(app_of(*imports)) as app:
        prefixes = [app.get(get_flow_producer_token(*name)).prefix for name in ((), ("orders",), ("async",))]
        assert prefixes == [key_prefix, "p", "own"]
        assert app.container.orders_flow_producer().prefix == "p"


async def test_flow_producers_are_closed_before_the_last_hook_and_a_user_s_own_is_not(redis_url: str) -> None:
    closed: list[str] = []

    class Closing(FlowProducer):
        async def close(self) -> None:
            closed.append(self.prefix)
            await super().close()

    class Last:
        def before_application_shutdown(self) -> None:
            closed.append("before")

        def on_application_shutdown(self) -> None:
            closed.append("after")

    own = Closing(connection=redis_url, prefix="users")
    providers = [
        provide(get_flow_producer_token("a"), use_factory=lambda: Closing(connection=redis_url, prefix="made")),
        provide(get_flow_producer_token("b"), use_value=own),
        Last,
    ]
    async with create_application(BullModule.for_root(connection=redis_url, providers=providers)):
        pass
    assert closed == ["before", "made", "after"]
    await own.close()


async def test_a_flow_producer_registered_with_different_options_is_refused(redis_url: str) -> None:
    first, second = (BullModule.register_flow_producer(prefix=prefix) for prefix in ("a", "b"))
    with pytest.raises(RegisteredTwiceError, match="the flow producer 'default' is registered with different options"):
        await create_application(app_of(BullModule.for_root(connection=redis_url), first, second))


@pytest.mark.parametrize("options", [{"prefx": "a"}, {"prefix": 7}])
def test_an_option_of_a_flow_producer_that_cannot_be_used_is_refused(options: Any) -> None:
    with pytest.raises(InvalidOptionError):
        BullModule.register_flow_producer(**options)


async def test_what_a_function_gives_for_a_flow_producer_is_checked(redis_url: str) -> None:
    producer = BullModule.register_flow_producer_async(use_factory=lambda: "own")
    with pytest.raises(InvalidOptionError, match="must be FlowProducerOptions, a dict, not 'own'"):
        await create_application(app_of(BullModule.for_root(connection=redis_url), producer))


async def test_a_flow_producer_is_replaced_in_a_test_and_needs_no_redis(no_network: None) -> None:
    fake = Mock(spec=FlowProducer)
    root = BullModule.for_root(
        connection="redis://127.0.0.1:1", imports=[BullModule.register_flow_producer()], providers=[Shop]
    )
    app = create_application(root)
    app.container.flow_producer.override(fake)
    async with app:
        assert app.get(Shop).flows is fake
    fake.close.assert_not_called()


def test_a_flow_producer_that_is_not_registered_says_how_to_register_it() -> None:
    root = module(imports=[BullModule.for_root(connection="redis://127.0.0.1")], providers=[Shop])
    with pytest.raises(WiringError, match=r"add BullModule\.register_flow_producer\(\) to imports"):
        create_application(root(type("App", (), {}))).container.check_dependencies()
    assert get_flow_producer_token("orders").hint == ('add BullModule.register_flow_producer(name="orders") to imports')
    assert get_queue_token("email").queue_name == "email"


async def test_a_module_that_is_loaded_later_has_queues_and_no_processors(redis_url: str, key_prefix: str) -> None:
    @processor("later")
    class LateWorker(WorkerHost):
        async def process(self, job: Job) -> None: ...

    class LateTicker:
        @cron("0 0 * * *")
        def tick(self) -> None: ...

    @module(imports=[BullModule.register_queue("later")])
    class LateModule: ...

    @module(imports=[LateModule], providers=[LateWorker, LateTicker])
    class LateWorkers: ...

    class Api:
        def __init__(self, loader: LazyModuleLoader) -> None:
            self.loader = loader

    root = BullModule.for_root(connection=redis_url, prefix=key_prefix, providers=[Api])
    async with create_application(app_of(root)) as app:
        loader = app.get(Api).loader
        with pytest.raises(ExceptionGroup) as caught:
            await loader.load(LateWorkers)
        assert [type(error) for error in caught.value.exceptions] == [LateJobError, LateHostError]
        assert str(caught.value.exceptions[1]).startswith(
            "LateWorkers > LateWorker is in a module that LazyModuleLoader"
        )
        modules = await loader.load(LateModule)
        queue = modules.get(get_queue_token("later"))
        assert (await queue.add("x")).id == "1"
