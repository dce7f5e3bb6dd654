"""Makes jobs of decorated methods, or says everything that is wrong with them."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from bullworks.arity import bound_signature, needed_arguments
from bullworks.bullmq import to_ms
from bullworks.schedule.cron_job import CronJob
from bullworks.schedule.decorators.cron import CronMark
from bullworks.schedule.decorators.deferred import settle
from bullworks.schedule.decorators.interval import IntervalMark
from bullworks.schedule.decorators.timeout import TimeoutMark
from bullworks.schedule.errors import JobOptionError, JobScopeError, JobSetupError, SameJobNameError, ScheduleError
from bullworks.schedule.explorer import FoundMark
from bullworks.schedule.journal.keys import checked_name
from bullworks.schedule.registry import JobKind
from bullworks.settings import SettingsSource


@dataclass(frozen=True, slots=True)
class Planned:
    """A job to be registered.

    Args:
        kind, name: what the registry knows it by.
        has_own_name: the user gave the name.
        job: of a cron.
        is_disabled: the user wants it in the registry only.
        callback, duration_ms: of an interval or a timeout.
    """

    found: FoundMark
    kind: JobKind
    name: str
    has_own_name: bool
    job: CronJob | None = None
    is_disabled: bool = False
    callback: Callable[[], Any] | None = None
    duration_ms: int = 0


@dataclass(slots=True)
class Plan:
    """The jobs and problems that all decorators result in."""

    jobs: list[Planned] = field(default_factory=list)
    problems: list[ScheduleError] = field(default_factory=list)


def plan(marks: Iterable[FoundMark], settings: SettingsSource) -> Plan:
    """Plan jobs for all decorated methods, and collect problems. Methods of unbuilt providers can't run yet.

    Args:
        settings: what deferred options are read from.
    """
    made = Plan()
    used: dict[tuple[JobKind, str], list[str]] = {}
    for found in marks:
        try:
            planner = _Planner(found, settings, used)
            made.jobs.append(planner.plan_job())
        except JobSetupError as problem:
            made.problems.append(problem)
    for (kind, name), jobs in used.items():
        if len(jobs) > 1:
            made.problems.append(SameJobNameError(kind, name, jobs))
    return made


class _Planner:
    """Plans one job."""

    def __init__(self, found: FoundMark, settings: SettingsSource, used: dict[tuple[JobKind, str], list[str]]) -> None:
        self._found = found
        self._settings = settings
        self._used = used

    def plan_job(self) -> Planned:
        """Raises JobSetupError: it can't be."""
        found, mark = self._found, self._found.mark
        if not found.is_eager:
            text = (
                f"{found.cls.__name__} is lazy, or it or something it needs is TRANSIENT- or REQUEST-scoped; "
                "a class with scheduled methods is a singleton that is built at the start"
            )
            raise found.problem(JobScopeError, text)
        self._check_arguments()
        callback = getattr(found.cls if found.instance is None else found.instance, found.method)
        match mark:
            case CronMark():
                return self._cron(mark, callback)
            case IntervalMark():
                return self._plan_timed("interval", mark.name, mark.every, callback, least_ms=1)
            case TimeoutMark():
                return self._plan_timed("timeout", mark.name, mark.after, callback, least_ms=0)

    def _cron(self, mark: CronMark, callback: Callable[[], Any]) -> Planned:
        name = self._name(self._settle_option("name", mark.name))
        is_distributed = self._bool("distributed", mark.distributed)
        if is_distributed and name is None:
            text = 'distributed=True needs a name, by which all processes identify it: @cron(..., name="...")'
            raise self._found.problem(JobOptionError, text)
        is_disabled = self._bool("disabled", mark.disabled)
        kind: JobKind = "cron"
        full_name = self._take(kind, name)
        try:
            job = CronJob(
                self._settle_option("expression", mark.expression),
                callback,
                name=full_name,
                time_zone=self._settle_option("time_zone", mark.time_zone),
                utc_offset=self._settle_option("utc_offset", mark.utc_offset),
                wait_for_completion=self._bool("wait_for_completion", mark.wait_for_completion),
                threshold=self._settle_option("threshold", mark.threshold),
                initial_delay=self._settle_option("initial_delay", mark.initial_delay),
                distributed=is_distributed,
            )
        except JobSetupError as error:
            raise self._found.problem(type(error), error.problem) from None
        job.has_own_name = name is not None
        return Planned(self._found, kind, full_name, name is not None, job=job, is_disabled=is_disabled)

    def _plan_timed(
        self, kind: JobKind, name: object, duration: object, callback: Callable[[], Any], *, least_ms: int
    ) -> Planned:
        own_name = self._name(name)
        try:
            duration_ms = to_ms(self._settle_option(kind, duration), "it", least=least_ms)
        except ValueError as error:
            raise self._found.problem(JobOptionError, str(error)) from None
        return Planned(
            self._found,
            kind,
            self._take(kind, own_name),
            own_name is not None,
            callback=callback,
            duration_ms=duration_ms,
        )

    def _settle_option(self, option: str, value: object) -> Any:
        try:
            return settle(value, self._settings)
        except JobSetupError:
            raise
        except Exception as error:
            raise self._found.problem(JobOptionError, f"{option} could not be read: {error}") from error

    def _bool(self, option: str, value: object) -> bool:
        settled = self._settle_option(option, value)
        if not isinstance(settled, bool):
            raise self._found.problem(JobOptionError, f"{option} must be True or False, not {settled!r}")
        return settled

    def _name(self, name: object) -> str | None:
        try:
            return None if name is None else checked_name(name)
        except ValueError as error:
            raise self._found.problem(JobOptionError, str(error)) from None

    def _take(self, kind: JobKind, name: str | None) -> str:
        """The name given, or else one of the method's own that is free."""
        where, number = self._found.where, 1
        taken = name or where
        while name is None and (kind, taken) in self._used:
            number += 1
            taken = f"{where}#{number}"
        self._used.setdefault((kind, taken), []).append(f"{where}, {self._found.mark}")
        return taken

    def _check_arguments(self) -> None:
        method = inspect.getattr_static(self._found.cls, self._found.method)
        if isinstance(method, FunctionType) and _needs_self_only(method):
            return
        try:
            needed = needed_arguments(bound_signature(self._found.cls, self._found.method))
        except ValueError:  # written in C, and silent about itself
            return
        if needed:
            raise self._found.problem(JobOptionError, f"it is called without arguments, but needs {', '.join(needed)}")


def _needs_self_only(method: FunctionType) -> bool:
    """Whether that can be seen at a glance; a signature takes ten times as long, and there may be thousands."""
    code = method.__code__
    needed = code.co_argcount - len(method.__defaults__ or ())
    return needed <= 1 and code.co_kwonlyargcount == 0 and not hasattr(method, "__wrapped__")
