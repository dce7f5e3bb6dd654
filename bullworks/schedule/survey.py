"""Survey: what there is to schedule in an application, and everything that is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from bullworks.core import Discovery
from bullworks.schedule.decorators.options import OPTIONS, ScheduleOptions
from bullworks.schedule.errors import LateJobError, NoRedisForCronsError, ScheduleError, SchedulesDifferError
from bullworks.schedule.explorer import found_marks, marks_of
from bullworks.schedule.host_context import HOST_CONTEXT, HostContext
from bullworks.schedule.planning import Planned, plan


@dataclass(frozen=True, slots=True)
class Survey:
    """The options, jobs and problems of an application's schedule.

    Args:
        options: what `for_root()` says.
        host_context: what is around; None where there is nothing, or it is not built.
        jobs: of the kinds that are wanted.
        problems: what keeps the application from starting.
    """

    options: ScheduleOptions
    host_context: HostContext | None
    jobs: list[Planned]
    problems: list[ScheduleError]


def survey(discovery: Discovery) -> Survey:
    """Survey all modules, before or after providers are built."""
    given: dict[ScheduleOptions, str] = {}
    host_context: HostContext | None = None
    late: list[ScheduleError] = []
    has_redis, has_all_options = False, True
    for provider in discovery.providers():
        if provider.token == OPTIONS:
            if not isinstance(provider.instance, ScheduleOptions):
                has_all_options = False  # a function's, not built yet
            elif provider.instance != ScheduleOptions():
                given.setdefault(provider.instance, " > ".join(provider.path[:-1]))
        elif provider.is_late and provider.made_from is not None and any(marks_of(provider.made_from)):
            late.append(LateJobError(" > ".join(provider.path)))
        elif provider.token == HOST_CONTEXT:
            has_redis = True
            host_context = provider.instance if isinstance(provider.instance, HostContext) else None
    options = next(iter(given), ScheduleOptions())
    planned = plan(found_marks(discovery), discovery.settings)
    jobs = [job for job in planned.jobs if options.runs(job.kind)]
    problems = [*planned.problems, *late]
    if len(given) > 1:
        problems.append(SchedulesDifferError(list(given.values())))
    distributed = [job.name for job in jobs if job.job and job.job.distributed and not job.is_disabled]
    if distributed and has_all_options and not has_redis and options.connection is None:
        problems.append(NoRedisForCronsError(distributed))
    return Survey(options, host_context, jobs, problems)


def check(discovery: Discovery) -> Iterator[Exception]:
    """List the schedule's problems, before anything is built."""
    yield from survey(discovery).problems
