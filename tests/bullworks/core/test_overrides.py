"""Overrides, as dependency-injector users write them, reach every consumer or say why they can't."""

from typing import Any
from unittest.mock import Mock

import pytest
from dependency_injector import containers, providers

from bullworks.core import (
    AmbiguousProviderError,
    ModuleContainer,
    OverrideTooLateWarning,
    RecipeInUseError,
    UnknownProviderError,
    WiringError,
    create_application,
    dynamic_module,
    module,
    provide,
)


class Smtp:
    def __init__(self) -> None:
        raise AssertionError("the real SMTP client was built")


class MailService:
    def __init__(self, smtp: Smtp) -> None:
        self.smtp = smtp


class EmailWorker:
    def __init__(self, mail: MailService) -> None:
        self.mail = mail


class BullModule:
    @classmethod
    def for_root(cls, *extra: Any, imports: Any = ()) -> ModuleContainer:
        return dynamic_module(cls, imports=imports, providers=[EmailWorker, *extra], exports=[EmailWorker])


def test_a_for_root_container_is_a_dependency_injector_container() -> None:
    container = BullModule.for_root(MailService, Smtp)
    assert isinstance(container, containers.DynamicContainer)
    assert isinstance(container.mail_service, providers.Singleton)
    assert set(container.providers) == {"bull_module", "email_worker", "mail_service", "smtp"}
    assert all(isinstance(provider, providers.Provider) for provider in container.traverse())


def test_an_override_reaches_every_consumer_and_ends_with_its_context() -> None:
    container = BullModule.for_root(provide(MailService, use_factory=lambda: "real"))
    mock = Mock(spec=MailService)
    with container.mail_service.override(mock):
        assert container.email_worker().mail is mock
        assert container.build().get(EmailWorker).mail is mock
    assert container.email_worker().mail == "real"


def test_an_override_through_the_root_reaches_an_imported_module() -> None:
    @module(providers=[MailService, Smtp], exports=[MailService])
    class MailModule: ...

    @module(imports=[MailModule], providers=[EmailWorker])
    class App: ...

    container = create_application(App).container
    with container.override_providers(smtp="fake"):
        assert container.email_worker().mail.smtp == "fake"
        assert container.mail_module.mail_service() is container.email_worker().mail


def test_what_only_an_overridden_provider_needs_is_not_built() -> None:
    container = BullModule.for_root(MailService, Smtp)
    container.mail_service.override(Mock(spec=MailService))
    assert isinstance(container.build().get(EmailWorker), EmailWorker)


def test_what_only_an_overridden_provider_needs_may_even_be_missing() -> None:
    container = BullModule.for_root(MailService)
    with pytest.raises(WiringError, match="`smtp: Smtp`"):
        container.build()
    container.mail_service.override(Mock(spec=MailService))
    container.check_dependencies()
    assert isinstance(container.build().get(EmailWorker), EmailWorker)


def test_an_override_may_define_what_nobody_provides() -> None:
    container = BullModule.for_root()
    mock = Mock(spec=MailService)
    container.mail_service.override(mock)
    assert container.build().get(EmailWorker).mail is mock
    assert container.get(MailService) is mock


def test_one_override_defines_what_several_modules_miss() -> None:
    class Other:
        def __init__(self, mail: MailService) -> None:
            self.mail = mail

    @module(providers=[EmailWorker], exports=[EmailWorker])
    class EmailModule: ...

    @module(imports=[EmailModule], providers=[Other])
    class App: ...

    container = create_application(App).container
    mock = Mock(spec=MailService)
    container.mail_service.override(mock)
    container.build()
    assert container.get(EmailWorker).mail is container.get(Other).mail is mock


def test_a_parameter_without_a_token_can_be_defined_by_its_own_name() -> None:
    class Client:
        def __init__(self, url: str) -> None:
            self.url = url

    container = BullModule.for_root(Client, provide(MailService, use_value=1))
    container.client_url.override("redis://")
    assert container.build().get(Client).url == "redis://"


def test_overriding_what_nobody_provides_or_needs_is_an_error() -> None:
    container = BullModule.for_root(MailService, Smtp)
    with pytest.raises(UnknownProviderError, match="no provider 'mail_servise'; did you mean mail_service"):
        container.mail_servise.override(1)
    with pytest.raises(AttributeError, match="it has: bull_module, email_worker, mail_service, smtp"):
        container.override_providers(pigeon=1)


def test_reset_override_reaches_imported_modules() -> None:
    @module(providers=[provide(MailService, use_value="real")], exports=[MailService])
    class MailModule: ...

    container = BullModule.for_root(imports=[MailModule])
    container.mail_service.override("mock")
    assert container.email_worker().mail == "mock"
    container.reset_override()
    assert container.email_worker().mail == "real"


def test_an_override_after_the_build_has_the_consumers_built_again() -> None:
    container = BullModule.for_root(provide(MailService, use_factory=lambda: "real")).build()
    assert container.get(EmailWorker).mail == "real"
    container.mail_service.override("mock")
    assert container.get(EmailWorker).mail == "mock"


