"""What a cancellation says: its reason as it is stored, what came of it, and what a worker is asked to stop."""

from dataclasses import dataclass
from typing import Literal

from bullworks.bullmq.errors import InvalidOptionError, JobRevokedError
from bullworks.bullmq.options.checks import is_utf8

CancelOutcome = Literal["cancelled", "requested", "finished", "missing", "scheduled"]
"""What came of cancelling a job.

cancelled: it did not run, and has ended. requested: a worker runs it and is told; it ends soon, and is not tried again.
finished: it had completed or failed before. missing: there is no such job. scheduled: its job scheduler needs it, so it
stays; remove the scheduler.
"""

LONGEST_REASON = 1_000
"""Characters: a reason is shown in lists."""


def stored_reason(reason: str | None) -> str:
    """The `failed_reason` of a job that was cancelled: "cancelled", or "cancelled: <reason>".

    Raises:
        InvalidOptionError: it is not a text, or longer than LONGEST_REASON.
    """
    if reason is None or reason == "":
        return JobRevokedError.CANCELLED
    if not isinstance(reason, str) or not is_utf8(reason) or len(reason) > LONGEST_REASON:
        raise InvalidOptionError("reason", f"must be a text of {LONGEST_REASON} characters at most, not {reason!r:.80}")
    return f"{JobRevokedError.CANCELLED}: {reason}"


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """One attempt that is to stop.

    Attributes:
        token: of the attempt's lock: a later attempt of the job is not meant.
        reason: as `stored_reason` has it.
    """

    job_id: str
    token: str
    reason: str
