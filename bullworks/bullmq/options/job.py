"""The options of a job: a TypedDict for the caller, a frozen record inside.

Source of names, ranges and defaults: BullMQ 6.7, JobsOptions.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, get_args

from typing_extensions import TypedDict

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.keys import RESERVED_IDS
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.backoff import Backoff, BackoffOptions
from bullworks.bullmq.options.deduplication import Deduplication, DeduplicationOptions
from bullworks.bullmq.options.expiry import Expiry
from bullworks.bullmq.options.group import GroupOptions
from bullworks.bullmq.options.parent import ChildFailure, Parent, ParentOptions
from bullworks.bullmq.options.repeat import RepeatOptions
from bullworks.bullmq.options.retention import Retention, RetentionValue
from bullworks.bullmq.telemetry.job_telemetry import JobTelemetry, TelemetryOptions

HIGHEST_PRIORITY_NUMBER = 2**21 - 1
# The queue's own are no longer than JavaScript's exact integers, and have no leading zeros. A negative number is to npm
# bullmq the code of an error.
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}|-[0-9.]+")


class JobOptions(TypedDict, total=False):
    """Options of `Queue.add`, all optional.

    Attributes:
        attempts: how often the job may run in all, >= 1; default 1.
        backoff: wait between attempts: ms (fixed), a Backoff, or {"type", "delay", "jitter"}.
        delay: wait before the first run.
        priority: 1 .. 2**21 - 1, lower runs first, and all after jobs without; 0 is without.
        lifo: True puts the job before all that wait.
        remove_on_complete, remove_on_fail: True, a count, or {"age" (s), "count", "limit"}; default: keep all.
        job_id: an id of your own; a second job with it is not added. No integer, no ":", no BullMQ key name.
        timestamp: when the job counts as created, ms since the epoch; default: now, by Redis's clock.
        timeout: how long the handler may run; past it the attempt has failed. Bullworks's own, Node ignores it.
        expires: how long after it was first due the job may start, or a datetime: after that a worker fails it without
            running it, and no retry is made. Bullworks's own, Node ignores it.
        keep_logs: log lines that are kept, the newest, >= 0.
        stack_trace_limit: failed attempts whose trace is kept, >= 0; default 10.
        size_limit: the most bytes of JSON that `data` may have, > 0.
        deduplication: {"id", "ttl", "extend", "replace", "reschedule", "keep_last_if_active"}.
        group: {"id", "weight"}: of which tenant it is; groups are served in turn. Of `Queue.add`, `add_bulk` and flows.
        repeat: {"pattern"} or {"every"}, and more: run again and again, by a job scheduler. Of `Queue.add` only.
        parent: {"id", "queue"} of a job that then waits for this one; queue with its prefix.
        fail_parent_on_failure, continue_parent_on_failure, ignore_dependency_on_failure,
        remove_dependency_on_failure: what a failure of this job does to its parent, one of them at most: fail it; run
            it at once; let it continue without this job, which stays listed; the same, and unlisted. With none it waits
            until this job is retried.
        telemetry: {"metadata", "omit_context"}: where in a trace it belongs, other than where it was added.
    """

    attempts: int
    backoff: int | Backoff | BackoffOptions
    delay: Duration
    priority: int
    lifo: bool
    remove_on_complete: RetentionValue
    remove_on_fail: RetentionValue
    job_id: str
    timestamp: int
    timeout: Duration
    expires: Duration | datetime
    keep_logs: int
    stack_trace_limit: int
    size_limit: int
    deduplication: DeduplicationOptions
    group: GroupOptions
    repeat: RepeatOptions
    parent: ParentOptions
    fail_parent_on_failure: bool
    continue_parent_on_failure: bool
    ignore_dependency_on_failure: bool
    remove_dependency_on_failure: bool
    telemetry: TelemetryOptions


class EncodedOpts:
    """Room for the JSON of options, filled by the first who needs it; the options themselves are never written to."""

    __slots__ = ("json",)

    def __init__(self) -> None:
        self.json: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOpts:
    """Job options after validation, as `job.opts` gives them; durations in ms.

    Attributes:
        encoded: as they lie in Redis; see codec.encode_opts.
    """

    attempts: int = 0
    backoff: Backoff | None = None
    delay_ms: int = 0
    priority: int = 0
    lifo: bool = False
    remove_on_complete: Retention | None = None
    remove_on_fail: Retention | None = None
    job_id: str | None = None
    timestamp: int | None = None
    timeout_ms: int | None = None
    expires: Expiry | None = None
    keep_logs: int | None = None
    stack_trace_limit: int | None = None
    size_limit: int | None = None
    deduplication: Deduplication | None = None
    parent: Parent | None = None
    on_child_failure: ChildFailure | None = None
    telemetry: JobTelemetry | None = None
    encoded: EncodedOpts = field(default_factory=EncodedOpts, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "JobOpts":
        """Validate a user's job options.

        Raises:
            InvalidOptionError: an unknown name (with the near one), a wrong type, a value out of range.
        """
        # The jobs of a queue mostly share theirs; an id is one job's own.
        if "job_id" not in options and _PLAIN.issuperset(map(type, options.values())):
            return _known(tuple(options), *options.values())
        return cls._checked(options)

    @classmethod
    def _checked(cls, options: Mapping[str, Any]) -> "JobOpts":
        checked: dict[str, Any] = {}
        for option, value in options.items():
            check = CHECKS.get(option)
            if check is None:
                raise InvalidOptionError.unknown(option, CHECKS)
            if value is not None:
                field, result = check(option, value)
                if field == "on_child_failure" and (not result or checked.get(field)):
                    if result:
                        raise InvalidOptionError(option, f"cannot be used together with {checked[field]}_on_failure")
                    continue
                checked[field] = result
        return cls(**checked)

    def carrying(self, metadata: str | None) -> "JobOpts":
        """Add the caller's trace context, unless the options exclude it or there is none."""
        if metadata is None:
            return self
        telemetry = (self.telemetry or JobTelemetry()).carrying(metadata)
        return self if telemetry is self.telemetry else replace(self, telemetry=telemetry)


