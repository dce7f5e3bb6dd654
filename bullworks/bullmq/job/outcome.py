"""Outcome: how one run of a job ended, ready to be stored."""

import inspect
import random
import traceback
from dataclasses import dataclass
from typing import Any, Literal

from bullworks.bullmq.durations import LONGEST_MS
from bullworks.bullmq.errors import JobRevokedError, UnrecoverableError
from bullworks.bullmq.job.fields import JobFields, revocation_of
from bullworks.bullmq.options.backoff import Backoff, BackoffStrategy
from bullworks.bullmq.options.job import JobOpts
from bullworks.bullmq.options.retention import KEEP_ALL, Retention
from bullworks.bullmq.wire import codec, payload
from bullworks.bullmq.wire.payload_type import PayloadType

AnyJob = JobFields[Any, Any]

Kind = Literal["complete", "fail", "retry", "delay", "hand_back", "release", "postpone", "suspend", "wait_for_children"]
"""As lua/advance.lua names them; hand_back: a handler had begun; release: it had not."""

# BullMQ's own default: a trace is long, and the last ones tell the story.
_STACK_TRACES = 10
# A reason is shown in lists; what is longer stands in the trace.
_LONGEST_REASON = 5_000
_LONGEST_TRACE = 20_000


@dataclass(slots=True)
class Outcome:
    """The outcome of one attempt, as advance.lua takes it.

    Attributes:
        stack: JSON of the traces; behind a line feed, which JSON has none of, what `keep_metadata` was given.
    """

    kind: Kind
    job: AnyJob
    token: str
    value: bytes | str = ""
    retention: str = ""
    stack: bytes | str = ""
    extra: str | int = ""
    result: Any = None
    error: BaseException | None = None
    duration_ms: int = 0
    was_sent: bool = False
    """Sent once with no answer: it may be stored already."""
    raw_id: bytes | None = None
    """The job's id where that is not text."""
    refusals: int = 0
    """How often Redis could not store it, for a reason that may pass."""

    def to_script(self) -> tuple[str | bytes | int, ...]:
        return (self.kind, self.raw_id or self.job.id, self.token, self.value, self.retention, self.stack, self.extra)

    def keep_metadata(self, metadata: str) -> None:
        """Store the place in a trace where the attempt failed."""
        self.stack = _bytes(self.stack) + b"\n" + metadata.encode()

    @property
    def state(self) -> str:
        """The state of a job whose attempt ended so."""
        return {"complete": "completed", "fail": "failed", "delay": "delayed"}.get(self.kind, "waiting")

    @property
    def fields(self) -> dict[bytes, bytes]:
        """The fields that the end of an attempt changes in the job's hash."""
        fields = {codec.ATTEMPTS_MADE: b"%d" % (self.job.attempts_made + 1)}
        if self.kind == "complete":
            fields[codec.RETURN_VALUE] = _bytes(self.value)
        else:
            traces, _, metadata = _bytes(self.stack).partition(b"\n")
            fields[codec.FAILED_REASON], fields[codec.STACK_TRACE] = _bytes(self.value), traces
            if metadata:
                fields[codec.TELEMETRY] = metadata
        if self.kind == "delay":
            fields[codec.DELAY] = b"%d" % int(self.extra)
        return fields


@dataclass(frozen=True, slots=True)
class Advanced:
    """The reply to one stored outcome.

    Attributes:
        is_stored: False means a job that was to wait for its children has none left to wait for.
        now_ms: when it was stored.
        next_job: that was taken besides; None means there is none, or none was asked for.
    """

    is_stored: bool
    now_ms: int
    next_job: AnyJob | None = None


