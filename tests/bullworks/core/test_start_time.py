"""A service's own share of its start is small: `python -m benchmarks.start` measures one with queues and workers."""

import time
from typing import Any

from bullworks.core import create_application, module

_ROUNDS = 5
_LIMIT_S = 0.05


def a_service(modules: int, providers: int) -> type[Any]:
    """Each module imports the one before, and its providers need each other in a row."""
    imports: list[type[Any]] = []
    needed: type[Any] | None = None
    for number in range(modules):
        made = []
        for index in range(providers):
            needed = _provider(f"Service{number}Of{index}", needed)
            made.append(needed)
        feature = module(imports=imports[-1:], providers=made, exports=[needed])
        imports.append(feature(type(f"Feature{number}Module", (), {})))
    return module(imports=imports)(type("App", (), {}))


def _provider(name: str, needed: type[Any] | None) -> type[Any]:
    def init(self: Any, needed: Any = None) -> None:
        self.needed = needed

    async def on_module_init(self: Any) -> None:
        self.is_ready = True

    if needed is not None:
        init.__annotations__["needed"] = needed
    return type(name, (), {"__init__": init, "on_module_init": on_module_init})


async def test_a_service_of_50_modules_and_250_providers_starts_within_50_ms_of_cpu() -> None:
    best_s = float("inf")
    for _ in range(_ROUNDS):
        root = a_service(50, 5)  # new classes: nothing about them is known from the round before
        begun_s = time.process_time()
        app = await create_application(root)
        best_s = min(best_s, time.process_time() - begun_s)
        await app.close()
    assert best_s < _LIMIT_S
