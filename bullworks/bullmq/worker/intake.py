"""Intake: what a worker holds, how many jobs more it may ask for, and when asking makes sense."""

import asyncio
from abc import abstractmethod
from typing import Protocol

from bullworks.bullmq.job.job import Job

# States that lua/lib/fetch.lua answers.
OPEN, PAUSED, FULL, LIMITED, SUSPECT = range(5)

# A job with so many stalls runs alone. Source: lua/lib/fetch.lua.
_SUSPECT_STALLS = 2
# So long a worker passes suspects, if others keep it busy; then it takes nothing until it may take one of them.
_PASSES_SUSPECTS_S = 10.0

# In a fleet that is full a worker that takes the next job with each outcome keeps its places for ever.
_TRIPS_A_TURN = 3

MOST_A_TRIP = 50
"""Jobs in one script call: under 1.2 ms of Redis, which serves nobody else meanwhile."""


class IntakeWatcher(Protocol):
    """Observer of the count of a worker's free slots."""

    @abstractmethod
    def intake_changed(self) -> None:
        """There may be more room, or more work, than before."""


class Intake:
    """Accounts for a worker's slots; every fetch reserves its room here.

    Args:
        isolates: a job that stalled twice runs alone.
        longest_limit_ms: how long to wait at most for a rate limit to end.
        watcher: told of each change.

    Attributes:
        locks: job id -> token, of every job whose outcome is not stored yet; renewed by the lock renewer, whose
            thread copies it.
        busy: jobs that were fetched and whose handler has not ended.
        expects_work: the last answer was all that was asked for, so there may be more: ask again, do not wait.
        calls: how often `look_again` was called.
        next_due_ms: until the next delayed job, as of the last answer; None unknown.
    """

    def __init__(self, concurrency: int, *, isolates: bool, longest_limit_ms: int, watcher: IntakeWatcher) -> None:
        self.locks: dict[str, str] = {}
        self.busy = 0
        self.expects_work = True
        self.calls = 0
        self.next_due_ms: int | None = None
        self._concurrency = concurrency
        self._isolates = isolates
        self._longest_limit_ms = longest_limit_ms
        self._watcher = watcher
        self._reserved = 0
        self._has_worked = False
        self._is_open = False
        self._is_reclaiming = False
        self._suspect_waits = False
        self._suspect_met_s: float | None = None
        self._runs_suspect = False
        self._is_fleet_full = False
        self._trips = 0
        self._limited_until_s = 0.0

    @property
    def holds(self) -> int | str:
        """The jobs beside which a suspect would run, for the fetch script; '' if that does not matter."""
        if not self._isolates or self._concurrency == 1:
            return ""  # whatever runs, runs alone
        holds = self.busy + self._reserved
        return -1 - holds if self._is_suspect_overdue else holds

    @property
    def _is_suspect_overdue(self) -> bool:
        met_s = self._suspect_met_s
        return met_s is not None and asyncio.get_running_loop().time() - met_s > _PASSES_SUSPECTS_S

    @property
    def is_open(self) -> bool:
        """Whether this worker takes jobs at present."""
        return self._is_open

    def look_again(self) -> None:
        """Note that there may be work, even if a fetch in progress will report none."""
        self.calls += 1
        self.expects_work = True
        self._watcher.intake_changed()

    def went_idle(self) -> bool:
        """Whether all jobs have ended that were taken since this was last so; True once for each such time."""
        has_ended = self._has_worked and self.busy == 0
        if has_ended:
            self._has_worked = False
        return has_ended

    def open(self) -> None:
        """Allow taking jobs from now on."""
        self._is_open = True
        self.expects_work = True
        self._watcher.intake_changed()

    def shut(self) -> None:
        """Refuse further jobs; a fetch in progress is still accounted for."""
        self._is_open = False

    def hold_off(self) -> None:
        """Take no jobs until those of a lost fetch are recovered."""
        self._is_reclaiming = True

    def go_on(self) -> None:
        """Take jobs again: those of the lost fetch are back in line."""
        self._is_reclaiming = False
        self.expects_work = True
        self._watcher.intake_changed()

    def room(self) -> int:
        """How many jobs may be fetched now, 0 .. MOST_A_TRIP."""
        if not self._is_open or self._is_reclaiming or self._runs_suspect:
            return 0
        if self._suspect_waits and (self._reserved > 0 or (self.busy > 0 and self._is_suspect_overdue)):
            return 0
        if self._limited_until_s and asyncio.get_running_loop().time() < self._limited_until_s:
            return 0
        return max(min(self._concurrency - self.busy - self._reserved, MOST_A_TRIP), 0)

    def room_beside(self, outcomes: int) -> int:
        """How many jobs a call that stores so many outcomes may fetch.

        In a full fleet no more than places become free with it, so that none is taken which another worker was woken
        for; and now and then none, so that the worker which has waited longest is.
        """
        room = self.room()
        if not self._is_fleet_full or not outcomes:
            return room
        self._trips += 1
        return 0 if self._trips % _TRIPS_A_TURN == 0 else min(room, outcomes)

    def set_concurrency(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self.expects_work = True
        self._watcher.intake_changed()

    def reserve(self, count: int) -> None:
        self._reserved += count

    def unanswered(self, reserved: int) -> None:
        """Release the reservation of a fetch that failed."""
        self._reserved -= reserved

    def answered(self, reserved: int, taken: int, state: int, wait_ms: int, *, calls: int) -> None:
        """Settle a fetch that returned jobs; they count as busy from here.

        Args:
            calls: the number of `calls` when it left. Where there were more since, its answer may be older than they.
        """
        self._reserved -= reserved
        self.busy += taken
        if taken:
            self._has_worked = True
        if reserved == 0:
            return
        self.expects_work = taken == reserved or calls != self.calls
        self._suspect_waits = state == SUSPECT
        self._is_fleet_full = state == FULL
        if self._suspect_waits and self._suspect_met_s is None:
            self._suspect_met_s = asyncio.get_running_loop().time()
        self.next_due_ms = wait_ms if state != LIMITED and wait_ms >= 0 else None
        self._limited_until_s = 0.0
        if state == LIMITED and taken < reserved:
            loop = asyncio.get_running_loop()
            # A limit may be lifted before its time.
            wait_s = min(max(wait_ms, 1), self._longest_limit_ms) / 1000
            self._limited_until_s = loop.time() + wait_s
            self.expects_work = True
            loop.call_later(wait_s, self._watcher.intake_changed)
        if not self.expects_work:
            self._watcher.intake_changed()

    def took(self, job: Job, token: str) -> None:
        self.locks[job.id] = token
        if self._isolates and job.stalled_counter >= _SUSPECT_STALLS and not job.deferred_failure:
            self._runs_suspect = True
            self._suspect_met_s = None

    def ended(self, count: int = 1) -> None:
        """Free the slots of handlers that ended or never began."""
        self.busy -= count
        if self.busy == 0:
            self._runs_suspect = False
            if self._suspect_waits:
                self.expects_work = True  # now one of them may be had
        self._watcher.intake_changed()

    def settled(self, job_id: str, token: str) -> None:
        """Stop renewing a job's lock: its outcome is stored, or can no longer be."""
        if self.locks.get(job_id) == token:
            del self.locks[job_id]
