"""dependency-injector's own `wire()` and `@inject` work on a module's container."""

import sys
from typing import Any

from dependency_injector.wiring import Provide, inject

from app.core import create_application, module, provide


@module(providers=[provide("greeting", use_value="hello")])
class GreetingModule: ...


@module(imports=[GreetingModule])
class App: ...


@inject
def greet(name: str, greeting: Any = Provide["greeting"]) -> str:
    return f"{greeting} {name}"


async def test_a_wired_function_gets_what_an_imported_module_provides() -> None:
    async with create_application(App) as app:
        app.container.wire(modules=[sys.modules[__name__]])
        try:
            assert greet("you") == "hello you"
        finally:
            app.container.unwire()
