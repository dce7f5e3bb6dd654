"""What is wrong with scheduled jobs. Raised at the start, or by the registry, never at the first tick."""

from collections.abc import Sequence

from bullworks.core import CoreError


class ScheduleError(CoreError):
    """Base of the errors of this package."""


class JobSetupError(ScheduleError, ValueError):
    """A scheduled method can't run as its decorator says.

    Attributes:
        where: its class and method, or what else the job was made by.
        decorator: what is written above it.
        problem: what is wrong with that.
    """

    def __init__(self, where: str, decorator: str, problem: str) -> None:
        super().__init__(where, decorator, problem)
        self.where = where
        self.decorator = decorator
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.where}, {self.decorator}: {self.problem}"


class BadExpressionError(JobSetupError):
    """The expression, its date, or its time zone has no runs."""


class JobOptionError(JobSetupError):
    """An option can't be used, or could not be read from the settings."""


class JobScopeError(JobSetupError):
    """The class of a scheduled method is not built at the start, so the method could never run."""


class SameJobNameError(ScheduleError, ValueError):
    """Several jobs of one kind have the same name, which must be unique."""

    def __init__(self, kind: str, name: str, jobs: Sequence[str]) -> None:
        super().__init__(kind, name, tuple(jobs))
        self.kind = kind
        self.name = name
        self.jobs = tuple(jobs)

    def __str__(self) -> str:
        return f"{' and '.join(self.jobs)} are both the {self.kind} {self.name!r}; give one of them another name"


class NoRedisForCronsError(ScheduleError):
    """A cron is distributed, but the application has no Redis in which processes could agree on its ticks."""

    def __init__(self, crons: Sequence[str]) -> None:
        super().__init__(tuple(crons))
        self.crons = tuple(crons)

    def __str__(self) -> str:
        return (
            f"{', '.join(self.crons)}: distributed=True needs Redis; "
            "import BullModule.for_root(), or ScheduleModule.for_root(connection=...)"
        )


class SchedulesDifferError(ScheduleError):
    """An application imports ScheduleModule.for_root() twice, with different options."""

    def __init__(self, modules: Sequence[str]) -> None:
        super().__init__(tuple(modules))
        self.modules = tuple(modules)

    def __str__(self) -> str:
        return (
            f"ScheduleModule.for_root() has different options in {' and '.join(self.modules)}; give them in one place"
        )


class UnknownJobError(ScheduleError, KeyError):
    """The registry has no job of that name."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        super().__init__(kind, name, tuple(known))
        self.kind = kind
        self.name = name
        self.known = tuple(known)

    def __str__(self) -> str:
        return f"there is no {self.kind} {self.name!r}; there are: {', '.join(self.known) or 'none'}"


class JobNameTakenError(ScheduleError, ValueError):
    """The registry has a job of that name already."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name)
        self.kind = kind
        self.name = name

    def __str__(self) -> str:
        return f"the {self.kind} {self.name!r} exists already; delete it first, or choose another name"
