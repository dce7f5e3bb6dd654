"""The steps of a job: shown, and run again from one of them."""

from dataclasses import dataclass
from typing import Any

from bullworks.board.api.call import Call
from bullworks.board.errors import RefusedError, invalid
from bullworks.board.queues import BoardQueue
from bullworks.board.redaction import Redaction
from bullworks.bullmq import JobNotFoundError, JobStateError, StepMark, StepNotFoundError
from bullworks.bullmq.wire import payload
from bullworks.redis import RedisError

MOST_SHOWN = 200
"""Of a job's steps, the newest."""
_RESULT_CHARS = 200


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step as the page shows it."""

    number: int
    name: str
    kind: str
    result: str


async def shown_steps(entry: BoardQueue, job_id: str, redaction: Redaction) -> list[ShownStep]:
    """Read a job's newest steps, the oldest of them first; empty if they cannot be read."""
    try:
        steps = await entry.queue.get_steps(job_id)
    except RedisError:
        return []
    return [ShownStep(step.number, step.name, step.kind, _result(step, redaction)) for step in steps[-MOST_SHOWN:]]


async def retry_from(call: Call) -> dict[str, Any]:
    """Run a finished job again from the step that the body names."""
    step = call.body.get("step")
    if not isinstance(step, str):
        raise invalid("INVALID_REQUEST_BODY", "name the step", field="step")
    try:
        await call.queue.retry_from(call.job_id, step)
    except JobNotFoundError:
        raise RefusedError(404, "JOB_NOT_FOUND") from None
    except (JobStateError, StepNotFoundError) as error:
        raise invalid("INVALID_REQUEST_BODY", str(error), field="step") from None
    call.remember(f"from {step}")
    return {"message": f"runs again from {step}"}


def _result(step: StepMark, redaction: Redaction) -> str:
    if step.kind != "step":
        return step.value.decode("utf-8", "replace")
    try:
        text = payload.encode(redaction.hide(payload.decode(step.value))).decode()
    except ValueError:
        text = "not JSON"
    return text if len(text) <= _RESULT_CHARS else f"{text[:_RESULT_CHARS]}..."
