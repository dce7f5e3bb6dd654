"""JobMoves: what the holder of a job may do with it: its handler, or a caller that took it by hand."""

from typing import Self, cast

from bullworks.bullmq.durations import LONGEST_MS, Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.job.fields import D, JobFields, R
from bullworks.bullmq.job.outcome import Advanced, Kind, Outcome
from bullworks.bullmq.job.store import JobStore
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.parent import Parent, ParentOptions
from bullworks.bullmq.telemetry.job_tracing import OPERATIONS, attributes_of, count, keep_metadata
from bullworks.bullmq.wire import codec


class JobMoves(JobFields[D, R]):
    """The methods of Job that need its lock. `token` defaults to the token with which the job was taken.

    All raise, and then nothing was changed:
        LockLostError: the lock expired, or another holds it.
        JobStateError: the job is not active.
        JobNotFoundError: it was removed.
    """

    __slots__ = ()

    _store: JobStore

    async def move_to_completed(self, value: R, token: str | None = None, *, fetch_next: bool = False) -> Self | None:
        """Store the job's result. For jobs taken by hand; a handler returns the value instead.

        Args:
            fetch_next: take the next job too, under the same token, in the same trip.

        Returns:
            The next job; None means there is none now, or none was asked for.

        Raises:
            InvalidPayloadError: the value is not JSON.
            JobChildrenError: children are open, or failed.
        """
        outcome = self._store.rules.completed(self, value)
        return await self._finish(outcome, token, "move_to_completed", fetch_next=fetch_next)

    async def move_to_failed(
        self, error: BaseException, token: str | None = None, *, fetch_next: bool = False
    ) -> Self | None:
        """Store that the attempt failed: the job is retried, now or later, or fails, as its options say.

        Args and returns as in `move_to_completed`. An UnrecoverableError fails it for good.
        """
        outcome = await self._store.rules.failed(self, error)
        return await self._finish(outcome, token, "move_to_failed", fetch_next=fetch_next)

    async def move_to_delayed(self, timestamp: int, token: str | None = None) -> None:
        """Delay the job until `timestamp`, ms since the epoch, without using an attempt. Then raise DelayedError."""
        checks.whole("timestamp", timestamp, 0, LONGEST_MS)
        moved = await self._move("postpone", token, "move_to_delayed", extra=timestamp)
        self.absorb({codec.DELAY: b"%d" % max(timestamp - moved.now_ms, 0)})
        self.moved_to = "delayed"

    async def move_to_wait(self, token: str | None = None) -> None:
        """Move the job to the head of its line, without using an attempt. Then raise WaitingError."""
        await self._move("hand_back", token, "move_to_wait")
        self.moved_to = "waiting"

    async def move_to_waiting_children(
        self, token: str | None = None, *, child: Parent | ParentOptions | None = None
    ) -> bool:
        """Let the job wait for its children, without using an attempt. A handler then raises WaitingChildrenError.

        Args:
            child: only this one is waited for, by {"id", "queue"} as in the option `parent`; default: all.

        Returns:
            False means there is none left to wait for, and the job is still active.

        Raises:
            JobChildrenError: a child failed whose failure fails this job.
        """
        key = "" if child is None else Parent.of(child).key
        moved = await self._move("wait_for_children", token, "move_to_waiting_children", value=key)
        if moved.is_stored:
            self.moved_to = "waiting-children"
        return moved.is_stored

    async def extend_lock(self, token: str, duration: Duration) -> bool:
        """Extend the job's lock to `duration` from now. For jobs taken by hand; a Worker renews locks by itself.

        Returns:
            False means the lock expired, or another holds it; what comes of this attempt will be refused.
        """
        return await self._store.extend_lock(self.id, token, checked_ms("duration", duration, least=1))

    async def store_mark(self, field: bytes, text: bytes) -> None:
        """Keep what a step came to, in the job's own hash; `step` and `cursor` do it.

        Raises:
            CheckpointLostError: Redis gave no answer for some seconds, so it may not be kept.
        """
        await self._store.checkpoint(self.id, self._token(None), field, text)
        self.absorb({field: text})

    async def suspend(self, mark: bytes, number: int, duration_ms: int | None, *, signal: bytes = b"") -> bool:
        """Let the job go until its time or its signal comes, with no attempt spent; `sleep` and `wait_for` do it.

        Args:
            mark: the field of its hash that says so.
            duration_ms: None for ever, or as long as an earlier call has said.
            signal: the field that ends a wait by being there.

        Returns:
            False means the wait is over: the signal is there, or its time is up. The job's fields are read again.
        """
        outcome = Outcome("suspend", self, self._token(None), mark, signal.decode(), str(number))
        outcome.extra = "" if duration_ms is None else duration_ms
        advanced = await self._store.suspend_one(outcome)
        if not advanced.is_stored:
            self.absorb(await self._store.read_fields(self.id))
            return False
        if self._store.tracing is not None:
            count(self._store.tracing, outcome)
        self.moved_to = "delayed"
        return True

    async def _finish(self, outcome: Outcome, token: str | None, operation: str, *, fetch_next: bool) -> Self | None:
        outcome.token = self._token(token)
        tracing = self._store.tracing
        if tracing is None:
            advanced = await self._store.advance_one(outcome, operation, fetch_next=fetch_next)
        else:
            with tracing.call(OPERATIONS[outcome.kind], attributes=attributes_of(self)) as span:
                keep_metadata(outcome, span.metadata)
                advanced = await self._store.advance_one(outcome, operation, fetch_next=fetch_next)
                count(tracing, outcome)
        fields = outcome.fields
        if outcome.kind in {"complete", "fail"}:
            fields[codec.FINISHED_ON] = b"%d" % advanced.now_ms
        self.absorb(fields)
        self.moved_to = outcome.state
        # What a store takes is what this job is.
        return cast(Self | None, advanced.next_job)

    async def _move(
        self, kind: Kind, token: str | None, operation: str, *, value: str = "", extra: int | str = ""
    ) -> Advanced:
        outcome = Outcome(kind, self, self._token(token), value, extra=extra)
        advanced = await self._store.advance_one(outcome, operation)
        if self._store.tracing is not None and advanced.is_stored:
            count(self._store.tracing, outcome)
        return advanced

    def _token(self, token: str | None) -> str:
        token = token or self.token
        if not token:
            raise InvalidOptionError("token", "is needed: this job was read, not taken, so it has none of its own")
        return token
