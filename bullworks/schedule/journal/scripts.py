"""The scripts of crons, a typed method for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bullworks.redis import Argument, PipelinedConnection, Script
from bullworks.schedule.journal.journal import Verdict
from bullworks.schedule.journal.keys import CronKeys

# A claim is remembered for an hour at least, whatever clocks do meanwhile; and for twice the time to the next tick, so
# that a rare cron is safe from a clock that is a day off; yet not for ever.
_SHORTEST_CLAIM_MS = 60 * 60 * 1000
_LONGEST_CLAIM_MS = 7 * 24 * 60 * 60 * 1000
# The records of a cron that no process runs any more expire after this time, and twice the time to its next tick.
_STATE_MS = 30 * 24 * 60 * 60 * 1000
# With nothing heard of a run for so long, its process counts as dead. Long runs are renewed three times in that.
LEASE_MS = 15_000
# A lease is renewed however long ago its tick was due, also where Redis has forgotten the claim.
_RENEWED_WITHIN_MS = _LONGEST_CLAIM_MS


def _load(name: str) -> Script:
    return Script.load("bullworks.schedule", name)


CLAIM_TICK = _load("claim_tick")
RECORD_RUN = _load("record_run")
LIST_MISSES = _load("list_misses")
READ_CRON = _load("read_cron")


@dataclass(frozen=True, slots=True)
class Instance:
    """One process, or one of its schedulers.

    Args:
        token: unique.
        name: host and process id, for people.
    """

    token: str
    name: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The result of a claim.

    Args:
        verdict: whose the tick is.
        now_ms: what the clock of Redis showed.
        owner: of a taken tick: who has it, or `ran` or `missed`.
        before_ms: of ours: the latest tick accounted for before this one, or None if none is known.
    """

    verdict: Verdict
    now_ms: int
    owner: str = ""
    before_ms: int | None = None

    @property
    def is_ours(self) -> bool:
        """Whether this process may run the tick."""
        return self.verdict is Verdict.OURS


@dataclass(frozen=True, slots=True)
class Listing:
    """The result of listing missed ticks.

    Args:
        listed: those that are listed now and were not before.
        early: those that are not over yet by the clock of Redis, and may still be claimed.
    """

    listed: Sequence[int]
    early: Sequence[int]


@dataclass(frozen=True, slots=True)
class CronView:
    """A cron as stored in Redis."""

    state: Mapping[str, str]
    misses: Sequence[str]
    open: Sequence[str]


def claim_kept_ms(gap_ms: int | None) -> int:
    """How long a claim is kept, ms, from the time between its tick and the next; None if there is no next."""
    wanted_ms = _LONGEST_CLAIM_MS if gap_ms is None else 2 * gap_ms
    return max(_SHORTEST_CLAIM_MS, min(wanted_ms, _LONGEST_CLAIM_MS))


def state_kept_ms(gap_ms: int | None) -> int:
    """How long a cron's records are kept, ms, from the time between two ticks."""
    return _STATE_MS + 2 * (gap_ms or 0)


class CronScripts:
    """The schedule's scripts over one connection, on behalf of one process."""

    __slots__ = ("_connection", "_instance")

    def __init__(self, connection: PipelinedConnection, instance: Instance) -> None:
        self._connection = connection
        self._instance = instance

    async def claim_tick(
        self, name: str, tick_ms: int, *, pattern: str, gap_ms: int | None, within_ms: int = _RENEWED_WITHIN_MS
    ) -> Claim:
        """Claim a tick that has been due for no longer than `within_ms`, or renew the lease of its run."""
        keys = CronKeys(name)
        args: list[Argument] = [
            tick_ms,
            self._instance.token,
            self._instance.name,
            claim_kept_ms(gap_ms),
            LEASE_MS,
            pattern,
            state_kept_ms(gap_ms),
            within_ms,
        ]
        code, now_ms, text = await self._connection.run(
            CLAIM_TICK, (keys.claim(tick_ms), keys.open, keys.misses, keys.state), args
        )
        verdict = Verdict(code)
        if verdict is Verdict.OURS:
            return Claim(verdict, now_ms, before_ms=int(text) if text else None)
        return Claim(verdict, now_ms, owner=text.decode())

    async def record_run(
        self, name: str, claimed_tick_ms: int | None, *, gap_ms: int | None, fields: Mapping[str, Argument]
    ) -> None:
        """Record how a run ended; `tick` is the tick of a claimed run."""
        keys = CronKeys(name)
        args: list[Argument] = [
            "" if claimed_tick_ms is None else claimed_tick_ms,
            self._instance.token,
            self._instance.name,
            claim_kept_ms(gap_ms),
            state_kept_ms(gap_ms),
        ]
        for field, value in fields.items():
            args += (field, value)
        await self._connection.run(
            RECORD_RUN, (keys.state, keys.open, keys.misses, keys.claim(claimed_tick_ms or 0)), args
        )

    async def list_misses(
        self,
        name: str,
        ticks_ms: Sequence[int],
        reason: str,
        *,
        is_distributed: bool,
        gap_ms: int | None,
        within_ms: int = 0,
    ) -> Listing:
        """List ticks, at most 100, as missed; of a distributed cron only those due for over `within_ms`."""
        keys = CronKeys(name)
        claims = [keys.claim(tick_ms) for tick_ms in ticks_ms] if is_distributed else []
        kept_ms = claim_kept_ms(gap_ms)
        args: list[Argument] = [self._instance.token, self._instance.name, reason, kept_ms, within_ms, *ticks_ms]
        listed, early = await self._connection.run(LIST_MISSES, (keys.state, keys.open, keys.misses, *claims), args)
        return Listing([int(tick_ms) for tick_ms in listed], [int(tick_ms) for tick_ms in early])


async def read_cron(connection: PipelinedConnection, name: str) -> CronView:
    """Read a cron's state from Redis."""
    keys = CronKeys(name)
    fields, misses, open_ = await connection.run(READ_CRON, (keys.state, keys.open, keys.misses), [])
    texts: list[str] = [_text(field) for field in fields]
    return CronView(
        dict(zip(texts[::2], texts[1::2], strict=True)), [_text(m) for m in misses], [_text(member) for member in open_]
    )


def _text(reply: Any) -> str:
    return bytes(reply).decode(errors="replace")
