"""What is wrong with scheduled jobs. Raised at the start, or by the registry, never at the first tick."""

from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.core import CoreError


class ScheduleError(CoreError):
    """Base of the errors of this package."""


@dataclass(eq=False)
class JobSetupError(ScheduleError, ValueError):
    """A scheduled method can't run as its decorator says.

    Attributes:
        where: its class and method, or what else the job was made by.
        decorator: what is written above it.
        problem: what is wrong with that.
    """

    where: str
    decorator: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}, {self.decorator}: {self.problem}"


class BadExpressionError(JobSetupError):
    """The expression, its date, or its time zone has no runs."""


class JobOptionError(JobSetupError):
    """An option can't be used, or could not be read from the settings."""


class JobScopeError(JobSetupError):
    """The class of a scheduled method is not built at the start, so the method could never run."""


@dataclass(eq=False)
class SameJobNameError(ScheduleError, ValueError):
    """Several jobs of one kind have the same name, which must be unique."""

    kind: str
    name: str
    jobs: Sequence[str]

    def __str__(self) -> str:
        return f"{' and '.join(self.jobs)} are both the {self.kind} {self.name!r}; give one of them another name"


@dataclass(eq=False)
class NoRedisForCronsError(ScheduleError):
    """A cron is distributed, but the application has no Redis in which processes could agree on its ticks."""

    crons: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{', '.join(self.crons)}: distributed=True needs Redis; "
            "import BullModule.for_root(), or ScheduleModule.for_root(connection=...)"
        )


@dataclass(eq=False)
class LateJobError(ScheduleError):
    """A scheduled method is in a module that is loaded into a running application."""

    cls: str

    def __str__(self) -> str:
        return (
            f"{self.cls} has scheduled methods, and is in a module that LazyModuleLoader loads: they are looked for at "
            "the start; import its module, or add the job to the SchedulerRegistry"
        )


@dataclass(eq=False)
class SchedulesDifferError(ScheduleError):
    """An application imports ScheduleModule.for_root() twice, with different options."""

    modules: Sequence[str]

    def __str__(self) -> str:
        return (
            f"ScheduleModule.for_root() has different options in {' and '.join(self.modules)}; give them in one place"
        )


@dataclass(eq=False)
class UnknownJobError(ScheduleError, KeyError):
    """The registry has no job of that name."""

    kind: str
    name: str
    known: Sequence[str]

    def __str__(self) -> str:
        return f"there is no {self.kind} {self.name!r}; there are: {', '.join(self.known) or 'none'}"


@dataclass(eq=False)
class JobNameTakenError(ScheduleError, ValueError):
    """The registry has a job of that name already."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name!r} exists already; delete it first, or choose another name"