# Values that neither change nor equal one of another type unnoticed, given `typed`: True is not 1 here.
_PLAIN = frozenset({bool, int, str, type(None)})


@lru_cache(maxsize=512, typed=True)
def _known(names: tuple[str, ...], *values: Any) -> JobOpts:
    return JobOpts._checked(dict(zip(names, values, strict=True)))  # noqa: SLF001 - its cache


Check = Callable[[str, Any], tuple[str, Any]]
"""(option, value) -> the field of JobOpts and what goes there; raises InvalidOptionError."""


def _whole(least: int, most: int = checks.LARGEST_WHOLE) -> Check:
    return lambda option, value: (option, checks.whole(option, value, least, most))


def _duration(least: int) -> Check:
    return lambda option, value: (f"{option}_ms", checked_ms(option, value, least=least))


def _made_by(of: Callable[[object], Any]) -> Check:
    return lambda option, value: (option, of(value))


def _flag(option: str, value: object) -> tuple[str, bool]:
    return option, checks.flag(option, value)


def _retention(option: str, value: object) -> tuple[str, Retention]:
    return option, Retention.of(value, option)


def _child_failure(option: str, value: object) -> tuple[str, str | None]:
    return "on_child_failure", option.removesuffix("_on_failure") if checks.flag(option, value) else None


def _repeat(option: str, value: object) -> tuple[str, None]:  # noqa: ARG001 - every check takes both
    raise InvalidOptionError(option, "is of Queue.add alone, or use Queue.upsert_job_scheduler")


def _group(option: str, value: object) -> tuple[str, None]:  # noqa: ARG001 - every check takes both
    raise InvalidOptionError(option, "is of Queue.add, add_bulk and flows alone, a job at a time")


def _job_id(option: str, value: object) -> tuple[str, str]:
    job_id = checks.text(option, value)
    if _NUMBER.fullmatch(job_id):
        raise InvalidOptionError(
            option, f"{value!r} is a number, as the queue's own ids and its errors are; add a letter"
        )
    if ":" in job_id and (job_id.startswith("0:") or job_id.count(":") != 2):
        raise InvalidOptionError(option, f"{value!r} holds ':', which separates Redis keys; use '-' or '_'")
    if job_id in RESERVED_IDS:
        raise InvalidOptionError(option, f"{value!r} is the name of one of the queue's own keys; choose another")
    return option, job_id


CHECKS: dict[str, Check] = {
    "attempts": _whole(0),
    "backoff": _made_by(Backoff.of),
    "delay": _duration(0),
    "priority": _whole(0, HIGHEST_PRIORITY_NUMBER),
    "lifo": _flag,
    "remove_on_complete": _retention,
    "remove_on_fail": _retention,
    "job_id": _job_id,
    "timestamp": _whole(0, 2**41 - 1),
    "timeout": _duration(1),
    "expires": _made_by(Expiry.of),
    "keep_logs": _whole(0),
    "stack_trace_limit": _whole(0),
    "size_limit": _whole(1),
    "deduplication": _made_by(Deduplication.of),
    "group": _group,
    "repeat": _repeat,
    "parent": _made_by(Parent.of),
    "telemetry": _made_by(JobTelemetry.of),
    **{f"{policy}_on_failure": _child_failure for policy in get_args(ChildFailure)},
}
