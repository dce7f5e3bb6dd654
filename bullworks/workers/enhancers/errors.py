"""What is wrong with enhancers, and what a guard that says no raises."""

from dataclasses import dataclass

from bullworks.bullmq import UnrecoverableError
from bullworks.errors import FactError
from bullworks.workers.errors import WorkersError


@dataclass(eq=False)
class EnhancerClassError(WorkersError, TypeError):
    """Something is used as a guard, an interceptor, a pipe or a filter and is none; `problem` says what to write."""

    where: str
    enhancer: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.enhancer} {self.problem}"


@dataclass(eq=False)
class EnhancerPlaceError(WorkersError):
    """Enhancers are put where they would never run, or cannot; `problem` says why, and what to write."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place} {self.problem}"


@dataclass(eq=False)
class EnhancerAnswerError(WorkersError, TypeError):
    """A method of a guard, an interceptor or a filter answered what means nothing there."""

    method: str
    answer: str
    expected: str

    def __str__(self) -> str:
        return f"{self.method}() answered {self.answer}; it answers {self.expected}"


@dataclass(eq=False)
class GuardRefusedError(FactError, UnrecoverableError):
    """A guard said no: the job failed at once, whatever attempts are left, or was not added."""

    guard: str
    job_name: str
    queue_name: str

    def __str__(self) -> str:
        return f"{self.guard} refused the job {self.job_name!r} of queue {self.queue_name!r}"
