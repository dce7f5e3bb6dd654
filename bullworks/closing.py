"""Closing: what `async with` closes at its end."""

from types import TracebackType
from typing import Self


class Closing:
    """Base of what is closed once: `async with` gives the object, and awaits its `close()` in the end."""

    __slots__ = ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of everything; a subclass says of what."""
        raise NotImplementedError
