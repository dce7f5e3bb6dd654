"""dependency-injector's own `wire()` and `@inject` work on a module's container, and beside it on one's own."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from dependency_injector import containers, providers
from dependency_injector.wiring import Provide, Provider, inject
from fastapi import Depends

from bullworks.core import Application, Scope, create_application, injectable, module, provide


class Own(containers.DeclarativeContainer):
    punctuation = providers.Object("!")


@injectable(scope=Scope.REQUEST)
class Session: ...


class Greeter:
    """A provider, whose method is wired all the same."""

    @inject
    def greet(self, name: str, greeting: Any = Provide["greeting"]) -> str:
        return f"{greeting}, {name}"


@module(providers=[provide("greeting", use_value="hello"), Session, Greeter], exports=["greeting"])
class GreetingModule: ...


own = Own()


@module(imports=[GreetingModule, own])
class App: ...


@inject
def greet(name: str, greeting: Any = Provide["greeting"]) -> str:
    return f"{greeting} {name}"


@inject
async def shout(name: str, greeting: Any = Provide["greeting"], mark: Any = Provide[Own.punctuation]) -> str:
    return f"{greeting} {name}{mark}"


@inject
def greet_as_a_route(greeting: Annotated[Any, Depends(Provide["greeting"])]) -> str:
    return str(greeting)


@inject
def make_sessions(make: Any = Provider["session"]) -> tuple[Any, Any]:
    return make(), make()


@pytest.fixture
def app() -> Iterator[Application]:
    """Wired, together with the container that it imports."""
    application = create_application(App)
    wired: list[Any] = [application.container, own]
    for container in wired:
        container.wire(modules=[sys.modules[__name__]])
    yield application
    for container in wired:
        container.unwire()


async def test_a_wired_function_gets_what_an_imported_module_provides(app: Application) -> None:
    async with app:
        assert greet("you") == "hello you"
        assert await shout("you") == "hello you!"
        assert app.get(Greeter).greet("you") == "hello, you"


async def test_overrides_reach_wired_functions(app: Application) -> None:
    with app.container.greeting.override("bye"), own.punctuation.override("?"):
        assert await shout("you") == "bye you?"
    assert greet("you") == "hello you"


async def test_a_wired_function_gets_the_instance_of_its_request(app: Application) -> None:
    async with app, app.request():
        one, same = make_sessions()
        assert one is same is app.get(Session)


async def test_a_wired_function_may_name_the_provider_as_fastapi_does(app: Application) -> None:
    async with app:
        assert greet_as_a_route() == "hello"  # type: ignore[call-arg]
