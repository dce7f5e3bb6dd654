"""RedisJournal: ticks are claimed in Redis, runs and misses written down there."""

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Sequence

from bullworks.redis import Argument, RedisError
from bullworks.schedule.clockwork.clock import SystemClock
from bullworks.schedule.clockwork.shared_clock import SharedClock
from bullworks.schedule.journal.journal import CronFacts, CronRun, Verdict, warn_of_misses
from bullworks.schedule.journal.recorder import Connect, Recorder, RunRecord
from bullworks.schedule.journal.scripts import Claim, CronScripts, Instance

log = logging.getLogger(__name__)

# A claim is asked for once at least, however small the threshold, or little of it left.
_LEAST_MS = 100
_BETWEEN_TRIES_S = 0.02
# As many as a cron's list holds; of more ticks the latest.
_MOST_LISTED = 100
_ERROR_CHARS = 200


def this_instance() -> Instance:
    """Create a new name and token for this process."""
    return Instance(uuid.uuid4().hex, f"{socket.gethostname()}:{os.getpid()}".replace("|", "-"))


class RedisJournal:
    """The journal of one process in Redis.

    Args:
        connect: gives the connection, making it if need be.
        records_all: also those crons that have no name of their own.
        instance: this process.
        clock: that of the fleet, updated with Redis's answers.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        records_all: bool,
        instance: Instance | None = None,
        clock: SharedClock | None = None,
    ) -> None:
        self._connect = connect
        self._records_all = records_all
        self.instance = instance or this_instance()
        self._recorder = Recorder(connect, self.instance)
        self._clock = clock or SharedClock(SystemClock())
        self._asked_for: set[tuple[str, int]] = set()

    async def claim(self, cron: CronFacts, tick_ms: int, late_ms: int) -> Verdict:
        key = (cron.name, tick_ms)
        # A clock that was set back brings a tick up again; asking with our token once more would give it to us twice.
        if key in self._asked_for or self._recorder.has(*key):
            return Verdict.TAKEN
        self._asked_for.add(key)
        try:
            claim = await self._answer(cron, tick_ms, max(cron.threshold_ms - late_ms, _LEAST_MS) / 1000)
        finally:
            self._asked_for.discard(key)
        if claim is None:
            return Verdict.TAKEN
        match claim.verdict:
            case Verdict.TAKEN:
                log.debug("cron %s: the tick %d is taken: %s", cron.name, tick_ms, claim.owner)
            case Verdict.LATE:
                self.missed(cron, [tick_ms], f"came up {claim.now_ms - tick_ms} ms late")
            case Verdict.OURS:
                self._recorder.hold(cron, tick_ms)
                if claim.before_ms is not None:
                    self._list_gap(cron, claim.before_ms, tick_ms)
        return claim.verdict

    def ended(self, cron: CronFacts, run: CronRun) -> None:
        claimed_ms = run.tick_ms if cron.is_distributed else None
        if not (cron.is_distributed or cron.has_own_name or self._records_all):
            return
        next_ms = cron.ticks.next_ms(run.started_at_ms)
        gap_ms = None if next_ms is None else next_ms - run.started_at_ms
        fields: dict[str, Argument] = {
            "pattern": cron.ticks.pattern,
            "started": run.started_at_ms,
            "duration": run.duration_ms,
            "result": _result(run.error),
            "error": "" if run.error is None else f"{type(run.error).__name__}: {run.error}"[:_ERROR_CHARS],
            "instance": self.instance.name,
            "next": "" if next_ms is None else next_ms,
        }
        if run.error is None:
            fields["succeeded"] = run.started_at_ms
        self._recorder.run(RunRecord(cron, claimed_ms, gap_ms, fields))

    def missed(self, cron: CronFacts, ticks_ms: Sequence[int], reason: str) -> None:
        self._miss(cron, ticks_ms, reason, logging.WARNING)

    def _miss(self, cron: CronFacts, ticks_ms: Sequence[int], reason: str, level: int) -> None:
        warn_of_misses(cron, ticks_ms, reason)
        if cron.is_distributed or cron.has_own_name or self._records_all:
            self._recorder.miss(cron, ticks_ms[-_MOST_LISTED:], reason, level)

    async def close(self) -> None:
        """Write what is left, if Redis is available."""
        await self._recorder.close()

    async def _answer(self, cron: CronFacts, tick_ms: int, patience_s: float) -> Claim | None:
        """Asked again, with the same token, until there is an answer: the first may be what got lost."""
        last: Exception = TimeoutError("no answer")
        gap_ms, within_ms = cron.gap_ms(tick_ms), max(cron.threshold_ms, _LEAST_MS)
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    try:
                        scripts = CronScripts(await self._connect(), self.instance)
                        asked_ms = self._clock.asked_ms()
                        claim = await scripts.claim_tick(
                            cron.name, tick_ms, pattern=cron.ticks.pattern, gap_ms=gap_ms, within_ms=within_ms
                        )
                        self._clock.heard(claim.now_ms, asked_ms)
                        return claim
                    except RedisError as error:
                        last = error
                    await asyncio.sleep(_BETWEEN_TRIES_S)
        except TimeoutError:
            reason = f"Redis did not answer within {patience_s * 1000:.0f} ms whether it may run: {last}"
            self._miss(cron, [tick_ms], reason, logging.ERROR)
            return None

    def _list_gap(self, cron: CronFacts, before_ms: int, tick_ms: int) -> None:
        """List what lies between the tick that was accounted for last and this one."""
        gap: list[int] = []
        missed_ms = cron.ticks.prev_ms(tick_ms)
        while missed_ms is not None and missed_ms > before_ms and len(gap) < _MOST_LISTED:
            gap.append(missed_ms)
            missed_ms = cron.ticks.prev_ms(missed_ms)
        if gap:
            self._recorder.miss(cron, gap[::-1], "no process claimed it")


def _result(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    return "interrupted" if isinstance(error, asyncio.CancelledError) else "failed"
