"""dependency-injector containers of one's own, in imports."""

import asyncio
from typing import Annotated, Any

import pytest
from dependency_injector import containers, providers

from bullworks.core import (
    AsyncFactoryError,
    Inject,
    Scope,
    WiringError,
    create_application,
    dynamic_module,
    module,
    provide,
)


class App: ...


class MailService:
    def __init__(self, smtp: str) -> None:
        self.smtp = smtp


class EmailWorker:
    def __init__(self, mail: MailService, smtp: Annotated[str, Inject("smtp")]) -> None:
        self.mail, self.smtp = mail, smtp


class Infrastructure(containers.DeclarativeContainer):
    smtp = providers.Object("smtp://")
    mail_service = providers.Singleton(MailService, smtp=smtp)


async def test_its_providers_are_injected_by_class_and_by_name() -> None:
    infrastructure = Infrastructure()
    async with create_application(dynamic_module(App, imports=[infrastructure], providers=[EmailWorker])) as app:
        assert app.get(EmailWorker).mail is infrastructure.mail_service()
        assert app.get(EmailWorker).smtp == "smtp://"
        assert app.container.infrastructure.mail_service() is infrastructure.mail_service()


async def test_a_dynamic_container_works_too() -> None:
    infrastructure = containers.DynamicContainer()
    infrastructure.smtp = providers.Object("smtp://")
    infrastructure.mail = providers.Singleton(MailService, smtp=infrastructure.smtp)
    async with create_application(dynamic_module(App, imports=[infrastructure], providers=[EmailWorker])) as app:
        assert app.get(MailService) is infrastructure.mail()


def test_an_override_in_it_reaches_consumers_and_an_override_here_stays_here() -> None:
    infrastructure = Infrastructure()
    container = dynamic_module(App, imports=[infrastructure], providers=[EmailWorker])
    with infrastructure.smtp.override("other"):
        assert container.email_worker().mail.smtp == "other"
    container.mail_service.override("mock")
    assert container.email_worker().mail == "mock"
    assert isinstance(infrastructure.mail_service(), MailService)


def test_two_providers_of_one_class_are_known_by_name_only() -> None:
    class Two(containers.DeclarativeContainer):
        smtp = providers.Object("smtp://")
        first = providers.Singleton(MailService, smtp=smtp)
        second = providers.Singleton(MailService, smtp=smtp)

    container = dynamic_module(App, imports=[Two()], providers=[EmailWorker])
    with pytest.raises(WiringError, match="`mail: MailService`"):
        container.build()
    assert container.get("first") is not container.get("second")


async def test_its_async_resources_are_awaited_and_left_to_their_owner() -> None:
    log = []

    async def connect() -> Any:
        log.append("open")
        yield "connection"
        log.append("close")

    class Async(containers.DeclarativeContainer):
        connection = providers.Resource(connect)

    class Client:
        def __init__(self, connection: Annotated[str, Inject("connection")]) -> None:
            self.connection = connection

    own = Async()
    async with create_application(dynamic_module(App, imports=[own], providers=[Client])) as app:
        assert app.get(Client).connection == "connection"
        assert await own.connection() == "connection"
    assert log == ["open"]
    shutting_down = own.shutdown_resources()
    assert shutting_down is not None
    await shutting_down
    assert log == ["open", "close"]


async def test_only_what_is_needed_of_it_is_built() -> None:
    class Big(containers.DeclarativeContainer):
        smtp = providers.Object("smtp://")
        mail_service = providers.Singleton(MailService, smtp=smtp)
        explosive = providers.Singleton(lambda: 1 / 0)

    async with create_application(dynamic_module(App, imports=[Big()], providers=[EmailWorker])) as app:
        assert app.get(EmailWorker).smtp == "smtp://"


async def test_it_can_be_handed_on_to_importers() -> None:
    infrastructure = Infrastructure()

    @module(imports=[infrastructure], exports=[infrastructure])
    class Shared: ...

    async with create_application(dynamic_module(App, imports=[Shared], providers=[EmailWorker])) as app:
        assert app.get(EmailWorker).mail is infrastructure.mail_service()


def test_a_container_class_is_no_module() -> None:
    with pytest.raises(WiringError, match="import an instance of the container, not its class"):
        dynamic_module(App, imports=[Infrastructure])


async def test_imported_in_several_modules_it_is_one_module() -> None:
    infrastructure = Infrastructure()
    first = module(imports=[infrastructure], providers=[EmailWorker])(type("First", (), {}))
    second = module(imports=[infrastructure, first])(type("Second", (), {}))
    async with create_application(second) as app:
        assert app.get(MailService) is app.get(EmailWorker).mail


