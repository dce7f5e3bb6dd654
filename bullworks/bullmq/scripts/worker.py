"""The scripts of the hot path: a typed method for each that a worker runs over and over."""

import asyncio
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import NoScriptError

from bullworks.bullmq.cancel.terms import CancelRequest
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.caller import load
from bullworks.bullmq.scripts.processing import ADVANCE, EXTEND_LOCKS, FetchError, FetchTerms
from bullworks.bullmq.wire import codec
from bullworks.redis import Argument, PipelinedConnection, Script, ServerError

COUNT_LINE = load("count_line")

# EVALSHA's own limit is far away, but Redis serves no other client during a script.
_LOCKS_A_CALL = 500

# The queue is another server's now.
_GONE = frozenset({"MOVED", "READONLY", "UNBLOCKED"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """The reply to a fetch.

    Attributes:
        jobs: id, hash, id, hash ... as Redis sent them; a hash is name, value, name, value ...
        state: OPEN, PAUSED, FULL, LIMITED or SUSPECT of worker/intake.py.
        wait_ms: until the limit ends (LIMITED), else until the next delayed job is due; -1 unknown.
    """

    jobs: list[Any]
    state: int
    wait_ms: int


class Advance:
    """A call of advance.lua in progress; awaiting it gives the reply.

    It leaves with its making, so Redis is at work before the coroutine that waits for it has its turn.
    """

    __slots__ = ("_args", "_connection", "_keys", "_reply")

    def __init__(self, connection: PipelinedConnection, keys: tuple[str], args: list[Argument]) -> None:
        self._connection = connection
        self._keys = keys
        self._args = args
        self._reply: asyncio.Future[Any] | None = None
        if connection.is_connected:
            self._reply = connection.send_now("EVALSHA", ADVANCE.sha, 1, *keys, *args)

    def __await__(self) -> Generator[Any, Any, tuple[list[int | bytes], Fetched]]:
        """A code for each outcome (see lua/advance.lua), and what was taken.

        Raises:
            FetchError: the outcomes are stored, but fetching failed.
        """
        return self._answer().__await__()

    async def _answer(self) -> tuple[list[int | bytes], Fetched]:
        if self._reply is None:
            answer = await self._connection.run(ADVANCE, self._keys, self._args)
        else:
            try:
                answer = await self._reply
            except ServerError as error:
                if error.code != "NOSCRIPT" and not self._connection.follows(error):
                    raise
                answer = await self._connection.execute("EVAL", ADVANCE.source, 1, *self._keys, *self._args)
        codes, jobs, state, wait_ms, _ = answer
        if isinstance(state, bytes):
            raise FetchError(state.decode("utf-8", "replace"), codes)
        return codes, Fetched(jobs, state, wait_ms)


class WorkerScripts:
    """The scripts of a worker: advance over the command connection, wait for work over the blocking one."""

    __slots__ = ("_base", "_blocking", "_commands", "_keys", "_marker", "_terms")

    def __init__(
        self,
        commands: PipelinedConnection,
        blocking: PipelinedConnection,
        keys: QueueKeys,
        terms: FetchTerms,
    ) -> None:
        self._commands = commands
        self._blocking = blocking
        self._keys = keys
        self._base = (keys.base,)
        self._marker = keys.of("marker")
        self._terms = terms

    def advance(
        self, outcomes: Iterable[tuple[str | bytes | int, ...]], want: int, token: str, holds: int | str
    ) -> "Advance":
        """Store outcomes and take up to `want` jobs under `token`; the call is sent at once if connected."""
        args = self._terms.args(want, token, holds)
        args.append(self._terms.most_points)
        for outcome in outcomes:
            args += outcome
        return Advance(self._commands, self._base, args)

    async def wait_for_marker(self, block_ms: int) -> "Marker | None":
        """Wait for a marker, at most `block_ms`, and take it; None if there was none, or the queue's server changed."""
        if not self._blocking.is_connected:
            await self._blocking.connect()
        try:
            # BZPOPMIN takes 0 as "for ever".
            popped = await self._blocking.send("BZPOPMIN", self._marker, max(block_ms, 1) / 1000)
        except ServerError as error:
            if error.code in _GONE or self._blocking.follows(error):
                return None
            raise
        return None if popped is None else Marker(popped[1], popped[2])

    async def count_line(self) -> tuple[int, int | None]:
        """Count the jobs in line, with those whose time has come; and the ms until the next is due, None if none is."""
        jobs, due_ms = await self._commands.run(COUNT_LINE, self._base, [])
        return jobs, None if due_ms < 0 else due_ms

    async def take_back(self, locks: Mapping[str, str]) -> list[str]:
        """Renew locks, and re-take expired ones whose jobs are free. Returns the ids of lost jobs."""
        lost: list[str] = []
        for args in _renewals(self._terms.lock_ms, locks):
            renewed = await self._commands.run(EXTEND_LOCKS, self._base, args)
            lost += [job_id.decode() for job_id in renewed[0]]
        return lost

    async def has_ended(self, job_id: str) -> bool:
        """Whether the job is finished, or no longer there."""
        key = self._keys.of(job_id)
        finished_on, exists = await asyncio.gather(
            self._commands.execute("HGET", key, codec.FINISHED_ON), self._commands.execute("EXISTS", key)
        )
        return finished_on is not None or not exists

    async def mark(self, marker: "Marker") -> None:
        """Put back a marker that was not needed, unless there is one again."""
        await self._commands.execute("ZADD", self._marker, "NX", marker.score, marker.member)


@dataclass(frozen=True, slots=True)
class Marker:
    """A taken marker: member `0` means there is work, `1` carries the time when the next delayed job is due."""

    member: bytes
    score: bytes


def extend_locks(
    client: redis.Redis, keys: QueueKeys, lock_ms: int, locks: Mapping[str, str]
) -> tuple[list[str], list[CancelRequest]]:
    """Renew locks with a blocking client, from another thread; expired ones whose jobs are free are re-taken.

    Returns the ids whose lock is lost, and those of the others that somebody has cancelled. Raises redis.RedisError
    where Redis could not be asked.
    """
    lost: list[str] = []
    cancelled: list[CancelRequest] = []
    for args in _renewals(lock_ms, locks):
        lost_now, found = _eval(client, EXTEND_LOCKS, keys.base, args)
        lost += [job_id.decode() for job_id in lost_now]
        texts = [part.decode("utf-8", "replace") for part in found]
        cancelled += [
            CancelRequest(job_id, locks[job_id], why) for job_id, why in zip(texts[::2], texts[1::2], strict=True)
        ]
    return lost, cancelled


def _renewals(lock_ms: int, locks: Mapping[str, str]) -> Iterator[list[Argument]]:
    """The arguments of lua/extend_locks.lua, for so many locks in each call as it may take."""
    held = list(locks.items())
    for start in range(0, len(held), _LOCKS_A_CALL):
        args: list[Argument] = [lock_ms, "1"]
        for job_id, token in held[start : start + _LOCKS_A_CALL]:
            args += (job_id, token)
        yield args


def _eval(client: redis.Redis, script: Script, key: str, args: list[Argument]) -> Any:
    try:
        return client.evalsha(script.sha.decode(), 1, key, *args)
    except NoScriptError:
        return client.eval(script.source.decode(), 1, key, *args)
