"""A testing module reaches no server that its test did not name: what would connect to one says who it is."""

from typing import Annotated, Any

import pytest
import redis.asyncio

from app.app_module import AppModule
from app.modules.ticker import TickerService
from app.modules.users import UserService
from bullworks.bullmq import Queue
from bullworks.core import Inject, provide
from bullworks.health import Readiness
from bullworks.locks import DistributedLockService
from bullworks.testing import MemoryLocks, NoHarnessError, QueueHarness, Test, TestingModule, UnnamedServerError
from bullworks.workers import BullModule, get_flow_producer_token, get_queue_token
from bullworks.workers.history import RedisHistory
from bullworks.workers.tokens import CONNECTION, ENDPOINT
from tests.bullworks.testing.shop import CART, Checkout, refused, shop

SETTINGS_URL = "redis://user:secret@redis.example:6380/2"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer's `.env` might say."""
    monkeypatch.setenv("APP_ENV", "test")
    monkeypatch.setenv("QUEUE_REDIS_URL", SETTINGS_URL)


async def test_a_queue_that_is_not_replaced_says_which_it_is_and_what_to_do() -> None:
    ref = await Test.create_testing_module(imports=[AppModule]).compile()
    assert await refused(ref.get(UserService).send_welcome_email("user@example.com")) == (
        "the queue 'email' of UserService would connect to redis://user:***@redis.example:6380/2 (from the "
        "settings, QUEUE_REDIS_URL), which this test did not name. In the test, put what it is for on a harness, "
        '.use_harness(QueueHarness("email")); or override it, .override_provider(get_queue_token("email")); or '
        "name a server that it may use, .use_redis(bull_redis.url)"
    )


async def test_the_embedded_server_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", "")
    ref = await shop().compile()
    assert "would connect to the embedded server in " in await refused(ref.get(Checkout).orders.add("x"))


async def test_workers_that_would_start_on_it_are_refused_too() -> None:
    ref = await shop().use_harness(QueueHarness("orders")).compile()
    assert (await refused(ref.init())).startswith("the queue 'lines' would connect")


async def test_the_whole_service_starts_and_stops_with_its_queues_on_harnesses() -> None:
    builder = Test.create_testing_module(imports=[AppModule])
    for name in ("email", "ticker", "candles", "sync"):
        builder = builder.use_harness(QueueHarness(name))
    async with await builder.compile() as ref:
        assert await ref.get(Readiness).problems() == []


async def test_they_land_in_the_harnesses() -> None:
    orders, lines = QueueHarness[Any]("orders"), QueueHarness[Any]("lines")
    async with await shop().use_harness(orders).use_harness(lines).compile() as ref:
        node = await ref.get(Checkout).flows.add(CART)
        await ref.harnesses.drain()
    assert orders.jobs[0].returnvalue == ["milk", "tea"]
    assert [job.parent_key for job in lines.jobs] == [f"bull:orders:{node.job.id}"] * 2