def test_what_it_has_to_be_awaited_for_is_refused_by_get() -> None:
    async def connect() -> str:
        return "connection"

    class Async(containers.DeclarativeContainer):
        connection = providers.Resource(connect)

    async def ask() -> None:
        container = dynamic_module(App, imports=[Async()])
        with pytest.raises(AsyncFactoryError, match="'connection' has an async factory"):
            container.get("connection")
        assert await container.resolve("connection") == "connection"

    asyncio.run(ask())


async def test_every_kind_of_provider_can_be_asked_for_by_its_name() -> None:
    class Gateways(containers.DeclarativeContainer):
        config = providers.Configuration()
        mail = providers.Singleton(MailService, config.url)

    class Own(containers.DeclarativeContainer):
        config = providers.Configuration(default={"url": "smtp://"})
        gateways = providers.Container(Gateways, config=config)
        chosen = providers.Selector(config.url, **{"smtp://": providers.Object("by smtp")})
        several = providers.List(config.url)
        draft = providers.Factory(dict)

    names = ["config", "gateways", "chosen", "several", "draft", "draft"]
    got = provide("got", use_factory=lambda *got: got, inject=names)
    async with create_application(dynamic_module(App, imports=[Own()], providers=[got])) as app:
        config, gateways, chosen, several, draft, other_draft = app.get("got")
        assert (config, chosen, several) == ({"url": "smtp://"}, "by smtp", ["smtp://"])
        assert gateways.mail().smtp == "smtp://"
        assert draft is not other_draft


def test_a_class_that_it_provides_as_a_value_is_no_instance_of_it() -> None:
    own = containers.DynamicContainer()
    own.mail_class = providers.Object(MailService)
    container = dynamic_module(App, imports=[own], providers=[EmailWorker])
    assert container.get("mail_class") is MailService
    with pytest.raises(WiringError, match="`mail: MailService`"):
        container.build()


async def test_what_is_made_with_its_context_local_singletons_is_request_scoped() -> None:
    own = containers.DynamicContainer()
    own.session = providers.ContextLocalSingleton(dict)
    user = provide("user", use_factory=lambda session: [session], inject=["session"])
    async with create_application(dynamic_module(App, imports=[own], providers=[user])) as app:

        async def work() -> Any:
            async with app.request():
                return await app.resolve("user")

        one, other = [await asyncio.create_task(work()) for _ in range(2)]
        assert one[0] is not other[0]


async def test_a_bare_provider_is_known_by_its_class_or_by_the_token_it_is_given() -> None:
    mail = providers.Singleton(MailService, smtp="smtp://")
    text = providers.Callable(str.upper, "smtp://")
    given = [mail, provide("smtp", use_provider=text), EmailWorker]
    async with create_application(dynamic_module(App, providers=given)) as app:
        assert app.get(EmailWorker).mail is mail()
        assert app.get(EmailWorker).smtp == "SMTP://"
    with mail.override("other"):
        assert mail() == "other"
    assert mail().smtp == "smtp://"  # it stays its owner's


async def test_a_bare_factory_makes_one_each_time_it_is_asked() -> None:
    factory = providers.Factory(MailService, smtp="smtp://")
    app = create_application(dynamic_module(App, providers=[factory]))
    assert app.get(MailService) is not app.get(MailService)
    with app.container.mail_service.override("mine"):
        assert app.get(MailService) == "mine"
    local = providers.ContextLocalSingleton(MailService, smtp="smtp://")
    app = create_application(dynamic_module(App, providers=[local, provide("smtp", use_value=""), EmailWorker]))
    seen = []
    for _ in range(2):
        async with app.request():
            seen.append(await app.resolve(EmailWorker))
    assert seen[0] is not seen[1]


def test_a_bare_provider_that_does_not_say_what_it_makes_is_refused_with_the_line_to_write() -> None:
    with pytest.raises(WiringError) as caught:
        dynamic_module(App, providers=[providers.Object(1), providers.Callable(len), provide])
    text = str(caught.value)
    assert text.count('Hint: give it a token: provide("a name", use_provider=...).') == 2
    assert text.count("Hint: list a class, or what provide(token, use_value=...) returns.") == 1
    with pytest.raises(TypeError, match="use_provider= takes a dependency-injector provider, not 1"):
        provide("one", use_provider=1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="scope= goes with"):
        provide("one", use_provider=providers.Object(1), scope=Scope.REQUEST)  # type: ignore[call-overload]
