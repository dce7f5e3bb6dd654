"""ModuleRef: a module's own view of the application at run time."""

import pytest

from bullworks.core import (
    ModuleRef,
    Scope,
    UnknownProviderError,
    WiringError,
    create_application,
    injectable,
    module,
    provide,
)


class Mail: ...


@injectable(scope=Scope.TRANSIENT)
class Draft: ...


class Letter:
    def __init__(self, mail: Mail, draft: Draft) -> None:
        self.mail, self.draft = mail, draft


class Writer:
    def __init__(self, modules: ModuleRef) -> None:
        self.modules = modules


@module(providers=[Mail, Draft, Writer])
class WriterModule: ...


@module(imports=[WriterModule], providers=[provide("outer", use_value=1)])
class App: ...


async def test_get_finds_the_providers_of_its_module_and_of_the_application() -> None:
    async with create_application(App) as app:
        modules = app.get(Writer).modules
        assert modules.get(Mail) is app.get(Mail)
        assert modules.get("outer") == 1
        with pytest.raises(UnknownProviderError, match="WriterModule has no provider 'outer'"):
            modules.get("outer", strict=True)


async def test_resolve_gives_a_new_transient_each_time() -> None:
    async with create_application(App) as app:
        modules = app.get(Writer).modules
        assert await modules.resolve(Draft) is not await modules.resolve(Draft)


async def test_create_builds_a_class_that_no_module_provides() -> None:
    async with create_application(App) as app:
        modules = app.get(Writer).modules
        first, second = await modules.create(Letter), await modules.create(Letter)
        assert first is not second
        assert first.mail is app.get(Mail)
        with pytest.raises(UnknownProviderError):
            app.get(Letter)


async def test_create_explains_what_its_module_does_not_see() -> None:
    class Stranger:
        def __init__(self, letter: Letter) -> None: ...

    async with create_application(App) as app:
        with pytest.raises(WiringError, match=r"Stranger\(\?\) in App > WriterModule"):
            await app.get(Writer).modules.create(Stranger)


async def test_an_unknown_token_is_answered_with_the_nearest() -> None:
    async with create_application(App) as app:
        with pytest.raises(UnknownProviderError, match="App has no provider 'outre'; did you mean 'outer'"):
            app.get("outre")


async def test_select_gives_one_module_and_refuses_others() -> None:
    async with create_application(App) as app:
        assert app.select(WriterModule).get(Mail, strict=True) is app.get(Mail)
        with pytest.raises(UnknownProviderError, match="App has no provider Mail; it has: WriterModule, App"):
            app.select(Mail)
