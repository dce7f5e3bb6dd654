"""Companions are looked for in functions only."""

from __future__ import annotations

from typing import Any, NoReturn

from bullworks.core import create_application, module, needs_beside


class Guard: ...


class Unreadable:
    """A member that nobody may look at, as pydantic puts into classes it has not built yet."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"{name} was looked at")


class Host:
    schema: Any = Unreadable()

    @staticmethod
    def alone() -> None: ...

    def method(self) -> None: ...


needs_beside(Host.method, Guard)
needs_beside(Host.alone, Guard)


async def test_a_member_that_raises_when_it_is_looked_at_is_left_alone() -> None:
    @module(providers=[Host])
    class AppModule: ...

    app = await create_application(AppModule)
    assert isinstance(app.get(Guard), Guard)
    await app.close()
