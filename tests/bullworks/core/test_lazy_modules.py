"""Modules that are loaded into a running application: linked, built, started and closed as the others are."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bullworks.core import (
    ApplicationStateError,
    LazyModuleLoader,
    ModuleContainer,
    RecipeInUseError,
    WiringError,
    create_application,
    dynamic_module,
    injectable,
    module,
    provide,
)
from bullworks.testing import Test

LOG: list[str] = []


class Hooked:
    def on_module_init(self) -> None:
        LOG.append(f"init {type(self).__name__}")

    def on_application_bootstrap(self) -> None:
        LOG.append(f"bootstrap {type(self).__name__}")

    def on_application_shutdown(self) -> None:
        LOG.append(f"shutdown {type(self).__name__}")


class Clock(Hooked): ...


@module(providers=[Clock], exports=[Clock])
class ClockModule: ...


class Database(Hooked): ...


async def connect() -> AsyncIterator[Database]:
    await asyncio.sleep(0)
    LOG.append("connected")
    yield Database()
    LOG.append("disconnected")


class Reports(Hooked):
    def __init__(self, clock: Clock, database: Database) -> None:
        self.clock, self.database = clock, database


@module(imports=[ClockModule], providers=[Reports, provide(Database, use_factory=connect)])
class ReportsModule: ...


class Api(Hooked):
    def __init__(self, loader: LazyModuleLoader, clock: Clock) -> None:
        self.loader, self.clock = loader, clock

    async def reports(self) -> Reports:
        modules = await self.loader.load(lambda: ReportsModule)
        return modules.get(Reports)


@module(imports=[ClockModule], providers=[Api])
class App: ...


@pytest.fixture(autouse=True)
def log() -> Iterator[list[str]]:
    LOG.clear()
    yield LOG
    LOG.clear()


async def test_a_module_is_loaded_once_and_shares_what_is_there(log: list[str]) -> None:
    async with create_application(App) as app:
        log.clear()
        api = app.get(Api)
        first, again = await asyncio.gather(api.reports(), api.reports())
        assert first is again
        assert first.clock is api.clock
        assert log == [
            "connected",
            "init Database",
            "init Reports",
            "bootstrap Database",
            "bootstrap Reports",
        ]
        assert app.select(ReportsModule).get(Reports) is app.get(Reports) is first
        assert (await api.loader.load(ClockModule)).get(Clock) is api.clock  # one that was there from the start
        log.clear()
    assert log == ["shutdown Reports", "shutdown Database", "shutdown Api", "shutdown Clock", "disconnected"]


async def test_a_function_may_import_it_and_what_for_root_returns_is_a_module_too() -> None:
    def for_root(text: str) -> ModuleContainer:
        return dynamic_module(type("Texts", (), {}), providers=[provide("text", use_value=text)])

    async def import_it() -> ModuleContainer:
        await asyncio.sleep(0)
        return for_root("later")

    async with create_application(App) as app:
        loader = app.get(Api).loader
        assert (await loader.load(import_it)).get("text") == "later"
        assert (await loader.load(for_root("other"))).get("text") == "other"


async def test_while_the_application_starts_its_hooks_are_called_once_in_their_order(log: list[str]) -> None:
    class Eager:
        def __init__(self, loader: LazyModuleLoader) -> None:
            self.loader = loader

        async def on_module_init(self) -> None:
            await self.loader.load(ReportsModule)

    async with create_application(dynamic_module(App, providers=[Eager])):
        assert log.index("init Reports") < log.index("bootstrap Clock") < log.index("bootstrap Reports")
        assert len(set(log)) == len(log)


class Unknown: ...


class Needy:
    def __init__(self, missing: Api, unknown: Unknown) -> None: ...


@module(providers=[Needy])
class Broken: ...


@module(imports=[Broken], is_global=True)
class Everywhere: ...


@pytest.mark.parametrize(
    ("wrong", "texts"),
    [
        (Broken, ["2 problems", "Needy(?, unknown) in Broken", "Needy(missing, ?) in Broken", "App provides it"]),
        (
            Everywhere,
            [
                "Everywhere is global, and is loaded into an application that runs: its modules would not see it.",
                "Hint: import Everywhere in the root module, or make a module of it that is not global.",
            ],
        ),
        (7, ["LazyModuleLoader imports 7, which is not a module."]),
    ],
)
async def test_what_is_wrong_is_one_error_and_nothing_of_it_stays(wrong: Any, texts: list[str]) -> None:
    async with create_application(App) as app:
        before = app.discovery.module_count
        with pytest.raises(WiringError) as caught:
            await app.get(Api).loader.load(lambda: wrong)
        assert [text for text in texts if text not in str(caught.value)] == []
        assert app.discovery.module_count == before
        assert (await app.get(Api).reports()).clock is app.get(Clock)


async def test_a_start_hook_that_fails_closes_what_was_built_and_may_be_tried_again(log: list[str]) -> None:
    failures = [RuntimeError("not yet")]

    @injectable()
    class Shaky(Hooked):
        def on_application_bootstrap(self) -> None:
            if failures:
                raise failures.pop()

    @module(imports=[ReportsModule], providers=[Shaky])
    class ShakyModule: ...

    async with create_application(App) as app:
        loader = app.get(Api).loader
        log.clear()
        with pytest.raises(RuntimeError, match="not yet") as caught:
            await loader.load(ShakyModule)
        assert any("ShakyModule" in note for note in caught.value.__notes__)
        assert log[-4:] == ["shutdown Shaky", "shutdown Reports", "shutdown Database", "disconnected"]
        assert (await loader.load(ShakyModule)).get(Shaky) is app.get(Shaky)


async def test_before_the_start_and_after_the_end_nothing_is_loaded() -> None:
    app = create_application(App)
    loader = app.get(Api).loader
    with pytest.raises(ApplicationStateError, match="modules can be loaded while it runs"):
        await loader.load(ReportsModule)
    await app.init()
    await app.close()
    with pytest.raises(ApplicationStateError, match="once it is asked to stop"):
        await loader.load(ReportsModule)


async def test_what_a_test_overrides_is_overridden_in_modules_that_are_loaded_later() -> None:
    builder = Test.create_testing_module(imports=[App, type_of_reports()])
    async with await builder.override_provider(Database).use_value("fake").compile() as testing:
        modules = await testing.get(Api).loader.load(LaterModule)
        assert modules.get("later") == "fake"


def type_of_reports() -> Any:
    """A module that the test can override something of."""
    return module(providers=[provide(Database, use_factory=Database)])(type("Known", (), {}))


@module(providers=[provide(Database, use_factory=connect), provide("later", use_existing=Database)])
class LaterModule: ...


async def test_a_task_that_a_load_left_running_waits_for_its_turn_as_others_do(log: list[str]) -> None:
    may_go = asyncio.Event()
    loads: list[asyncio.Task[Any]] = []

    class Starter:
        def __init__(self, loader: LazyModuleLoader) -> None:
            self.loader = loader

        async def on_module_init(self) -> None:
            loads.append(asyncio.create_task(self.later()))

        async def later(self) -> Reports:
            await may_go.wait()
            return (await self.loader.load(ReportsModule)).get(Reports)

    async with create_application(App) as app:
        await app.get(Api).loader.load(dynamic_module(type("Starting", (), {}), providers=[Starter]))
        other = asyncio.create_task(app.get(Api).reports())
        may_go.set()
        assert await loads[0] is await other
        assert log.count("init Reports") == 1
        assert log[-1] == "bootstrap Reports"


async def test_a_recipe_of_what_did_not_fit_may_be_overridden_again(caplog: pytest.LogCaptureFixture) -> None:
    texts = dynamic_module(type("Texts", (), {}), providers=[provide("text", use_value="x")], exports=["text"])
    again = dynamic_module(type("Again", (), {}), providers=[provide("text", use_value="y")], exports=["text"])
    broken = module(imports=[texts, again], providers=[Needy])(type("NotFitting", (), {}))
    fine = module(imports=[texts, again])(type("Fitting", (), {}))
    async with create_application(App) as app:
        loader = app.get(Api).loader
        with pytest.raises(WiringError):
            await loader.load(broken)
        with texts.text.override("other"):
            assert (await loader.load(fine)).get("text") == "other"
        assert "Fitting imports 'text' from both Texts and Again" in caplog.text
        with pytest.raises(RecipeInUseError):
            texts.text.override("late")
