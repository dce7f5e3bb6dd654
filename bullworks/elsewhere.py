"""What Celery, taskiq and npm bullmq call things, and what is written for them here: for error messages."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NoReturn, TypeVar

C = TypeVar("C", bound=type[Any])


class Option(NamedTuple):
    """An option of jobs here; `note` says how its value differs."""

    name: str
    note: str = ""


_RUNS = Option("attempts", "it counts all runs: 2 retries are attempts=3")
_WAIT = Option("delay", "in ms, or a timedelta")
_LIMIT = Option("timeout", "in ms, or a timedelta")
_PAUSE = Option("backoff", 'as in backoff={"type": "exponential", "delay": 60_000}')

OPTIONS: Mapping[str, Option] = {
    "retries": _RUNS,
    "retry": _RUNS,
    "max_retries": _RUNS,
    "countdown": _WAIT,
    "eta": Option("delay", "from now on: delay=eta - datetime.now(UTC)"),
    "time_limit": _LIMIT,
    "soft_time_limit": _LIMIT,
    "job_timeout": _LIMIT,
    "retry_backoff": _PAUSE,
    "default_retry_delay": _PAUSE,
    "min_backoff": _PAUSE,
    "task_id": Option("job_id"),
    "cron": Option("repeat", 'as in repeat={"pattern": "0 0 * * *"}'),
}
"""Options of jobs elsewhere, where that is not nearly the name that they have here."""

_ADD = 'jobs are added to a queue: await queue.add("job-name", {...})'

_PROCESSOR = (
    'a task is a method of a class: from bullworks.workers import WorkerHost, processor; then @processor("queue-name") '
    "on class EmailWorker(WorkerHost), with async def process(self, job)"
)

CALLS: Mapping[str, str] = {
    "delay": _ADD,
    "apply_async": 'jobs are added to a queue: await queue.add("job-name", {...}, delay=5_000, attempts=3)',
    "send_task": _ADD,
    "kiq": _ADD,
    "kicker": 'options stand beside the data: await queue.add("job-name", {...}, delay=5_000, attempts=3)',
    "enqueue": _ADD,
    "task": _PROCESSOR,
}
"""Methods elsewhere that add a job, or declare one, and what stands in their place."""

NAMES: Mapping[str, str] = {
    "task": _PROCESSOR,
    "shared_task": _PROCESSOR,
    "actor": _PROCESSOR,
    "periodic_task": "what runs by the clock is a method: from bullworks.schedule import cron; then @cron(...) on it",
    "Celery": "there is no app object: BullModule.for_root() of bullworks.workers connects, a Queue adds jobs",
}
"""What is imported elsewhere, and what stands in its place."""


def meant_option(option: str, known: Iterable[str]) -> Option | None:
    """Find the option here that one is elsewhere, or in npm bullmq's spelling: `max_retries`, `removeOnFail`."""
    found = OPTIONS.get(option) or Option(snake_cased(option))
    return found if found.name in known and found.name != option else None


def snake_cased(option: str) -> str:
    """Spell an option of npm bullmq as it is here: `removeOnFail` -> `remove_on_fail`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in option)


class _ForeignCall:
    """A method of another library: absent, with an AttributeError that says what to write."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type[Any]) -> NoReturn:
        raise AttributeError(
            f"{owner.__name__} has no {self._name}(); {CALLS[self._name]}",
            name=self._name,
            obj=owner if instance is None else instance,
        )


def without_foreign_calls(cls: C) -> C:
    """Have a class say what to write where a method of another library is called. Type checkers see none of it."""
    for name in CALLS:
        if name not in vars(cls):
            setattr(cls, name, _ForeignCall(name))
    return cls


def missing_name(module: str, name: str) -> Exception:
    """Build the error for a name that a module does not have; of a decorator elsewhere it says what to write."""
    if name in NAMES:  # not an AttributeError: from ... import swallows what one says
        return ImportError(f"{module} has no {name}; {NAMES[name]}", name=module)
    return AttributeError(f"module {module!r} has no attribute {name!r}", name=name)


def without_foreign_names(module: str) -> None:
    """Have a module say what to write where a decorator of another library is imported from it."""

    def look(name: str) -> NoReturn:
        raise missing_name(module, name)

    vars(sys.modules[module])["__getattr__"] = look
