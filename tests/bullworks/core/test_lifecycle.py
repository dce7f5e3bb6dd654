"""Lifecycle hooks: when each runs, in which order, and what happens when one fails."""

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest

from bullworks.core import ApplicationStateError, ModuleRef, Scope, create_application, dynamic_module, module, provide

HOOKS = (
    "on_module_init",
    "on_application_bootstrap",
    "on_application_start",
    "on_application_drain",
    "on_module_destroy",
    "before_application_shutdown",
    "on_application_disconnect",
    "on_application_shutdown",
)


def hooked(name: str, log: list[str], bases: tuple[type[Any], ...] = ()) -> type[Any]:
    """A class that records each of its hooks."""

    def recorder(hook: str) -> Any:
        async def call(self: Any, *arguments: Any) -> None:
            log.append(" ".join([hook, name, *map(str, arguments)]))

        return call

    return type(name, bases, {hook: recorder(hook) for hook in HOOKS})


async def test_hooks_run_on_leaf_modules_first_and_in_reverse_on_the_way_down() -> None:
    log: list[str] = []
    leaf, top = hooked("Leaf", log), hooked("Top", log)
    leaf_module = module(providers=[leaf], exports=[leaf])(type("LeafModule", (), {}))
    async with create_application(module(imports=[leaf_module], providers=[top])(type("App", (), {}))) as app:
        await app.close("SIGTERM")
    assert log == [
        "on_module_init Leaf",
        "on_module_init Top",
        "on_application_bootstrap Leaf",
        "on_application_bootstrap Top",
        "on_application_start Leaf",
        "on_application_start Top",
        "on_application_drain Top",
        "on_application_drain Leaf",
        "on_module_destroy Top",
        "on_module_destroy Leaf",
        "before_application_shutdown Top SIGTERM",
        "before_application_shutdown Leaf SIGTERM",
        "on_application_disconnect Top",
        "on_application_disconnect Leaf",
        "on_application_shutdown Top SIGTERM",
        "on_application_shutdown Leaf SIGTERM",
    ]


async def test_what_is_needed_comes_before_what_needs_it_whatever_the_order_of_providers() -> None:
    log: list[str] = []
    db = hooked("Db", log)
    repo = hooked("Repo", log)
    providers = [provide(repo, use_factory=lambda db: repo(), inject=[db]), db]
    async with create_application(dynamic_module(type("App", (), {}), providers=providers)):
        pass
    assert [line for line in log if "init" in line] == ["on_module_init Db", "on_module_init Repo"]
    assert [line for line in log if "destroy" in line] == ["on_module_destroy Repo", "on_module_destroy Db"]


async def test_a_diamond_of_modules_starts_from_its_leaf() -> None:
    log: list[str] = []

    def made(name: str, *imports: Any) -> Any:
        return module(imports=imports, providers=[hooked(name, log)])(type(f"{name}Module", (), {}))

    base = made("Base")
    left, right = made("Left", base), made("Right", base)
    async with create_application(made("Top", left, right)):
        pass
    assert log[:4] == [f"on_module_init {name}" for name in ("Base", "Left", "Right", "Top")]


async def test_a_module_class_may_have_hooks() -> None:
    log: list[str] = []
    app_class = module()(hooked("App", log))
    async with create_application(app_class):
        pass
    assert "on_module_init App" in log


async def test_hooks_may_be_sync_and_may_leave_the_signal_out() -> None:
    log = []

    class Service:
        def on_module_init(self) -> None:
            log.append("init")

        def before_application_shutdown(self) -> None:
            log.append("before")

        async def on_application_shutdown(self, signal: str | None = None) -> None:
            log.append(f"shutdown {signal}")

    async with create_application(dynamic_module(type("App", (), {}), providers=[Service])) as app:
        await app.close("SIGINT")
    assert log == ["init", "before", "shutdown SIGINT"]


async def test_a_mock_has_no_hooks() -> None:
    mock = Mock()
    async with create_application(dynamic_module(type("App", (), {}), providers=[provide("mock", use_value=mock)])):
        pass
    assert mock.mock_calls == []


