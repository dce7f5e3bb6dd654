"""Finisher: stores outcomes and takes the next jobs, both in one trip.

Outcomes gather while a trip is under way, so the busier the worker, the fewer trips a job. Two may be under way: Redis
works on one while handlers of the other run. Where handlers end at once, half of the slots fill a trip; where they take
time, a twentieth: then the call itself is cheap beside the time that a free slot waits for its next job.
"""

import asyncio
import logging
from collections import deque
from itertools import count

from bullworks.bullmq.errors import (
    JobChildrenError,
    LockLostError,
    QueueError,
    ScriptFailedError,
    WrongKeyTypeError,
    outcome_error,
)
from bullworks.bullmq.job.outcome import Outcome, OutcomeRules
from bullworks.bullmq.scripts.processing import FetchError
from bullworks.bullmq.scripts.worker import Advance, WorkerScripts
from bullworks.bullmq.worker.intake import MOST_A_TRIP, Intake
from bullworks.bullmq.worker.job_sink import JobSink
from bullworks.bullmq.worker.supervisor import Supervisor
from bullworks.bullmq.worker.wakeup import Wakeup
from bullworks.redis import ConnectionLostError, Pace, RedisError

log = logging.getLogger(__name__)

_LANES = 2
# An outcome that a script cannot store for what others wrote is given up then; its job stalls, and fails for that.
_MOST_REFUSALS = 5
# A handler that took longer has waited for something, and other slots wait still: Redis has time for small calls.
_QUICK_MS = 1


