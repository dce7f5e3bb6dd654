"""What goes wrong with steps. Each keeps its facts as attributes and says what to do."""

from dataclasses import dataclass

from bullworks.bullmq.errors import QueueError, UnrecoverableError


@dataclass(eq=False)
class StepError(QueueError, UnrecoverableError):
    """A step cannot be run or kept as the handler has it; the job fails at once, with its earlier steps kept.

    Once the handler is mended, retry the job: it goes on behind its last step.
    """

    job_id: str
    step: str
    problem: str

    def __str__(self) -> str:
        return f"job {self.job_id}: step {self.step!r} {self.problem}"


@dataclass(eq=False)
class CheckpointLostError(QueueError, TimeoutError):
    """Redis gave no answer while a step's checkpoint was stored: the step was done, and may run again."""

    job_id: str
    field: str
    patience_s: float

    def __str__(self) -> str:
        return (
            f"job {self.job_id}: no answer from Redis for {self.patience_s:g} s while {self.field} was stored; "
            "what was done there may be done again by the next attempt"
        )


@dataclass(eq=False)
class StepNotFoundError(QueueError):
    """The job has no step of that name that is done, so it cannot run again from there."""

    job_id: str
    step: str
    done: list[str]

    def __str__(self) -> str:
        known = ", ".join(map(repr, self.done)) or "none"
        return (
            f"job {self.job_id}: it has done no step {self.step!r} to run again from, but {known}; "
            "job.retry() runs what was not done"
        )


@dataclass(eq=False)
class SignalTimeoutError(QueueError, TimeoutError):
    """The signal that a job waited for did not come within its timeout; one that comes later is refused."""

    job_id: str
    signal: str

    def __str__(self) -> str:
        return f"job {self.job_id}: signal {self.signal!r} did not come within the timeout of its wait_for"


@dataclass(eq=False)
class TooManySignalsError(QueueError):
    """The job keeps as many steps and signals as it may; the signal was not kept."""

    job_id: str
    signal: str
    most: int

    def __str__(self) -> str:
        return f"job {self.job_id}: signal {self.signal!r} was not kept, as its hash has {self.most} fields already"
