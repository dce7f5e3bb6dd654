"""What a module sees: its own providers, what its imports export, and what global modules export."""

import logging

import pytest

from bullworks.core import ForwardRef, UnknownProviderError, WiringError, create_application, module, provide


class Mail:
    pass


class Users:
    def __init__(self, mail: Mail) -> None:
        self.mail = mail


async def test_a_provider_gets_what_an_imported_module_exports() -> None:
    @module(providers=[Mail], exports=[Mail])
    class MailModule: ...

    @module(imports=[MailModule], providers=[Users])
    class App: ...

    async with create_application(App) as app:
        assert app.get(Users).mail is app.get(Mail)


def test_a_provider_does_not_get_what_an_imported_module_keeps_to_itself() -> None:
    @module(providers=[Mail])
    class MailModule: ...

    @module(imports=[MailModule], providers=[Users])
    class App: ...

    with pytest.raises(WiringError, match="MailModule provides it but doesn't export it"):
        create_application(App).container.build()


async def test_get_finds_a_provider_that_is_not_exported() -> None:
    @module(providers=[Mail])
    class MailModule: ...

    @module(imports=[MailModule])
    class App: ...

    async with create_application(App) as app:
        assert isinstance(app.get(Mail), Mail)


async def test_strict_get_looks_in_the_module_itself_only() -> None:
    @module(providers=[Mail], exports=[Mail])
    class MailModule: ...

    @module(imports=[MailModule])
    class App: ...

    async with create_application(App) as app:
        with pytest.raises(UnknownProviderError):
            app.get(Mail, strict=True)
        assert app.select(MailModule).get(Mail, strict=True) is app.get(Mail)


async def test_a_module_hands_on_an_imported_module_that_it_exports() -> None:
    @module(providers=[Mail], exports=[Mail])
    class MailModule: ...

    @module(imports=[MailModule], exports=[MailModule])
    class SharedModule: ...

    @module(imports=[SharedModule], providers=[Users])
    class App: ...

    async with create_application(App) as app:
        assert app.get(Users).mail is app.get(Mail)


async def test_a_module_hands_on_a_token_that_it_imports_and_exports() -> None:
    @module(providers=[Mail], exports=[Mail])
    class MailModule: ...

    @module(imports=[MailModule], exports=[Mail])
    class SharedModule: ...

    @module(imports=[SharedModule], providers=[Users])
    class App: ...

    async with create_application(App) as app:
        assert app.get(Users).mail is app.get(Mail)


def test_exporting_what_is_neither_provided_nor_imported_is_an_error() -> None:
    @module(exports=[Mail])
    class App: ...

    with pytest.raises(WiringError, match="App exports Mail, which it neither provides nor imports"):
        create_application(App)


async def test_a_module_imported_twice_is_one_module() -> None:
    @module(providers=[Mail], exports=[Mail])
    class MailModule: ...

    @module(imports=[MailModule], providers=[Users], exports=[Users])
    class UsersModule: ...

    @module(imports=[MailModule, UsersModule], providers=[provide("own", use_existing=Mail)])
    class App: ...

    async with create_application(App) as app:
        assert app.get("own") is app.get(Users).mail


async def test_everyone_sees_what_a_global_module_exports() -> None:
    @module(providers=[Mail], exports=[Mail], is_global=True)
    class MailModule: ...

    @module(providers=[Users])
    class UsersModule: ...

    @module(imports=[UsersModule, MailModule])
    class App: ...

    async with create_application(App) as app:
        assert app.get(Users).mail is app.get(Mail)


async def test_modules_may_import_each_other_by_forward_reference() -> None:
    @module(
        imports=[ForwardRef(lambda: Second)],
        providers=[provide("one", use_value=1), provide("sum", use_factory=lambda x, y: x + y, inject=["one", "two"])],
        exports=["one"],
    )
    class First: ...

    @module(
        imports=[First],
        providers=[provide("two", use_factory=lambda x: x + 1, inject=["one"])],
        exports=["two"],
    )
    class Second: ...

    async with create_application(First) as app:
        assert app.get("sum") == 3


async def test_of_two_imports_that_export_a_token_the_first_wins_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @module(providers=[provide("url", use_value="first")], exports=["url"])
    class First: ...

    @module(providers=[provide("url", use_value="second")], exports=["url"])
    class Second: ...

    @module(imports=[First, Second], providers=[provide("used", use_existing="url")])
    class App: ...

    with caplog.at_level(logging.WARNING):
        async with create_application(App) as app:
            assert app.get("used") == "first"
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "App imports 'url' from both First and Second; First comes first and is used. Export it from one of them only."
    ]


async def test_a_modules_own_provider_goes_before_an_imported_one() -> None:
    @module(providers=[provide("url", use_value="imported")], exports=["url"])
    class Imported: ...

    @module(imports=[Imported], providers=[provide("url", use_value="own"), provide("used", use_existing="url")])
    class App: ...

    async with create_application(App) as app:
        assert app.get("used") == "own"


async def test_a_module_class_is_built_with_its_dependencies() -> None:
    @module(providers=[Mail])
    class App:
        def __init__(self, mail: Mail) -> None:
            self.mail = mail

    async with create_application(App) as app:
        assert app.get(App).mail is app.get(Mail)


async def test_exports_may_be_bindings_and_forward_references() -> None:
    url = provide("url", use_value="x")

    @module(providers=[url], exports=[url])
    class Leaf: ...

    @module(imports=[Leaf], exports=[ForwardRef(lambda: Leaf)])
    class Middle: ...

    @module(imports=[Middle], providers=[provide("used", use_existing="url")])
    class App: ...

    async with create_application(App) as app:
        assert app.get("used") == "x"


async def test_modules_that_hand_each_other_on_export_everything_once() -> None:
    two = ForwardRef(lambda: TwoModule)

    @module(imports=[two], providers=[provide("one", use_value=1)], exports=["one", two])
    class OneModule: ...

    @module(imports=[OneModule], providers=[provide("two", use_value=2)], exports=["two", OneModule])
    class TwoModule: ...

    @module(imports=[TwoModule], providers=[provide("sum", use_factory=lambda a, b: a + b, inject=["one", "two"])])
    class App: ...

    async with create_application(App) as app:
        assert app.get("sum") == 3
        assert repr(app) == "<Application App, running>"


async def test_a_token_is_handed_on_from_whichever_import_has_it() -> None:
    clock = module(providers=[provide("clock", use_value=1)], exports=["clock"])(type("ClockModule", (), {}))
    mail = module(providers=[Mail], exports=[Mail])(type("MailModule", (), {}))
    shared = module(imports=[clock, mail], exports=[Mail])(type("Shared", (), {}))
    async with create_application(module(imports=[shared], providers=[Users])(type("App", (), {}))) as app:
        assert isinstance(app.get(Users).mail, Mail)


def test_importing_a_module_with_an_export_that_nothing_stands_behind_tells_of_that_export_alone() -> None:
    broken = module(exports=[Mail])(type("Broken", (), {}))
    with pytest.raises(WiringError, match=r"^Broken exports Mail, which it neither provides nor imports"):
        create_application(module(imports=[broken])(type("App", (), {})))
