"""Suspended jobs and their signals, as lua/lib/other_ends.lua and lua/signal_job.lua have them."""

from bullworks.bullmq.durations import LONGEST_MS
from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.scripts.steps import SignalOutcome
from bullworks.bullmq.wire.step_codec import NEVER, TIMED_OUT, mark_field, signal_field
from bullworks.testing.memory.job import MemoryJob
from bullworks.testing.memory.lines import MemoryLines


def is_over(job: MemoryJob, outcome: Outcome, now_ms: int) -> bool:
    """Whether a wait has its signal, or no time left: then its mark says so."""
    mark, signal = _bytes(outcome.value), outcome.retention.encode()
    if not signal:
        return False
    if signal in job.fields:
        return True
    number, _, until = job.fields.get(mark, b"").partition(b" ")
    if not until.isdigit() or int(until) > now_ms:
        return False
    job.fields[mark] = number + b" " + TIMED_OUT
    return True


def suspend(job: MemoryJob, outcome: Outcome, now_ms: int) -> int:
    """Mark a job as suspended, unless it is. Returns until when, ms since the epoch."""
    mark = _bytes(outcome.value)
    if mark not in job.fields:
        until = NEVER if outcome.extra == "" else b"%d" % min(now_ms + int(outcome.extra), LONGEST_MS)
        job.fields[mark] = _bytes(outcome.stack) + b" " + until
    until = job.fields[mark].partition(b" ")[2]
    return int(until) if until.isdigit() else LONGEST_MS


def signal(queue: MemoryLines, job_id: str, name: str, data: bytes) -> SignalOutcome:
    """Store a signal, and wake the job if it waits for it. Raises as StepScripts.signal_job does."""
    job, field = queue.find(job_id), signal_field(name)
    if job is None:
        raise outcome_error(-1, job_id, "signal")
    if job.state in {"completed", "failed"}:
        raise outcome_error(-3, job_id, "signal", needed="on its way: it has ended")
    mark = job.fields.get(mark_field("wait", name))
    if field in job.fields:
        return "repeated"
    if mark is not None and mark.endswith(TIMED_OUT):
        return "late"
    job.fields[field] = data
    if mark is None or job.state != "delayed":
        return "kept"
    queue.promote(job)
    return "woken"


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
