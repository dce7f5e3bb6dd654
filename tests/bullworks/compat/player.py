"""Player: plays a scenario with ours, as tests/bullworks/node/player.mjs does with npm bullmq."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq import (
    JobChildrenError,
    JobNotFoundError,
    JobStateError,
    LockLostError,
    QueueError,
    SchedulerJobError,
)
from bullworks.bullmq.errors import ParentError
from tests.bullworks.compat.steps.flow_steps import FlowSteps
from tests.bullworks.compat.steps.job_steps import JobSteps
from tests.bullworks.compat.steps.manual_steps import ManualSteps
from tests.bullworks.compat.steps.queue_steps import LimitSteps, QueueSteps
from tests.bullworks.compat.steps.scheduler_steps import SchedulerSteps
from tests.bullworks.compat.steps.working_steps import WorkingSteps
from tests.bullworks.compat.steps.world import dated

Step = list[Any]

REFUSED = "refused"
"""What neither side has a code for."""
_CODES = {
    -1: "no such job",
    -2: "lock",
    -3: "state",
    -4: "children",
    -5: "parent",
    -6: "lock",
    -7: "parent",
    -8: "scheduler",
    -9: "children",
}
_ERRORS: dict[type[QueueError], str] = {
    JobNotFoundError: "no such job",
    LockLostError: "lock",
    JobStateError: "state",
    JobChildrenError: "children",
    ParentError: "parent",
    SchedulerJobError: "scheduler",
}


class Player(QueueSteps, LimitSteps, JobSteps, ManualSteps, FlowSteps, SchedulerSteps, WorkingSteps):
    """Each public method is a step, with the name, the arguments and the answer that Node's has."""

    async def play(self, step: str, args: list[Any]) -> Any:
        """The answer; an error by what it means, since the texts differ."""
        try:
            return await getattr(self, "is_" if step == "is" else step)(*dated(args))
        except QueueError as error:
            return {"error": _ERRORS.get(type(error), REFUSED), "message": str(error)}


async def play(url: str, prefix: str, steps: list[Step]) -> list[Any]:
    """What we answer to each step."""
    async with Player(url, prefix) as player:
        return [await player.play(name, args) for name, *args in steps]


def named(answer: Any) -> Any:
    """Node's answer, with the code of an error as what it means."""
    if isinstance(answer, dict) and "error" in answer:
        return {**answer, "error": _CODES.get(answer["error"], REFUSED)}
    return answer
