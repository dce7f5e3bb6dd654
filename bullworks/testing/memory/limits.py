"""MemoryLimit: the Limit of one process, without Redis."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bullworks.limits import Limit, LimitUsage, Window, WindowUsage
from bullworks.limits.keys import LimitKeys
from bullworks.limits.limit_scripts import Granted, LimitScripts, Refused
from bullworks.testing.memory.no_server import NoServerConnection


class MemoryLimit(Limit):
    """An in-memory limit that behaves as Limit does, by the real clock, without Redis.

    A window's length is real time: advancing a harness's clock does not end it.
    """

    def __init__(self, name: str, *windows: Window) -> None:
        no_server = NoServerConnection(f"limit {name}")
        super().__init__(name, *windows, connection=no_server)
        self.scripts = MemoryLimitScripts(no_server, LimitKeys(name), windows)


@dataclass(slots=True)
class _Used:
    """The costs of one key by the time of each, us since the epoch."""

    costs: dict[int, int] = field(default_factory=dict)
    paused_until_us: int = 0

    def within(self, window: Window, now_us: int) -> int:
        since_us = now_us - window.per_ms * 1_000
        return sum(cost for at_us, cost in self.costs.items() if at_us > since_us)


class MemoryLimitScripts(LimitScripts):
    """Does in memory what the scripts of a limit do in Redis; see LimitScripts."""

    __slots__ = ("_used",)

    def __init__(self, connection: NoServerConnection, keys: LimitKeys, windows: Sequence[Window]) -> None:
        super().__init__(connection, keys, windows)
        self._used: dict[str, _Used] = {}

    async def reserve(self, key: str, cost: int, token: str, patience_ms: int) -> Granted | Refused:  # noqa: ARG002
        used, now_us = self._of(key), _now_us()
        room_at_us = max(used.paused_until_us, *(self._room_at_us(used, window, cost) for window in self._windows))
        if room_at_us > now_us:
            return Refused(-(-(room_at_us - now_us) // 1_000), now_us // 1_000)
        while now_us in used.costs:
            now_us += 1
        used.costs[now_us] = cost
        return Granted(now_us)

    async def settle(self, key: str, at_us: int, reserved: int, spent: int) -> None:
        costs = self._of(key).costs
        if spent > reserved:
            now_us = _now_us()
            costs[now_us] = costs.get(now_us, 0) + spent - reserved
        elif at_us in costs:
            costs[at_us] = spent

    async def pause(self, key: str, duration_ms: int) -> int:
        used, now_us = self._of(key), _now_us()
        used.paused_until_us = max(used.paused_until_us, now_us + duration_ms * 1_000) if duration_ms else 0
        return -(-max(used.paused_until_us, now_us) // 1_000)

    async def read(self, key: str) -> LimitUsage:
        used, now_us = self._of(key), _now_us()
        windows = tuple(WindowUsage(window, used.within(window, now_us)) for window in self._windows)
        return LimitUsage(max(-(-(used.paused_until_us - now_us) // 1_000), 0), windows)

    def _of(self, key: str) -> _Used:
        """Find what a key has used, without the costs that count in no window any more."""
        used = self._used.setdefault(self._keys.usage(key), _Used())
        since_us = _now_us() - max(window.per_ms for window in self._windows) * 1_000
        for at_us in [at_us for at_us in used.costs if at_us <= since_us]:
            del used.costs[at_us]
        return used

    def _room_at_us(self, used: _Used, window: Window, cost: int) -> int:
        """Find when the window has room for the cost, us since the epoch; 0 if it has now."""
        now_us, length_us = _now_us(), window.per_ms * 1_000
        excess = used.within(window, now_us) + cost - window.most
        room_at_us = 0
        for at_us in sorted(used.costs):
            if excess > 0 and at_us > now_us - length_us:
                excess -= used.costs[at_us]
                room_at_us = at_us + length_us
        return room_at_us


def _now_us() -> int:
    return time.time_ns() // 1_000
