"""What is wrong with enhancers, and what a guard that says no raises."""

from bullworks.bullmq import UnrecoverableError
from bullworks.workers.errors import WorkersError


class EnhancerClassError(WorkersError, TypeError):
    """Something is used as a guard, an interceptor, a pipe or a filter and is none; `problem` says what to write."""

    def __init__(self, where: str, enhancer: str, problem: str) -> None:
        super().__init__(where, enhancer, problem)
        self.where = where
        self.enhancer = enhancer
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.where}: {self.enhancer} {self.problem}"


class EnhancerPlaceError(WorkersError):
    """Enhancers are put where they would never run, or cannot; `problem` says why, and what to write."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(place, problem)
        self.place = place
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.place} {self.problem}"


class EnhancerAnswerError(WorkersError, TypeError):
    """A method of a guard, an interceptor or a filter answered what means nothing there."""

    def __init__(self, method: str, answer: str, expected: str) -> None:
        super().__init__(method, answer, expected)
        self.method = method
        self.answer = answer
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.method}() answered {self.answer}; it answers {self.expected}"


class GuardRefusedError(UnrecoverableError):
    """A guard said no: the job failed at once, whatever attempts are left, or was not added."""

    def __init__(self, guard: str, job_name: str, queue_name: str) -> None:
        super().__init__(guard, job_name, queue_name)
        self.guard = guard
        self.job_name = job_name
        self.queue_name = queue_name

    def __str__(self) -> str:
        return f"{self.guard} refused the job {self.job_name!r} of queue {self.queue_name!r}"