async def test_a_lazy_provider_that_was_not_built_has_no_hooks_called() -> None:
    log: list[str] = []
    lazy = hooked("Unused", log)
    container = dynamic_module(type("App", (), {}), providers=[provide(lazy, use_class=lazy, lazy=True)])
    async with create_application(container):
        pass
    assert log == []


async def test_an_object_known_by_two_tokens_has_its_hooks_called_once() -> None:
    log: list[str] = []
    service = hooked("Service", log)
    one = service()
    providers = [provide("a", use_value=one), provide("b", use_value=one), provide("c", use_existing="a")]
    async with create_application(dynamic_module(type("App", (), {}), providers=providers)):
        pass
    assert log.count("on_module_init Service") == 1


async def test_a_failed_init_tears_down_what_had_started_and_nothing_else() -> None:
    log: list[str] = []
    first, third = hooked("First", log), hooked("Third", log)

    class Second:
        async def on_module_init(self) -> None:
            raise RuntimeError("no license")

        async def on_module_destroy(self) -> None:
            log.append("on_module_destroy Second")

    app = create_application(dynamic_module(type("App", (), {}), providers=[first, Second, third]))
    with pytest.raises(RuntimeError, match="no license") as caught:
        await app
    assert caught.value.__notes__ == ["in Second.on_module_init() of App"]
    assert log == [
        "on_module_init First",
        "on_application_drain First",
        "on_module_destroy First",
        "before_application_shutdown First None",
        "on_application_disconnect First",
        "on_application_shutdown First None",
    ]


async def test_a_failed_bootstrap_tears_everything_down_and_notes_what_else_failed() -> None:
    class Service:
        def on_application_bootstrap(self) -> None:
            raise RuntimeError("port taken")

        def on_module_destroy(self) -> None:
            raise ValueError("cannot stop")

    with pytest.raises(RuntimeError, match="port taken") as caught:
        await create_application(dynamic_module(type("App", (), {}), providers=[Service]))
    assert "and while closing what had started: ValueError('cannot stop')" in caught.value.__notes__


async def test_closing_after_a_failed_start_does_nothing_more() -> None:
    log: list[str] = []

    class Service:
        def on_application_bootstrap(self) -> None:
            raise RuntimeError("port taken")

        def on_module_destroy(self) -> None:
            log.append("destroyed")

    app = create_application(dynamic_module(type("App", (), {}), providers=[Service]))
    with pytest.raises(RuntimeError, match="port taken"):
        await app
    await app.close()
    assert log == ["destroyed"]


async def test_a_start_that_is_cancelled_is_torn_down() -> None:
    log: list[str] = []
    entered = asyncio.Event()

    class Slow:
        async def on_application_bootstrap(self) -> None:
            entered.set()
            await asyncio.Event().wait()

        async def on_module_destroy(self) -> None:
            log.append("destroyed")

    starting = asyncio.ensure_future(create_application(dynamic_module(type("App", (), {}), providers=[Slow])).init())
    await asyncio.wait_for(entered.wait(), 5)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert log == ["destroyed"]


async def test_errors_while_closing_are_collected_and_stop_nothing() -> None:
    log: list[str] = []
    good = hooked("Good", log)

    class Bad:
        def on_module_destroy(self) -> None:
            raise ValueError("first")

        async def on_application_shutdown(self) -> None:
            raise KeyError("second")

    app = await create_application(dynamic_module(type("App", (), {}), providers=[good, Bad]))
    with pytest.raises(ExceptionGroup, match="errors while closing App") as caught:
        await app.close()
    assert [type(error) for error in caught.value.exceptions] == [ValueError, KeyError]
    assert caught.value.exceptions[0].__notes__ == ["in Bad.on_module_destroy() of App"]
    assert log[-1] == "on_application_shutdown Good None"


async def test_closing_twice_or_before_the_start_is_fine() -> None:
    log: list[str] = []
    container = dynamic_module(type("App", (), {}), providers=[hooked("Service", log)])
    app = create_application(container)
    await app.close()
    assert log == []
    app = await create_application(container)
    await asyncio.gather(app.close(), app.close())
    await app.close()
    assert log.count("on_module_destroy Service") == 1


