"""Outcome: how one run of a job ended, ready to be stored."""

import inspect
import random
import traceback
from dataclasses import dataclass
from typing import Any, Literal

from app.bullmq import payload
from app.bullmq.backoff import Backoff, BackoffStrategy
from app.bullmq.durations import LONGEST_MS
from app.bullmq.errors import UnrecoverableError
from app.bullmq.job import Job
from app.bullmq.options import JobOpts
from app.bullmq.retention import KEEP_ALL, Retention

Kind = Literal["complete", "fail", "retry", "delay", "hand_back", "release"]
"""As lua/advance.lua names them; hand_back: a handler had begun; release: it had not."""

# BullMQ's own default: a trace is long, and the last ones tell the story.
_STACK_TRACES = 10
# A reason is shown in lists; what is longer stands in the trace.
_LONGEST_REASON = 5_000
_LONGEST_TRACE = 20_000


@dataclass(slots=True)
class Outcome:
    """What advance.lua is told of one job."""

    kind: Kind
    job: Job[Any, Any]
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

    def to_script(self) -> tuple[str | bytes | int, ...]:
        return (self.kind, self.job.id, self.token, self.value, self.retention, self.stack, self.extra)


class OutcomeRules:
    """Turns results and errors into outcomes, by the job's options and the worker's defaults."""

    def __init__(
        self,
        *,
        remove_on_complete: Retention = KEEP_ALL,
        remove_on_fail: Retention = KEEP_ALL,
        backoff_strategy: BackoffStrategy | None = None,
    ) -> None:
        self._remove_on_complete = remove_on_complete
        self._remove_on_fail = remove_on_fail
        self._backoff_strategy = backoff_strategy

    def completed(self, job: Job[Any, Any], result: Any) -> Outcome:
        """Raises InvalidPayloadError: the result cannot be stored."""
        retention = job.opts.remove_on_complete or self._remove_on_complete
        encoded = payload.encode(result)
        return Outcome("complete", job, job.token or "", encoded, retention.to_script(), result=result)

    async def failed(self, job: Job[Any, Any], error: BaseException) -> Outcome:
        """Another attempt where the job has one left, now or after its backoff; else the end."""
        attempts_made = job.attempts_made + 1
        opts = _readable_opts(job)
        is_exhausted = attempts_made >= opts.attempts
        if not is_exhausted and not isinstance(error, UnrecoverableError):
            delay_ms = await self._delay_ms(job, error, attempts_made)
            if delay_ms == 0:
                return self._failure("retry", job, error, extra="1" if opts.lifo else "")
            if delay_ms > 0:
                return self._failure("delay", job, error, extra=delay_ms)
        return self.ended(job, error, is_exhausted=is_exhausted)

    def ended(self, job: Job[Any, Any], error: BaseException, *, is_exhausted: bool = False) -> Outcome:
        """Failed for good."""
        outcome = self._failure("fail", job, error, extra="1" if is_exhausted else "")
        outcome.retention = (_readable_opts(job).remove_on_fail or self._remove_on_fail).to_script()
        return outcome

    def _failure(self, kind: Kind, job: Job[Any, Any], error: BaseException, extra: str | int) -> Outcome:
        reason = _text(error)[:_LONGEST_REASON]
        return Outcome(kind, job, job.token or "", reason, "", _traces(job, error), extra, error=error)

    async def _delay_ms(self, job: Job[Any, Any], error: BaseException, attempts_made: int) -> int:
        """ms until the next attempt; 0 at once; -1 none."""
        backoff = job.opts.backoff
        if backoff is None:
            return 0
        if not backoff.is_custom:
            return backoff.delay_after_ms(attempts_made, random.random())  # noqa: S311 - no secret
        return await self._custom_delay_ms(backoff, job, error, attempts_made)

    async def _custom_delay_ms(
        self, backoff: Backoff, job: Job[Any, Any], error: BaseException, attempts_made: int
    ) -> int:
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


def _text(error: BaseException) -> str:
    # A lone surrogate cannot be sent as UTF-8.
    return (str(error) or type(error).__name__).encode("utf-8", "backslashreplace").decode()


def _readable_opts(job: Job[Any, Any]) -> JobOpts:
    try:
        return job.opts
    except ValueError:  # the job fails because its options are no JSON
        return JobOpts()


def _traces(job: Job[Any, Any], error: BaseException) -> bytes:
    try:
        earlier = job.stacktrace
    except ValueError:
        earlier = []
    limit = _readable_opts(job).stack_trace_limit
    limit = _STACK_TRACES if limit is None else limit
    trace = "".join(traceback.format_exception(error))
    trace = trace.encode("utf-8", "backslashreplace").decode()
    if len(trace) > _LONGEST_TRACE:
        # The end names the error and its place.
        trace = "...\n" + trace[-_LONGEST_TRACE:]
    traces = [*earlier, trace]
    return payload.encode(traces[-limit:] if limit else [])
