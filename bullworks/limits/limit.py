"""Limit: how much may be done in some time, by all queues and processes that share a Redis."""

import asyncio
import random
import secrets
from types import TracebackType
from typing import Any, Self

from bullworks.bullmq import DelayedError, Duration, Job, to_ms
from bullworks.bullmq.connecting import Connection, lease
from bullworks.limits.errors import InvalidLimitError, LimitReachedError, LimitUnreachableError
from bullworks.limits.keys import LimitKeys
from bullworks.limits.limit_scripts import Granted, LimitScripts, Refused
from bullworks.limits.reservation import Reservation, checked_cost
from bullworks.limits.window import LimitUsage, Window
from bullworks.redis import persist

# How long one request may take where the caller does not wait for longer: as long as an ordinary start waits for Redis.
_PATIENCE_S = 5.0
# A waiting caller asks again within this, which shows that it is alive; others may have given something back meanwhile.
_RECHECK_S = 1.0
# Callers that wait for the same moment do not all ask at once.
_MOST_JITTER_S = 0.01


class Limit:
    """A named limit with one or more windows: a cost is granted if all of them have room for it.

    In no period as long as a window is more than its `most` granted, to all callers together, by Redis's clock. Each
    key of a limit is counted by itself. All users of a limit name the same windows. Opens no socket until it is used.

    Args:
        name: 1 .. 200 printable characters without braces.
        windows: one or more, of different lengths.
        connection: a URL, a redis.asyncio client, whose settings are read, or a connection to share.

    Raises:
        InvalidLimitError: the name or the windows cannot be used.
        BadUrlError: a bad URL.
    """

    def __init__(self, name: str, *windows: Window, connection: Connection) -> None:
        keys = self.check(name, windows)
        self.name = name
        self.windows = windows
        self._lease = lease(connection)
        self.scripts = LimitScripts(self._lease.connection, keys, windows)

    @staticmethod
    def check(name: str, windows: tuple[Window, ...]) -> LimitKeys:
        """Check a limit's name and windows, and build its keys.

        Raises:
            InvalidLimitError: a bad name; no windows, something else, or two of one length.
        """
        keys = LimitKeys(name)
        if not windows or not all(isinstance(window, Window) for window in windows):
            raise InvalidLimitError(name, f"needs windows, as in Window(10, per=1_000), not {windows!r}")
        if len({window.per_ms for window in windows}) != len(windows):
            raise InvalidLimitError(name, "has two windows of one length; the smaller `most` is the one that holds")
        return keys

    def __repr__(self) -> str:
        return f"<Limit {self.name!r} at {self._lease.connection.endpoint.describe()}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def reserve(
        self, cost: int = 1, *, key: str = "", wait: Duration = 0, job: Job[Any, Any] | None = None
    ) -> Reservation:
        """Reserve a cost before the work that causes it.

        Args:
            cost: what the work will cost at most, >= 1; `settle` of what this returns says what it did cost.
            key: that is counted by itself, such as a tenant or an API key; "" is the limit as a whole.
            wait: how long to wait for room. If there will be none by then, the answer comes at once.
            job: the job that is being processed. If there is no room it is delayed until there may be, with no attempt
                spent, and DelayedError is raised, which its handler lets through.

        Raises:
            LimitReachedError: there is no room, and no job was given.
            DelayedError: there is no room, and the job is delayed. Or what `job.move_to_delayed` raises.
            InvalidLimitError: a cost that the limit can never grant, or a key or wait that cannot be used.
            LimitUnreachableError: Redis gave no answer in time.
        """
        self._check_cost(cost)
        wait_ms = self._duration_ms("wait", wait, 0)
        answer = await self._ask(key, cost, wait_ms)
        if isinstance(answer, Granted):
            return Reservation(self.scripts, self.name, key, cost, answer.at_us)
        retry_at_ms = answer.now_ms + answer.wait_ms
        if job is not None:
            await self._delay(job, retry_at_ms)
        raise LimitReachedError(self.name, key, answer.wait_ms, retry_at_ms)

    async def pause(self, duration: Duration, *, key: str = "", job: Job[Any, Any] | None = None) -> None:
        """Grant nothing for `duration` from now, as the other side's Retry-After asks; a longer pause stays.

        Args:
            duration: >= 1 ms.
            key: the one to pause; "" pauses the limit as a whole, and no other key.
            job: the job that is being processed: it is delayed until the end of the pause, see `reserve`.

        Raises:
            DelayedError: a job was given, and is delayed.
            InvalidLimitError: a duration or key that cannot be used.
        """
        ends_at_ms = await self.scripts.pause(key, self._duration_ms("duration", duration, 1))
        if job is not None:
            await self._delay(job, ends_at_ms)

    async def resume(self, *, key: str = "") -> None:
        """End the pause of this key, if there is one."""
        await self.scripts.pause(key, 0)

    async def get_usage(self, *, key: str = "") -> LimitUsage:
        """Read how much counts in each window now, and how long the key is still paused."""
        return await self.scripts.read(key)

    async def close(self) -> None:
        """Close its connection; a shared one stays open. Closing twice is fine."""
        await self._lease.end()

    async def _ask(self, key: str, cost: int, wait_ms: int) -> Granted | Refused:
        """Ask until there is room, or until it is known that there will be none in time."""
        loop = asyncio.get_running_loop()
        token = secrets.token_hex(8)
        until_s = loop.time() + wait_ms / 1000
        while True:
            left_s = max(until_s - loop.time(), 0.0)
            answer = await self._request(key, cost, token, left_s)
            if isinstance(answer, Granted) or answer.wait_ms > left_s * 1000:
                return answer
            pause_s = min(answer.wait_ms / 1000, _RECHECK_S)
            await asyncio.sleep(pause_s + random.random() * min(pause_s, _MOST_JITTER_S))  # noqa: S311 - no secret

    async def _request(self, key: str, cost: int, token: str, left_s: float) -> Granted | Refused:
        patience_s = max(left_s, _PATIENCE_S)
        until_s = asyncio.get_running_loop().time() + patience_s
        try:
            return await persist(lambda: self.scripts.reserve(key, cost, token, int(left_s * 1000)), until_s)
        except TimeoutError as error:
            server = self._lease.connection.endpoint.describe()
            raise LimitUnreachableError(self.name, server, round(patience_s * 1000)) from error

    async def _delay(self, job: Job[Any, Any], until_ms: int) -> None:
        await job.move_to_delayed(until_ms)
        raise DelayedError

    def _check_cost(self, cost: object) -> None:
        checked = checked_cost(self.name, cost, 1)
        least = min(self.windows, key=lambda window: window.most)
        if checked > least.most:
            raise InvalidLimitError(
                self.name, f"a cost of {checked} can never be granted: its window of {least.per_ms} ms has {least.most}"
            )

    def _duration_ms(self, option: str, value: object, least: int) -> int:
        try:
            return to_ms(value, option, least=least)
        except ValueError as error:
            raise InvalidLimitError(self.name, str(error)) from None