class Finisher:
    """Stores outcomes over long-lived lanes, each with at most one call in progress.

    Args:
        scripts: of the worker's queue.
        intake: how many jobs a trip may ask for.
        rules: what becomes of a job whose completion its children forbid.
        jobs: told what each trip brought, and what became of the outcomes that it took along.
        worker_id: what the lock tokens begin with.
        concurrency: of the worker.
    """

    def __init__(
        self,
        scripts: WorkerScripts,
        intake: Intake,
        rules: OutcomeRules,
        jobs: JobSink,
        *,
        worker_id: str,
        concurrency: int,
        supervisor: Supervisor,
    ) -> None:
        self._scripts = scripts
        self._intake = intake
        self._rules = rules
        self._jobs = jobs
        self._worker_id = worker_id
        self._fetches = count(1)
        self._outcomes: deque[Outcome] = deque()
        self._sleeping: list[Wakeup] = []
        self._is_called = False
        self._is_started = False
        self._lanes = [supervisor.background(f"finisher-{number}", self._run) for number in range(_LANES)]
        self._under_way = 0
        self._begun: deque[_Trip] = deque()
        self._retrying = 0
        self._drained: asyncio.Event = asyncio.Event()
        self.set_concurrency(concurrency)
        self._queue_name = supervisor.queue_name
        self._pace = Pace(log, f"queue {self._queue_name}: storing outcomes and fetching")

    def set_concurrency(self, concurrency: int) -> None:
        # Outcomes that are worth a trip of their own, of quick handlers and of others.
        self._many = max(1, min(concurrency // 2, MOST_A_TRIP))
        self._few = max(1, min(concurrency // 20, MOST_A_TRIP))
        self._enough = self._many

    def start(self) -> None:
        self._is_started = True
        for lane in self._lanes:
            lane.start()

    def add(self, outcome: Outcome) -> None:
        """Queue an outcome for the next call."""
        self._outcomes.append(outcome)
        self._enough = self._few if outcome.duration_ms > _QUICK_MS else self._many
        if not self._under_way:
            self._call()

    def wake(self) -> None:
        """Check again whether there is something to store or fetch."""
        if self._is_started and self._under_way < _LANES and self._is_due():
            # It leaves now, and a lane finds it under way.
            self._begun.append(self._begin())
            self._call()
        elif not self._under_way:
            self._call()

    def _is_due(self) -> bool:
        """Whether a trip need not wait for the handlers that end in this turn of the loop."""
        count = len(self._outcomes)
        if count == 0:
            return not self._under_way and self._has_trip()
        return count >= self._enough or (not self._under_way and not self._intake.busy)

    def _call(self) -> None:
        """Have a lane look, unless one is about to."""
        if self._sleeping and not self._is_called:
            self._is_called = True
            self._sleeping.pop().set()

    @property
    def is_idle(self) -> bool:
        return not (self._outcomes or self._under_way or self._retrying)

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all outcomes are stored. False if the time ran out first."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self.is_idle:
                    self._drained.clear()
                    await self._drained.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        self._is_started = False
        await asyncio.gather(*(lane.close() for lane in self._lanes))

    async def _run(self) -> None:
        wakeup = Wakeup()
        while True:
            trip = self._next_trip()
            if trip is None:
                if self.is_idle:
                    self._drained.set()
                await self._sleep(wakeup)
                continue
            if self._begun:
                self._call()
            try:
                await self._end(trip)
            finally:
                self._under_way -= 1

    async def _sleep(self, wakeup: Wakeup) -> None:
        self._sleeping.append(wakeup)
        try:
            await wakeup.wait()
        finally:
            if wakeup in self._sleeping:
                self._sleeping.remove(wakeup)  # it ends uncalled
            else:
                self._is_called = False

    def _next_trip(self) -> "_Trip | None":
        if self._begun:
            return self._begun.popleft()
        return self._begin() if self._has_trip() else None

    def _has_trip(self) -> bool:
        if self._under_way:
            return len(self._outcomes) >= self._enough
        return bool(self._outcomes) or (self._intake.expects_work and self._intake.room() > 0)

    def _begin(self) -> "_Trip":
        outcomes, intake = self._outcomes, self._intake
        batch = [outcomes.popleft() for _ in range(min(len(outcomes), MOST_A_TRIP))]
        want, holds = intake.room_beside(len(batch)), intake.holds
        # A token for each fetch: where its reply is lost, its jobs are known by it.
        token = f"{self._worker_id}:{next(self._fetches)}"
        intake.reserve(want)
        self._under_way += 1
        return _Trip(
            batch, want, token, self._scripts.advance([o.to_script() for o in batch], want, token, holds), intake.calls
        )

    async def _end(self, trip: "_Trip") -> None:
        intake, batch, want, token = self._intake, trip.batch, trip.want, trip.token
        try:
            codes, fetched = await trip.advance
        except FetchError as error:
            intake.unanswered(want)
            # The script may have taken jobs before it broke off.
            self._jobs.lost(token)
            await self._settle(batch, error.codes)
            await self._pace.wait(error)
        except RedisError as error:
            self._send_again(trip, is_lost=isinstance(error, ConnectionLostError))
            await self._pace.wait(error)
        except BaseException:
            # This lane ends; what it has sent is for the next one.
            self._send_again(trip, is_lost=True)
            raise
        else:
            self._pace.reset()
            intake.answered(want, len(fetched.jobs) // 2, fetched.state, fetched.wait_ms, calls=trip.calls)
            if fetched.jobs:
                self._jobs.took(fetched, token)
            await self._settle(batch, codes)

    def _send_again(self, trip: "_Trip", *, is_lost: bool) -> None:
        """The answer will not come: its outcomes go with another trip. `is_lost`: Redis may have run it."""
        self._intake.unanswered(trip.want)
        for outcome in trip.batch:
            outcome.was_sent = True
        self._outcomes.extendleft(reversed(trip.batch))
        if trip.want and is_lost:
            self._jobs.lost(trip.token)

    async def _settle(self, batch: list[Outcome], codes: list[int | bytes]) -> None:
        for at, (outcome, code) in enumerate(zip(batch, codes, strict=True)):
            try:
                if code == 0:
                    self._intake.settled(outcome.job.id, outcome.token)
                    self._jobs.stored(outcome)
                else:
                    await self._unstored(outcome, outcome_error(code, outcome.job.id, "storing its outcome"))
            except Exception:
                log.exception(
                    "job %s: its outcome is stored, but a listener failed",
                    outcome.job.id,
                    extra={"queue": self._queue_name, "job_id": outcome.job.id},
                )
            except BaseException:
                for later in batch[at + 1 :]:
                    later.was_sent = True
                self._outcomes.extendleft(reversed(batch[at + 1 :]))
                raise

    async def _unstored(self, outcome: Outcome, error: QueueError) -> None:
        if isinstance(error, WrongKeyTypeError | ScriptFailedError):
            outcome.refusals += 1
            # Nothing was written and the lock is still ours. Whoever put a key of another type there may take it away.
            if isinstance(error, WrongKeyTypeError) or outcome.refusals < _MOST_REFUSALS:
                self._retry_later(outcome, self._pace.next_s(error))
                return
        if isinstance(error, JobChildrenError) and outcome.kind == "complete":
            # As in Node: whoever returns while children are open, or a failed one forbids it, has failed the attempt.
            self.add(await self._rules.failed(outcome.job, error))
            return
        if isinstance(error, LockLostError) and error.has_expired and await self._took_back(outcome):
            return
        self._intake.settled(outcome.job.id, outcome.token)
        if outcome.was_sent:
            log.info(
                "job %s: outcome sent again, already stored or lost: %s",
                outcome.job.id,
                error,
                extra={"queue": self._queue_name, "job_id": outcome.job.id},
            )
            if await self._is_stored(outcome):
                self._jobs.stored(outcome)
                return
        self._jobs.refused(outcome, error)

    async def _took_back(self, outcome: Outcome) -> bool:
        """Whether the job is still ours after all: its lock ran out while Redis was away, and nobody has taken it."""
        try:
            lost = await self._scripts.take_back({outcome.job.id: outcome.token})
        except RedisError as error:
            self._retry_later(outcome, self._pace.next_s(error))
            return True
        if lost:
            return False
        log.info(
            "job %s: its lock had expired, and is re-acquired to store its outcome",
            outcome.job.id,
            extra={"queue": self._queue_name, "job_id": outcome.job.id},
        )
        self.add(outcome)
        return True

    async def _is_stored(self, outcome: Outcome) -> bool:
        try:
            return await self._scripts.has_ended(outcome.job.id)
        except RedisError:
            return False

    def _retry_later(self, outcome: Outcome, delay_s: float) -> None:
        self._retrying += 1

        def again() -> None:
            self._retrying -= 1
            self.add(outcome)

        asyncio.get_running_loop().call_later(delay_s, again)


class _Trip:
    """One call of advance.lua: what it stores, how many jobs it asks for, under which token, after how many calls."""

    __slots__ = ("advance", "batch", "calls", "token", "want")

    def __init__(self, batch: list[Outcome], want: int, token: str, advance: Advance, calls: int) -> None:
        self.batch = batch
        self.want = want
        self.token = token
        self.advance = advance
        self.calls = calls