class OutcomeRules:
    """Converts results and errors to outcomes, by the job's options and the worker's defaults.

    Attributes:
        runs_any_ordinary: no ordinary job is refused, so `refusal` need not be asked.
        result_type: of what handlers return; None means any JSON.
        moves_failed: failed jobs are kept until they are moved to the dead-letter queue.
    """

    def __init__(
        self,
        *,
        remove_on_complete: Retention = KEEP_ALL,
        remove_on_fail: Retention = KEEP_ALL,
        backoff_strategy: BackoffStrategy | None = None,
        max_started_attempts: int | None = None,
        moves_failed: bool = False,
    ) -> None:
        self.moves_failed = moves_failed
        self._max_started_attempts = max_started_attempts
        self.runs_any_ordinary = max_started_attempts is None
        self.result_type: PayloadType[Any] | None = None
        self._remove_on_complete = remove_on_complete
        self._remove_on_fail = remove_on_fail
        self._backoff_strategy = backoff_strategy

    def refusal(self, job: AnyJob) -> UnrecoverableError | None:
        """The reason to fail a job without running it; None if it may run."""
        if job.deferred_failure is not None:
            return UnrecoverableError(job.deferred_failure)
        limit = self._max_started_attempts
        if limit is not None and job.attempts_started > limit:
            return UnrecoverableError("job started more than allowable limit")
        return None

    def completed(self, job: AnyJob, result: Any) -> Outcome:
        """Build the outcome of a successful attempt. Raises InvalidPayloadError if the result cannot be stored."""
        retention = job.opts.remove_on_complete or self._remove_on_complete
        encoded = payload.encode(result) if self.result_type is None else self.result_type.encode(result)
        return Outcome("complete", job, job.token or "", encoded, retention.to_script(), result=result)

    async def failed(self, job: AnyJob, error: BaseException, *, ran_ms: int = 0) -> Outcome:
        """Build the outcome of a failed attempt: a retry, now or after its backoff, or a final failure.

        Args:
            ran_ms: how long this attempt took; a job that expires before its next one could start has failed for good.
        """
        revocation = revocation_of(job)
        if revocation is not None:
            if revocation is not error:
                revocation.__cause__ = error
            return self.ended(job, revocation)
        attempts_made = job.attempts_made + 1
        opts = _readable_opts(job)
        limit = self._max_started_attempts
        is_last_start = limit is not None and job.attempts_started >= limit
        if attempts_made < opts.attempts and not is_last_start and not isinstance(error, UnrecoverableError):
            delay_ms = await self._delay_ms(job, error, attempts_made)
            if opts.expires is not None and has_expired(job, ran_ms + delay_ms):
                return self.ended(job, error)
            if delay_ms == 0:
                return self._failure("retry", job, error, extra="1" if opts.lifo else "")
            if delay_ms > 0:
                return self._failure("delay", job, error, extra=delay_ms)
        return self.ended(job, error)

    def ended(self, job: AnyJob, error: BaseException) -> Outcome:
        """Build the outcome of a job that failed for good."""
        opts = _readable_opts(job)
        is_exhausted = job.attempts_made + 1 >= opts.attempts
        outcome = self._failure("fail", job, error, extra="1" if is_exhausted else "")
        is_kept = self.moves_failed and job.parent_key is None and not isinstance(error, JobRevokedError)
        outcome.retention = (KEEP_ALL if is_kept else opts.remove_on_fail or self._remove_on_fail).to_script()
        return outcome

    def broken(self, job: AnyJob, error: BaseException) -> Outcome:
        """Build a final failure without using the job or the error, as either may be what is broken."""
        reason = f"{type(error).__name__} around the handler; the worker's log has more"
        return Outcome("fail", job, job.token or "", reason, "", b"[]", error=error)

    def _failure(self, kind: Kind, job: AnyJob, error: BaseException, extra: str | int) -> Outcome:
        reason = _text(error)[:_LONGEST_REASON]
        return Outcome(kind, job, job.token or "", reason, "", _traces(job, error), extra, error=error)

    async def _delay_ms(self, job: AnyJob, error: BaseException, attempts_made: int) -> int:
        """ms until the next attempt; 0 at once; -1 none."""
        backoff = job.opts.backoff
        if backoff is None:
            return 0
        if not backoff.is_custom:
            return backoff.delay_after_ms(attempts_made, random.random())  # noqa: S311 - no secret
        return await self._custom_delay_ms(backoff, job, error, attempts_made)

    async def _custom_delay_ms(self, backoff: Backoff, job: AnyJob, error: BaseException, attempts_made: int) -> int:
        if self._backoff_strategy is None:
            raise UnrecoverableError(
                f"backoff type {backoff.type!r} is the worker's own to define, and this one has no "
                f"backoff_strategy; the handler had failed with: {_text(error)}"
            ) from error
        delay = self._backoff_strategy(attempts_made, backoff.type, error, job)
        if inspect.isawaitable(delay):
            delay = await delay
        if isinstance(delay, bool) or not isinstance(delay, int):
            raise UnrecoverableError(f"backoff_strategy returned {delay!r}, not whole milliseconds") from error
        return min(delay, LONGEST_MS)


def has_expired(job: AnyJob, after_ms: int) -> bool:
    """Whether the job has expired `after_ms` after it was last taken, a time that is of Redis's clock."""
    deadline_ms = job.expires_on
    return deadline_ms is not None and (job.processed_on or 0) + after_ms >= deadline_ms


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _text(error: BaseException) -> str:
    try:
        text = str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - the text of an error is its class's own to make
        text = f"{type(error).__name__}, whose text cannot be read"
    # A lone surrogate cannot be sent as UTF-8.
    return text.encode("utf-8", "backslashreplace").decode()


def _readable_opts(job: AnyJob) -> JobOpts:
    try:
        return job.opts
    except (ValueError, RecursionError):  # the job fails because its options are not JSON
        return JobOpts()


def _traces(job: AnyJob, error: BaseException) -> bytes:
    try:
        earlier = job.stacktrace
    except (ValueError, TypeError, RecursionError):
        earlier = []
    limit = _readable_opts(job).stack_trace_limit
    limit = _STACK_TRACES if limit is None else limit
    try:
        trace = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - an error may hold what cannot be shown
        trace = _text(error)
    trace = trace.encode("utf-8", "backslashreplace").decode()
    if len(trace) > _LONGEST_TRACE:
        # The end names the error and its place.
        trace = "...\n" + trace[-_LONGEST_TRACE:]
    traces = [*earlier, trace]
    return payload.encode(traces[-limit:] if limit else [])
