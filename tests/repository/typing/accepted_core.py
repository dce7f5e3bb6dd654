"""Modules, providers and tokens need no cast; never run, but checked by mypy --strict and pyright."""

import json
from collections.abc import AsyncIterator, Hashable, Mapping
from typing import Annotated, Any, Protocol, assert_type

from dependency_injector.containers import DynamicContainer
from dependency_injector.providers import Provider, Singleton
from dependency_injector.wiring import Provide, inject

from bullworks.core import (
    AnyToken,
    Application,
    ContextKey,
    ContextStrategy,
    ForwardRef,
    Inject,
    Lazy,
    LazyModuleLoader,
    ModuleContainer,
    ModuleRef,
    Scope,
    Token,
    create_application,
    dynamic_module,
    injectable,
    module,
    provide,
)


class Queue: ...


class Clock(Protocol):
    def now(self) -> int: ...


class SystemClock:
    def now(self) -> int:
        return 0


QUEUE: Token[Queue] = Token("queue:email", attr="email_queue")
URL: Token[str] = Token("url")
CLOCK: Token[Clock] = Token("clock")


class MailService:
    async def send(self) -> None: ...


@injectable(scope=Scope.TRANSIENT)
class Draft: ...


@injectable()
class EmailWorker:
    def __init__(
        self,
        queue: Annotated[Queue, Inject(QUEUE)],
        lazily: Lazy[Queue],
        mail: MailService,
        modules: ModuleRef,
        clock: Annotated[Clock, Inject(CLOCK)],
        perhaps: Draft | None = None,
    ) -> None:
        assert_type(queue, Queue)
        assert_type(lazily(), Queue)
        assert_type(clock.now(), int)
        self.modules = modules

    async def look(self) -> None:
        assert_type(self.modules.get(EmailWorker), EmailWorker)
        assert_type(await self.modules.create(EmailWorker), EmailWorker)
        async with self.modules.request({URL: "redis://"}):
            assert_type(await self.modules.resolve(URL), str)


@injectable(scope=Scope.REQUEST, durable=True)
class Pool:
    def __init__(self, key: ContextKey) -> None:
        assert_type(key.value, Hashable)


class ByTenant(ContextStrategy):
    most_contexts = 10

    def key_of(self, values: Mapping[AnyToken, Any]) -> Hashable | None:
        return values.get(URL)


async def load(loader: LazyModuleLoader) -> None:
    modules = await loader.load(lambda: MailModule)
    assert_type(modules.get(MailService), MailService)
    assert_type(await loader.load(MailModule), ModuleRef)


async def open_url() -> AsyncIterator[str]:
    yield "redis://"


@module(providers=[MailService], exports=[MailService])
class MailModule: ...


@module(
    imports=[MailModule, ForwardRef(lambda: MailModule), dynamic_module(MailModule, is_global=True)],
    providers=[
        EmailWorker,
        Draft,
        provide(QUEUE, use_factory=Queue),
        provide(Queue, use_existing=QUEUE),
        provide(URL, use_factory=open_url),
        provide(CLOCK, use_class=SystemClock),
        provide(CLOCK, use_value=SystemClock()),
        provide(Clock, use_class=SystemClock),
        provide(URL, use_factory=lambda mail: "redis://", inject=[MailService]),
        provide(MailService, use_factory=lambda seed: MailService(), inject=[URL], scope=Scope.TRANSIENT),
        provide("from json", use_factory=json.loads, inject=["text"]),
        provide("a name", use_value=1, lazy=False),
        Singleton(MailService),
        provide(URL, use_provider=Singleton(str)),
        provide("mail", use_provider=Singleton(MailService)),
        provide(ContextStrategy, use_class=ByTenant),
        provide(QUEUE, use_factory=Queue, scope=Scope.REQUEST, durable=True),
        provide(MailService, use_class=MailService, scope=Scope.SINGLETON),
    ],
    exports=[EmailWorker, QUEUE, "a name", MailModule],
)
class App: ...


@inject
def handle(mail: MailService = Provide["mail_service"]) -> None:
    assert_type(mail, MailService)


async def main() -> None:
    application = create_application(App)
    assert_type(application, Application)
    async with await application as app:
        assert_type(app.enable_shutdown_hooks(), Application)
        assert_type(app.get(EmailWorker), EmailWorker)
        assert_type(app.get(EmailWorker, strict=True), EmailWorker)
        assert_type(app.get(QUEUE), Queue)
        assert_type(app.get("a name"), Any)
        assert_type(app.get(CLOCK).now(), int)
        assert_type(await app.resolve(EmailWorker), EmailWorker)
        assert_type(await app.resolve(QUEUE), Queue)
        assert_type(app.provider_of(MailService), Provider[MailService])
        assert_type(app.provider_of(QUEUE), Provider[Queue])
        assert_type(app.provider_of(MailService)(), MailService)
        assert_type(app.select(MailModule), ModuleContainer)
        assert_type(app.select(MailModule).get(MailService), MailService)
        assert_type(await app.wait_for_shutdown(), str | None)
        with app.container.mail_service.override(None):
            app.container.email_worker.reset_override()
    container: DynamicContainer = app.container
    container.wire(modules=[__name__])
