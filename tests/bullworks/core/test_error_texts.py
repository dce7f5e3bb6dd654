"""What is said when something is asked for that cannot be had: whole texts, each with what to do."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bullworks.core import (
    AmbiguousProviderError,
    ApplicationStateError,
    AsyncFactoryError,
    OverrideTooLateWarning,
    RecipeInUseError,
    Token,
    UnknownProviderError,
    WiringError,
    create_application,
    dynamic_module,
    module,
    provide,
)


class MailService: ...


class MailUser:
    def __init__(self, mail: MailService) -> None: ...


async def connect() -> MailService:
    return MailService()


def two_owners() -> Any:
    first, second = (module(providers=[MailService])(type(name, (), {})) for name in ("FirstModule", "SecondModule"))
    return create_application(module(imports=[first, second])(type("App", (), {})))


def an_app(*providers: Any) -> Any:
    return create_application(dynamic_module(type("App", (), {}), providers=providers))


def test_an_unknown_token_is_told_with_the_nearest_or_with_all() -> None:
    with pytest.raises(UnknownProviderError) as caught:
        an_app(provide("mail", use_value=1)).get("mial")
    assert str(caught.value) == "App has no provider 'mial'; did you mean 'mail'?"
    with pytest.raises(UnknownProviderError) as caught:
        an_app(provide("mail", use_value=1)).get("queue")
    assert str(caught.value) == "App has no provider 'queue'; it has: 'mail', App"


def test_a_hint_never_repeats_what_was_asked_for() -> None:
    other = type("MailService", (), {"__module__": "somewhere.else"})
    here = f"{MailService.__module__}.MailService"
    clock: Token[str] = Token("Clock")
    for provided, asked, told in (
        (other, MailService, f"App has no provider {here}; did you mean somewhere.else.MailService?"),
        (provide(clock, use_value="x"), "Clock", "App has no provider 'Clock'; did you mean Token('Clock')?"),
        (provide("Clock", use_value="x"), clock, "App has no provider Token('Clock'); did you mean 'Clock'?"),
    ):
        with pytest.raises(UnknownProviderError) as caught:
            an_app(provided).get(asked)
        assert str(caught.value) == told


@pytest.mark.parametrize("order", [1, -1])
def test_nor_does_that_of_a_parameter(order: int) -> None:
    tokens: list[Any] = ["clock", Token("clock")]
    provided, asked = tokens[::order]
    with pytest.raises(WiringError) as caught:
        an_app(provide(provided, use_value="x"), provide("a", use_factory=str, inject=[asked])).container.build()
    told = {"clock": "'clock'"}
    provided_text, asked_text = (told.get(each, "Token('clock')") for each in (provided, asked))
    assert str(caught.value).endswith(
        f"  Hint: {asked_text} is requested, {provided_text} is provided: two tokens of one name."
    )


def test_an_unknown_attribute_is_told_likewise_also_when_it_is_overridden() -> None:
    with pytest.raises(UnknownProviderError) as caught:
        an_app(MailService).container.mail_servcie.override("fake")
    assert str(caught.value) == "App has no provider 'mail_servcie'; did you mean mail_service?"


@pytest.mark.parametrize("ask", [lambda app: app.get(MailService), lambda app: app.container.mail_service])
def test_what_several_modules_have_each_for_itself_is_told_with_how_to_ask(ask: Any) -> None:
    with pytest.raises(AmbiguousProviderError) as caught:
        ask(two_owners())
    wanted = str(caught.value).partition("each provide ")[2].partition(".")[0]
    assert wanted in ("MailService", "'mail_service'")
    assert str(caught.value) == (
        f"FirstModule, SecondModule each provide {wanted}. Ask one of them: app.select(TheModule).get(...), "
        "or app.container.the_module.the_provider; or provide it in one module and export it"
    )


def test_what_has_to_be_awaited_says_how() -> None:
    app = an_app(provide(MailService, use_factory=connect), MailUser)
    with pytest.raises(AsyncFactoryError) as caught:
        app.get(MailService)
    assert str(caught.value) == (
        "MailService has an async factory and is not built yet: "
        "`await ....resolve(MailService)`, or `await ....build_async()`"
    )
    with pytest.raises(AsyncFactoryError) as caught:
        app.get(MailUser)
    assert str(caught.value) == (
        "MailUser needs MailService, which has an async factory and is not built yet: "
        "`await ....resolve(MailUser)`, or `await ....build_async()`"
    )


async def test_an_override_after_the_start_is_warned_of_with_who_does_not_see_it() -> None:
    async with an_app(MailService, MailUser) as app:
        with pytest.warns(OverrideTooLateWarning) as warned:
            app.container.mail_service.override("fake")
    assert [str(warning.message) for warning in warned] == [
        "MailService was overridden after MailUser had been built; override before the application starts"
    ]


async def test_an_override_on_a_recipe_that_is_in_use_says_where_to_override() -> None:
    recipe = dynamic_module(type("MailModule", (), {}), providers=[MailService])
    async with create_application(module(imports=[recipe])(type("App", (), {}))):
        with pytest.raises(RecipeInUseError) as caught:
            recipe.mail_service.override("fake")
    assert str(caught.value) == (
        "MailService can't be overridden on MailModule here: an application that imports it was made before, "
        "with a copy of its own. Override on app.container, or before the application is made"
    )


async def test_a_second_application_of_one_container_is_refused() -> None:
    container = dynamic_module(type("App", (), {}))
    async with create_application(container):
        with pytest.raises(ApplicationStateError) as caught:
            await create_application(container)
    assert str(caught.value) == "App: an application is already running its container"


def test_an_error_in_a_factory_says_where_it_was_built() -> None:
    def broken() -> Iterator[int]:
        raise OSError("no route")
        yield 1

    with pytest.raises(OSError, match="no route") as caught:
        an_app(provide("connection", use_factory=broken)).container.build()
    assert caught.value.__notes__ == ["while building 'connection' of App"]


async def test_an_error_in_a_hook_says_whose(caplog: pytest.LogCaptureFixture) -> None:
    class Cache:
        def on_module_init(self) -> None:
            raise OSError("no route")

    with caplog.at_level(logging.INFO), pytest.raises(OSError, match="no route") as caught:
        await an_app(Cache)
    assert caught.value.__notes__ == ["in Cache.on_module_init() of App"]