async def test_nothing_reaches_the_server_of_the_settings(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", "never-written")
    orders, lines = QueueHarness[Any]("orders"), QueueHarness[Any]("lines")
    ref = await shop().use_harness(orders).use_harness(lines).compile()
    await ref.get(Checkout).flows.add_bulk([CART, CART])
    assert (len(orders.jobs), len(lines.jobs)) == (2, 4)
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert [key async for key in client.scan_iter(match="never-written*")] == []


async def test_without_harnesses_they_say_whose_they_are_and_for_which_queues() -> None:
    ref = await shop().compile()
    text = await refused(ref.get(Checkout).flows.add(CART))
    assert text.startswith("the FlowProducer of Checkout would connect to redis://user:***@redis.example:6380/2")
    assert '.use_harness(QueueHarness("orders")).use_harness(QueueHarness("lines"))' in text
    assert ".override_provider(get_flow_producer_token())" in text
    assert "the queue 'orders'" in await refused(ref.get(Checkout).flows.get_flow("1", "orders"))


async def test_with_a_harness_for_some_of_its_queues_a_flow_is_refused_whole() -> None:
    orders = QueueHarness[Any]("orders")
    ref = await shop().use_harness(orders).compile()
    with pytest.raises(NoHarnessError, match="the queue 'lines', which has no harness; there is one for 'orders'"):
        await ref.get(Checkout).flows.add(CART)
    assert orders.jobs == []


async def test_where_nobody_registers_a_flow_producer_harnesses_are_enough() -> None:
    orders, lines = QueueHarness[Any]("orders"), QueueHarness[Any]("lines")
    builder = Test.create_testing_module(providers=[Checkout]).use_mocker().use_harness(orders).use_harness(lines)
    ref = await builder.compile()
    await ref.get(Checkout).flows.add(CART)
    assert (orders.counts, lines.counts) == ({"waiting-children": 1}, {"waiting": 2})


async def test_an_override_goes_before_the_harnesses() -> None:
    orders, lines = QueueHarness[Any]("orders"), QueueHarness[Any]("lines")
    builder = shop().use_harness(orders).use_harness(lines)
    ref = await builder.override_provider(get_flow_producer_token()).use_value("mine").compile()
    assert ref.get(Checkout).flows == "mine"
    replaced = shop().use_harness(orders).use_harness(lines)
    ref = await replaced.override_provider(get_queue_token("lines")).use_value("mine").compile()
    with pytest.raises(NoHarnessError, match="'lines'"):
        await ref.get(Checkout).flows.add(CART)


async def test_whoever_uses_the_connection_is_named() -> None:
    ref = await Test.create_testing_module(imports=[AppModule]).compile()
    text = await refused(ref.get(TickerService).get_all())
    assert text.startswith("CandleStore or SnapshotStore or TickerStore (HGETALL) would connect to")
    text = await refused((await ref.resolve(RedisHistory)).ever(["email"]))
    assert "RedisHistory" in text


async def test_the_endpoint_itself_refuses_whatever_would_open_a_connection() -> None:
    ref = await Test.create_testing_module(imports=[BullModule.for_root()]).compile()
    endpoint = await ref.resolve(ENDPOINT)
    for call in (endpoint.open, endpoint.locate, endpoint.primaries):
        assert "whatever uses the connection would connect" in await refused(call())
    for make in (endpoint.client, endpoint.sync_client):
        with pytest.raises(UnnamedServerError):
            make()
    assert repr(endpoint) == "Endpoint(no server (the test named none))"


async def test_one_provider_alone_is_advised_to_be_overridden() -> None:
    class Store:
        def __init__(self, connection: Annotated[Any, Inject(CONNECTION)]) -> None:
            self.connection = connection

    ref = await Test.create_testing_module(imports=[BullModule.for_root()], providers=[Store]).compile()
    text = await refused(ref.get(Store).connection.together(("GET", "a")))
    assert text.startswith("Store would connect to")
    assert "override that, .override_provider(Store)" in text
    with pytest.raises(UnnamedServerError, match=r"^Store \(GET\) would"):
        ref.get(Store).connection.send("GET", "a")


async def test_they_are_kept_in_memory() -> None:
    async with await Test.create_testing_module(imports=[BullModule.for_root()]).compile() as ref:
        locks = await ref.resolve(DistributedLockService)
        assert isinstance(locks, MemoryLocks)
        async with locks.hold("sync", 60_000) as lock:
            assert await locks.acquire("sync", 60_000) is None
        again = await locks.acquire("sync", 60_000)
        assert again is not None
        assert again.fence > lock.fence
        await again.release()


async def test_modules_have_locks_of_their_own() -> None:
    one, other = [await Test.create_testing_module(imports=[BullModule.for_root()]).compile() for _ in range(2)]
    lock = await (await one.resolve(DistributedLockService)).acquire("sync", 60_000)
    assert lock is not None
    assert not await (await other.resolve(DistributedLockService)).is_locked("sync")
    await lock.release()


async def test_what_connects_by_itself_is_not_touched(redis_url: str, key_prefix: str) -> None:
    def own() -> Queue[Any]:
        return Queue("own", connection=redis_url, prefix=key_prefix)

    ref: TestingModule = await Test.create_testing_module(providers=[provide("own", use_factory=own)]).compile()
    queue = ref.get("own")
    assert await queue.get_waiting_count() == 0
    await queue.close()
