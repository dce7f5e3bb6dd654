"""Durable providers: one instance a tenant, over many requests, closed when there are too many or at the end."""

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from bullworks.core import (
    AnyToken,
    Application,
    ContextKey,
    ContextStrategy,
    Lazy,
    RequestError,
    Scope,
    Token,
    WiringError,
    create_application,
    dynamic_module,
    injectable,
    provide,
)

TENANT: Token[str] = Token("tenant")
LOG: list[str] = []


class ByTenant(ContextStrategy):
    most_contexts = 2

    def key_of(self, values: Mapping[AnyToken, Any]) -> Hashable | None:
        return values.get(TENANT)


@injectable(scope=Scope.REQUEST)
class Request: ...


@injectable(scope=Scope.REQUEST, durable=True)
class Pool:
    """Of a tenant."""

    def __init__(self, key: ContextKey) -> None:
        self.tenant = key.value
        LOG.append(f"open {self.tenant}")

    async def on_module_destroy(self) -> None:
        LOG.append(f"close {self.tenant}")


class Service:
    """Durable by what it needs."""

    def __init__(self, pool: Pool, cache: "Cache", request: Lazy[Request]) -> None:
        self.pool, self.cache, self.request = pool, cache, request


class Cache: ...


async def open_cache(pool: Pool) -> AsyncIterator[Cache]:
    await asyncio.sleep(0)
    LOG.append(f"cache {pool.tenant}")
    yield Cache()
    LOG.append(f"no cache {pool.tenant}")


class Controller:
    """One a request, as one of the things that it needs is."""

    def __init__(self, service: Service, request: Request) -> None:
        self.service, self.request = service, request


CACHE = provide(Cache, use_factory=open_cache, scope=Scope.REQUEST, durable=True)
STRATEGY = provide(ContextStrategy, use_class=ByTenant)
GIVEN = provide(TENANT, use_factory=lambda: "nobody", scope=Scope.REQUEST)


class App: ...


@pytest.fixture(autouse=True)
def log() -> Iterator[list[str]]:
    LOG.clear()
    yield LOG
    LOG.clear()


def app_of(*providers: Any) -> Application:
    return create_application(dynamic_module(App, providers=[GIVEN, Request, *providers]))


async def controller_of(app: Application, tenant: str | None) -> Controller:
    async with app.request({} if tenant is None else {TENANT: tenant}):
        return await app.resolve(Controller)


async def test_a_tenant_s_requests_share_what_is_durable_and_nothing_else(log: list[str]) -> None:
    async with app_of(STRATEGY, CACHE, Pool, Service, Controller) as app:
        first, again, other = [await controller_of(app, tenant) for tenant in ("acme", "acme", "globex")]
        assert first is not again
        assert first.request is not again.request
        assert first.service is again.service
        assert first.service.cache is again.service.cache
        assert other.service.pool is not first.service.pool
        assert log == ["open acme", "cache acme", "open globex", "cache globex"]
        async with app.request({TENANT: "acme"}):
            mine = first.service.request()
            assert mine is app.get(Request)
        log.clear()
    assert log == ["no cache acme", "close acme", "no cache globex", "close globex"]  # the last used first


async def test_requests_at_once_wait_for_one_instance(log: list[str]) -> None:
    async with app_of(STRATEGY, CACHE, Pool, Service, Controller) as app:
        found = await asyncio.gather(*(controller_of(app, "acme") for _ in range(5)))
        assert len({id(each.service) for each in found}) == 1
        assert log == ["open acme", "cache acme"]


async def test_of_too_many_contexts_the_one_unused_for_longest_is_closed(log: list[str]) -> None:
    async with app_of(STRATEGY, CACHE, Pool, Service, Controller) as app:
        async with app.request({TENANT: "a"}):
            kept = await app.resolve(Service)
            for tenant in ("b", "c", "b", "d"):
                await controller_of(app, tenant)
            # a is in use all the time
            assert [line for line in log if "close" in line] == ["close b", "close c", "close b"]
            assert kept is await app.resolve(Service)
        log.clear()
        await controller_of(app, "a")
        assert log == []


async def test_one_that_does_not_close_harms_no_request_and_is_told_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @injectable(scope=Scope.REQUEST, durable=True)
    class Stuck:
        async def on_module_destroy(self) -> None:
            raise RuntimeError("stuck")

    app = app_of(STRATEGY, Stuck)
    await app
    for tenant in ("a", "b", "c"):
        async with app.request({TENANT: tenant}):
            await app.resolve(Stuck)
    assert "the durable context 'a' did not close" in caplog.text
    with pytest.raises(ExceptionGroup) as caught:
        await app.close()
    assert sorted(error.__notes__[-1] for error in caught.value.exceptions) == [
        "while closing the durable context 'b'",
        "while closing the durable context 'c'",
    ]


async def test_without_a_key_what_is_durable_is_the_request_s_own() -> None:
    @injectable(scope=Scope.REQUEST, durable=True)
    class Plain: ...

    async with app_of(STRATEGY, Plain, Pool) as app:
        seen = []
        for _ in range(2):
            async with app.request():
                seen.append(await app.resolve(Plain))
                with pytest.raises(RequestError, match="the ContextStrategy gave no key"):
                    await app.resolve(Pool)
        assert seen[0] is not seen[1]


async def test_an_override_reaches_the_next_request() -> None:
    app = app_of(STRATEGY, CACHE, Pool, Service, Controller)
    assert await controller_of(app, "acme") is not None
    fake = SimpleNamespace(tenant="fake")
    with app.container.pool.override(fake):
        assert (await controller_of(app, "acme")).service.pool is fake  # type: ignore[comparison-overlap]
    assert (await controller_of(app, "acme")).service.pool.tenant == "acme"
    await app
    await app.close()


async def test_what_cannot_be_durable_is_an_error_at_the_start_with_what_to_do() -> None:
    @injectable(scope=Scope.TRANSIENT)
    class Draft:
        def __init__(self, request: Request) -> None: ...

    @injectable(scope=Scope.REQUEST, durable=True)
    class Store:
        def __init__(self, draft: Draft) -> None: ...

    with pytest.raises(WiringError) as caught:
        await app_of(Draft, Store)
    text = str(caught.value)
    assert (
        "1. Store of App is durable, but needs Request, which lives for one request only.\n"
        "  Hint: make Request durable too, or take it as Lazy[Request] and call that within the request; the context's "
        "key is injected as ContextKey.\n"
    ) in text
    assert (
        "2. Store of App is durable, and no module says of what.\n"
        "  Hint: provide(ContextStrategy, use_class=...) in one module, with a class whose key_of() returns "
    ) in text
    other = dynamic_module(type("Other", (), {}), providers=[STRATEGY])
    with pytest.raises(WiringError, match="several modules say of what: Other, App"):
        await create_application(dynamic_module(App, imports=[other], providers=[STRATEGY, Pool]))
    for wrong in (
        lambda: injectable(durable=True),
        lambda: provide("a", use_factory=Request, durable=True),
        lambda: provide(Service, use_class=Service, durable=True),
    ):
        with pytest.raises(TypeError, match=r"durable=True goes with scope=Scope\.REQUEST"):
            wrong()


async def test_while_something_durable_is_made_nothing_of_the_request_can_be_had() -> None:
    def make(request: Lazy[Request]) -> Any:
        return request()

    made = provide("made", use_factory=make, scope=Scope.REQUEST, durable=True)
    async with app_of(STRATEGY, made) as app, app.request({TENANT: "a"}):
        with pytest.raises(RequestError, match="Request lives no longer than its request"):
            await app.resolve("made")
