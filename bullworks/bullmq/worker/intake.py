"""Intake: what a worker holds, how many jobs more it may ask for, and when asking makes sense."""

import asyncio
from collections.abc import Callable
from typing import Any

from bullworks.bullmq.job.job import Job

# States that lua/lib/fetch.lua answers.
OPEN, PAUSED, FULL, LIMITED, SUSPECT = range(5)

MOST_A_TRIP = 50
"""Jobs in one script call: under 1.2 ms of Redis, which serves nobody else meanwhile."""


class Intake:
    """The one account of a worker's slots; everything that fetches asks it and answers to it.

    Attributes:
        locks: job id -> token, of every job whose outcome is not stored yet; renewed by the lock renewer, whose
            thread copies it.
        busy: jobs that were fetched and whose handler has not ended.
        expects_work: the last answer was all that was asked for, so there may be more: ask again, do not wait.
        next_due_ms: until the next delayed job, as of the last answer; None unknown.
    """

    def __init__(
        self, concurrency: int, *, isolates: bool, longest_limit_ms: int, on_change: Callable[[], None]
    ) -> None:
        self.locks: dict[str, str] = {}
        self.busy = 0
        self.expects_work = True
        self.next_due_ms: int | None = None
        self._concurrency = concurrency
        self._isolates = isolates
        self._longest_limit_ms = longest_limit_ms
        self._on_change = on_change
        self._reserved = 0
        self._is_open = False
        self._is_reclaiming = False
        self._suspect_waits = False
        self._runs_suspect = False
        self._limited_until_s = 0.0

    @property
    def holds(self) -> int | str:
        """For the fetch script: what a suspect would run beside; '' where that does not matter."""
        return self.busy + self._reserved if self._isolates else ""

    @property
    def is_open(self) -> bool:
        """Whether this worker takes jobs at all now."""
        return self._is_open

    def look_again(self) -> None:
        """There may be work."""
        self.expects_work = True
        self._on_change()

    def open(self) -> None:
        """Jobs may be taken, from now on."""
        self._is_open = True
        self.expects_work = True
        self._on_change()

    def shut(self) -> None:
        """No further job may be taken; one under way is answered all the same."""
        self._is_open = False

    def hold_off(self) -> None:
        """Jobs of a lost fetch are brought back: nothing is taken before them."""
        self._is_reclaiming = True

    def go_on(self) -> None:
        """They are back in line."""
        self._is_reclaiming = False
        self.expects_work = True
        self._on_change()

    def room(self) -> int:
        """How many jobs may be asked for now, 0 .. MOST_A_TRIP."""
        if not self._is_open or self._is_reclaiming or self._runs_suspect:
            return 0
        if self._suspect_waits and self.busy + self._reserved > 0:
            return 0
        if self._limited_until_s and asyncio.get_running_loop().time() < self._limited_until_s:
            return 0
        return max(min(self._concurrency - self.busy - self._reserved, MOST_A_TRIP), 0)

    def set_concurrency(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self.expects_work = True
        self._on_change()

    def reserve(self, count: int) -> None:
        self._reserved += count

    def unanswered(self, reserved: int) -> None:
        """The trip that had reserved so much broke."""
        self._reserved -= reserved

    def answered(self, reserved: int, taken: int, state: int, wait_ms: int) -> None:
        """The trip came back with so many jobs; they count as busy from here."""
        self._reserved -= reserved
        self.busy += taken
        if reserved == 0:
            return
        self.expects_work = taken == reserved
        self._suspect_waits = state == SUSPECT
        self.next_due_ms = wait_ms if state != LIMITED and wait_ms >= 0 else None
        self._limited_until_s = 0.0
        if state == LIMITED and taken < reserved:
            loop = asyncio.get_running_loop()
            # A limit may be lifted before its time.
            wait_s = min(max(wait_ms, 1), self._longest_limit_ms) / 1000
            self._limited_until_s = loop.time() + wait_s
            self.expects_work = True
            loop.call_later(wait_s, self._on_change)
        if self._suspect_waits:
            self.expects_work = True
        if not self.expects_work:
            self._on_change()

    def took(self, job: Job[Any, Any], token: str) -> None:
        self.locks[job.id] = token
        if self._isolates and job.stalled_counter and not job.deferred_failure:
            self._runs_suspect = True

    def ended(self, count: int = 1) -> None:
        """Handlers ended, or never began: their slots are free."""
        self.busy -= count
        if self.busy == 0:
            self._runs_suspect = False
        self._on_change()

    def settled(self, job_id: str, token: str) -> None:
        """The outcome is stored, or can no longer be: the lock is not ours to renew."""
        if self.locks.get(job_id) == token:
            del self.locks[job_id]