async def test_starting_twice_starts_once() -> None:
    log: list[str] = []
    app = create_application(dynamic_module(type("App", (), {}), providers=[hooked("Service", log)]))
    async with await app:
        await app.init()
    assert log.count("on_module_init Service") == 1


async def test_a_closed_application_may_start_again() -> None:
    log: list[str] = []
    app = create_application(dynamic_module(type("App", (), {}), providers=[hooked("Service", log)]))
    for _ in range(2):
        async with app:
            pass
    assert log.count("on_application_shutdown Service None") == 2


async def test_two_applications_cannot_run_one_container() -> None:
    container = dynamic_module(type("App", (), {}))
    async with create_application(container):
        with pytest.raises(ApplicationStateError, match="App: an application is already running its container"):
            await create_application(container)


async def test_a_caller_who_gives_up_waiting_leaves_the_closing_running() -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()
    log = []

    class Slow:
        async def on_module_destroy(self) -> None:
            entered.set()
            await may_end.wait()
            log.append("destroyed")

    app = await create_application(dynamic_module(type("App", (), {}), providers=[Slow]))
    impatient = asyncio.ensure_future(app.close())
    await asyncio.wait_for(entered.wait(), 5)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    may_end.set()
    await app.close()
    assert log == ["destroyed"]


async def test_resources_are_still_open_in_the_last_hook() -> None:
    log = []

    async def connection() -> Any:
        log.append("open")
        yield "connection"
        log.append("closed")

    class Service:
        def __init__(self, it: Any) -> None: ...

        def on_application_shutdown(self) -> None:
            log.append("shutdown")

    providers = [provide("it", use_factory=connection), provide(Service, use_factory=Service, inject=["it"])]
    async with create_application(dynamic_module(type("App", (), {}), providers=providers)):
        pass
    assert log == ["open", "shutdown", "closed"]


async def test_hooks_of_transient_instances_are_called_before_those_of_the_singleton_that_they_were_made_for() -> None:
    log: list[str] = []
    part, whole, other = (hooked(name, log) for name in ("Part", "Whole", "Other"))

    async def make_late(part: object) -> Any:
        await asyncio.sleep(0)
        return hooked("Late", log)()

    class Root:
        def __init__(self, modules: ModuleRef) -> None:
            self.modules = modules

    providers = [
        Root,
        provide(part, use_class=part, scope=Scope.TRANSIENT),
        provide("late", use_factory=make_late, inject=[part], scope=Scope.TRANSIENT),
        provide(whole, use_factory=lambda part, late: whole(), inject=[part, "late"]),
        provide(other, use_factory=lambda part: other(), inject=[part]),
        provide("lazy", use_factory=str, inject=[part], lazy=True),
        provide("request", use_factory=str, inject=[part], scope=Scope.REQUEST),
    ]
    async with create_application(dynamic_module(type("App", (), {}), providers=providers)) as app:
        assert [line for line in log if line.startswith("on_module_init")] == [
            "on_module_init Part",
            "on_module_init Part",
            "on_module_init Late",
            "on_module_init Whole",
            "on_module_init Part",
            "on_module_init Other",
        ]
        started = len(log)
        # who asks for one has it: no hook of it is called
        await app.resolve(part)
        await app.get(Root).modules.create(part)
        await app.resolve("lazy")
        async with app.request():
            await app.resolve("request")
    ended = [line for line in log[started:] if line.startswith("on_module_destroy")]
    assert ended == [f"on_module_destroy {name}" for name in ("Other", "Part", "Whole", "Late", "Part", "Part")]


async def test_a_task_that_a_constructor_leaves_running_makes_no_parts_of_it() -> None:
    class Draft:
        def on_module_init(self) -> None:
            raise AssertionError("nobody made it for a singleton")

    made: list[Draft] = []

    class Poller:
        def __init__(self, modules: ModuleRef) -> None:
            self.task = asyncio.create_task(self.poll(modules))

        async def poll(self, modules: ModuleRef) -> None:
            made.append(await modules.resolve(Draft))

        async def on_module_init(self) -> None:
            await self.task

    drafts = provide(Draft, use_class=Draft, scope=Scope.TRANSIENT)
    async with create_application(dynamic_module(type("App", (), {}), providers=[Poller, drafts])):
        assert len(made) == 1