async def test_an_override_after_the_start_warns_that_it_comes_too_late() -> None:
    async with create_application(BullModule.for_root(provide(MailService, use_value="real"))) as app:
        with pytest.warns(
            OverrideTooLateWarning, match="MailService was overridden after EmailWorker had been built"
        ) as caught:
            app.container.mail_service.override("mock")
        assert caught[0].filename == __file__
        app.container.mail_service.reset_override()
        assert app.get(EmailWorker).mail == "real"


async def test_an_override_before_the_start_reaches_the_application() -> None:
    app = create_application(BullModule.for_root(MailService, Smtp))
    app.container.smtp.override("fake")
    async with app:
        assert app.get(EmailWorker).mail.smtp == "fake"


def test_reset_singletons_reaches_imported_modules() -> None:
    @module(providers=[provide(MailService, use_factory=object)], exports=[MailService])
    class MailModule: ...

    container = BullModule.for_root(imports=[MailModule]).build()
    before = container.get(MailService)
    with container.reset_singletons():
        assert container.get(MailService) is not before
        assert container.build().get(EmailWorker).mail is container.get(MailService)


async def test_an_imported_for_root_container_is_copied_with_its_overrides() -> None:
    workers = BullModule.for_root(provide(MailService, use_factory=object))
    workers.mail_service.override("mock")

    @module(imports=[workers])
    class App: ...

    async with create_application(App) as app:
        assert app.get(EmailWorker).mail == "mock"
        assert app.get(EmailWorker) is not workers.get(EmailWorker)
        workers.reset_override()
        assert app.get(EmailWorker).mail == "mock"
    async with create_application(App) as app:
        assert app.get(EmailWorker).mail != "mock"


async def test_an_override_that_defines_what_is_missing_is_copied_too() -> None:
    workers = BullModule.for_root()
    workers.mail_service.override("mock")
    async with create_application(module(imports=[workers])(type("App", (), {}))) as app:
        assert app.get(EmailWorker).mail == "mock"


async def test_a_container_that_an_open_application_has_copied_refuses_overrides() -> None:
    workers = BullModule.for_root(provide(MailService, use_value="real"))

    @module(imports=[workers])
    class App: ...

    async with create_application(App) as app:
        with pytest.raises(RecipeInUseError, match=r"MailService can't be overridden on BullModule.*app\.container"):
            workers.mail_service.override("mock")
        assert workers.mail_service() == "real"
    with workers.mail_service.override("mock"):
        async with create_application(App) as app:
            assert app.get(EmailWorker).mail == "mock"


def test_an_attribute_that_several_modules_have_is_ambiguous() -> None:
    @module(providers=[provide(MailService, use_value=1)])
    class First: ...

    @module(providers=[provide(MailService, use_value=2)])
    class Second: ...

    app = create_application(module(imports=[First, Second])(type("App", (), {})))
    with pytest.raises(AmbiguousProviderError, match="First, Second each provide 'mail_service'"):
        app.container.mail_service.override(3)
    with pytest.raises(AmbiguousProviderError, match="First, Second each provide MailService"):
        app.get(MailService)
    assert app.container.second.mail_service() == 2
    assert app.select(Second).get(MailService) == 2


def test_a_module_container_is_not_copied_into_a_declarative_container() -> None:
    class Declared(containers.DeclarativeContainer):
        workers = providers.Container(ModuleContainer, BullModule.for_root())

    with pytest.raises(Exception, match=r"pass that container to imports=\[\.\.\.\] instead"):
        Declared()


def test_an_override_below_an_open_resource_warns_since_that_cannot_be_built_again() -> None:
    def connect(url: Any) -> Any:
        yield f"connected to {url}"

    container = dynamic_module(
        BullModule,
        providers=[provide("url", use_value="real"), provide("connection", use_factory=connect, inject=["url"])],
    ).build()
    with pytest.warns(OverrideTooLateWarning, match="'url' was overridden after 'connection' had been built"):
        container.url.override("other")
    assert container.get("connection") == "connected to real"
    container.connection.shutdown()
    assert container.get("connection") == "connected to other"


def test_a_copy_of_a_provider_is_apart_from_the_application() -> None:
    container = BullModule.for_root(MailService, provide(Smtp, use_value="smtp"))
    copy = providers.deepcopy(container.mail_service)
    with copy.override("fake"):
        assert copy() == "fake"
        assert isinstance(container.mail_service(), MailService)
    copy.reset()
    copy.override("other")
    copy.reset_override()
    assert isinstance(copy(), MailService)


def test_private_names_are_no_providers_and_a_container_says_whose_it_is() -> None:
    container = BullModule.for_root(MailService, provide(Smtp, use_value="smtp"))
    assert not hasattr(container, "_mail_service")
    assert repr(container) == "<ModuleContainer BullModule>"


def test_provider_of_gives_what_can_be_overridden() -> None:
    container = BullModule.for_root(MailService, provide(Smtp, use_value="smtp"))
    container.provider_of(MailService).override("fake")
    assert container.get(EmailWorker).mail == "fake"
