"""Which servers a testing module may use: those that its test, or the modules' code, named."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer
from bullworks.core import provide
from bullworks.locks import DistributedLockService
from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.testing import MemoryLocks, QueueHarness, Test, UnknownOverrideError
from bullworks.workers import BullModule, get_flow_producer_token, get_queue_token
from bullworks.workers.options import WorkersSetup
from bullworks.workers.tokens import CONNECTION, ENDPOINT, SETUP
from tests.bullworks.testing.shop import CART, Checkout, LineWorker, refused, shop

SETTINGS_URL = "redis://redis.example:6380/2"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer's `.env` might say."""
    monkeypatch.setenv("APP_ENV", "test")
    monkeypatch.setenv("QUEUE_REDIS_URL", SETTINGS_URL)


async def test_one_that_the_test_names_is_used(redis_url: str, key_prefix: str) -> None:
    orders = QueueHarness[Any]("orders")
    builder = Test.create_testing_module(
        imports=[BullModule.for_root(), BullModule.register_queue("lines"), BullModule.register_flow_producer()],
        providers=[Checkout, LineWorker],
    )
    async with await builder.use_harness(orders).use_redis(redis_url, prefix=key_prefix).compile() as ref:
        lines = ref.get(get_queue_token("lines"))
        job = await lines.add("pack", {"item": "tea"})
        assert await job.wait_until_finished() == {"packed": "tea"}
        assert lines.keys.prefix == key_prefix
        flows = ref.get(Checkout).flows
        node = await flows.add({"name": "pack", "queue_name": "lines", "data": {"item": "milk"}})
        assert await node.job.wait_until_finished() == {"packed": "milk"}
        (bulk,) = await flows.add_bulk([{"name": "pack", "queue_name": "lines", "data": {"item": "rice"}}])
        read = await flows.get_flow(bulk.job.id, "lines")
        assert read is not None
        assert read.job.data == {"item": "rice"}
        assert not isinstance(await ref.resolve(DistributedLockService), MemoryLocks)
    assert orders.jobs == []


async def test_one_that_for_root_names_in_code_counts_as_named(redis_url: str, key_prefix: str) -> None:
    ref = await shop(BullModule.for_root(connection=redis_url, prefix=key_prefix)).compile()
    await ref.get(Checkout).flows.add(CART)
    assert await ref.get(get_queue_token("lines")).get_waiting_count() == 2
    await ref.close()


async def test_one_that_a_function_is_asked_for_does_not(redis_url: str) -> None:
    async def ask() -> dict[str, Any]:
        return {"connection": redis_url}

    ref = await shop(BullModule.for_root_async(use_factory=ask)).compile()
    text = await refused(ref.get(Checkout).orders.add("x"))
    assert f"would connect to {redis_url} (from BullModule.for_root_async())" in text
    named = await shop(BullModule.for_root_async(use_factory=ask)).use_redis(redis_url, prefix="named").compile()
    assert named.get(CONNECTION).endpoint == Endpoint.of(redis_url)
    assert named.get(Checkout).orders.keys.prefix == "named"


async def test_a_further_connection_is_named_by_itself(redis_url: str, key_prefix: str) -> None:
    def reports(root: Any) -> Any:
        queue = BullModule.register_queue("reports", config_key="reports")
        return Test.create_testing_module(imports=[BullModule.for_root(), root, queue])

    async def ask() -> dict[str, Any]:
        return {"connection": SETTINGS_URL}

    in_code = BullModule.for_root(config_key="reports", connection=redis_url, prefix=key_prefix)
    ref = await reports(in_code).compile()
    assert await ref.get(get_queue_token("reports")).get_waiting_count() == 0
    await ref.close()
    asked = BullModule.for_root_async(config_key="reports", use_factory=ask)
    ref = await reports(asked).compile()
    assert "from BullModule.for_root_async()" in await refused(ref.get(get_queue_token("reports")).add("x"))
    ref = await reports(asked).use_redis(redis_url, prefix=key_prefix, config_key="reports").compile()
    assert await ref.get(get_queue_token("reports")).get_waiting_count() == 0
    await ref.close()


async def test_a_server_named_for_nobody_is_an_error(redis_url: str) -> None:
    with pytest.raises(UnknownOverrideError) as caught:
        await shop().use_redis(redis_url, config_key="reports").compile()
    assert str(caught.value) == (
        "use_redis(config_key='reports'): no module imports BullModule.for_root(config_key='reports'); there are: "
        "BullModule.for_root()"
    )
    with pytest.raises(UnknownOverrideError, match=r"use_redis\(\): no module imports .*; there are: none"):
        await Test.create_testing_module().use_redis(redis_url).compile()


async def test_an_override_of_setup_endpoint_or_connection_names_one(redis_url: str) -> None:
    endpoint = Endpoint.of(redis_url)
    for token, value in (
        (SETUP, WorkersSetup(server=endpoint)),
        (ENDPOINT, endpoint),
        (CONNECTION, connection_to(endpoint)),
    ):
        ref = await shop().override_provider(token).use_value(value).compile()
        assert await ref.get(CONNECTION).execute("PING") == b"PONG"
        assert ref.get(Checkout).orders.connection.endpoint == endpoint
        await ref.get(CONNECTION).close()
        await ref.close()


async def test_an_override_on_the_compiled_container_names_one(redis_url: str) -> None:
    ref = await Test.create_testing_module(imports=[BullModule.for_root()]).compile()
    with ref.container.redis_endpoint.override(Endpoint.of(redis_url)):
        assert await (await ref.resolve(CONNECTION)).execute("PING") == b"PONG"
        await (await ref.resolve(CONNECTION)).close()
    await ref.close()


@pytest.mark.parametrize("kind", ["async", "generator"])
async def test_a_flow_producer_of_the_modules_own_is_used_for_flows_without_a_harness(
    kind: str, redis_url: str, key_prefix: str
) -> None:
    def producer() -> FlowProducer:
        return FlowProducer(connection=redis_url, prefix=key_prefix)

    async def make() -> FlowProducer:
        return producer()

    async def make_and_close() -> AsyncIterator[FlowProducer]:
        made = producer()
        yield made
        await made.close()

    own = provide(get_flow_producer_token(), use_factory=make if kind == "async" else make_and_close)
    orders = QueueHarness[Any]("orders")
    builder = Test.create_testing_module(providers=[own, Checkout]).use_harness(orders)
    ref = await builder.compile()
    node = await ref.get(Checkout).flows.add({"name": "pack", "queue_name": "lines"})
    assert await node.job.get_state() == "waiting"
    if kind == "async":
        await ref.get(Checkout).flows.add({"name": "ship", "queue_name": "orders"})
        assert [job.name for job in orders.jobs] == ["ship"]
    await ref.get(Checkout).flows.close()
    await ref.close()
