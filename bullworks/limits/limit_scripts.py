"""LimitScripts: a typed method for each script of limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bullworks.limits.errors import InvalidLimitError
from bullworks.limits.keys import LimitKeys
from bullworks.limits.window import LimitUsage, Window, WindowUsage
from bullworks.redis import Argument, PipelinedConnection, Script, ServerError


def _load(name: str) -> Script:
    return Script.load("bullworks.limits", name)


RESERVE = _load("reserve_limit")
SETTLE = _load("settle_limit")
PAUSE = _load("pause_limit")
READ = _load("read_limit")


@dataclass(frozen=True, slots=True)
class Granted:
    """The cost was granted, and counts from `at_us` on, us since the epoch by Redis's clock."""

    at_us: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The cost was refused, and nothing was counted.

    Attributes:
        wait_ms: after which there may be room.
        now_ms: by Redis's clock, ms since the epoch.
    """

    wait_ms: int
    now_ms: int


class LimitScripts:
    """Runs the scripts of one limit.

    All methods raise InvalidLimitError if the limit's key is invalid, or is of another type in Redis.
    """

    __slots__ = ("_connection", "_keys", "_pairs", "_windows")

    def __init__(self, connection: PipelinedConnection, keys: LimitKeys, windows: Sequence[Window]) -> None:
        self._connection = connection
        self._keys = keys
        self._windows = tuple(windows)
        self._pairs: list[Argument] = [part for window in windows for part in (window.most, window.per_ms)]

    async def reserve(self, key: str, cost: int, token: str, patience_ms: int) -> Granted | Refused:
        """Count the cost in every window, if all have room. Repeated after a lost reply it may count twice."""
        answer = await self._run(RESERVE, key, [cost, token, patience_ms, *self._pairs])
        return Granted(answer[1]) if answer[0] else Refused(answer[1], answer[2] // 1000)

    async def settle(self, key: str, at_us: int, reserved: int, spent: int) -> None:
        """Replace what was reserved by what was spent. Not to be repeated."""
        await self._run(SETTLE, key, [at_us, reserved, spent, *self._pairs])

    async def pause(self, key: str, duration_ms: int) -> int:
        """Grant nothing for `duration_ms`; 0 ends a pause. Returns its end, ms since the epoch by Redis's clock."""
        ends_us: int
        now_us: int
        ends_us, now_us = await self._run(PAUSE, key, [duration_ms])
        return -(-max(ends_us, now_us) // 1000)

    async def read(self, key: str) -> LimitUsage:
        """Read how much the key has used."""
        paused_ms, *used = await self._run(READ, key, list(self._pairs))
        return LimitUsage(paused_ms, tuple(map(WindowUsage, self._windows, used)))

    async def _run(self, script: Script, key: str, args: list[Argument]) -> Any:
        usage = self._keys.usage(key)
        try:
            return await self._connection.run(script, (usage,), args)
        except ServerError as error:
            if error.code != "WRONGTYPE":
                raise
            raise InvalidLimitError(self._keys.name, f"its key {usage} is something else in Redis") from error
