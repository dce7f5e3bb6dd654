"""`@process`: methods of a host that process the jobs of one name each."""

from collections.abc import Callable
from typing import Any, TypeVar

from bullworks.workers.errors import JobNameError

F = TypeVar("F", bound=Callable[..., Any])

PROCESS = "__processed_job_names__"


def process(*names: str) -> Callable[[F], F]:
    """Declare the method that processes the jobs of these names, in a host without a `process` of its own.

    A job of a name that no method has fails, at once and for good. Sync methods run in a thread and get a SyncJob;
    they and async ones may stand in one host.

    Raises:
        JobNameError: no name, or no text as a name; or one name twice.
    """
    for name in names:
        if not isinstance(name, str) or not name:
            raise JobNameError("@process", f'names jobs, as in @process("welcome-email"); {name!r} is not a name')
    if not names:
        raise JobNameError("@process()", 'names at least one job, as in @process("welcome-email")')

    def mark(method: F) -> F:
        marked = (*getattr(method, PROCESS, ()), *names)
        if len(set(marked)) < len(marked):
            raise JobNameError(f"@process on {method.__qualname__}", f"names a job twice: {', '.join(marked)}")
        setattr(method, PROCESS, marked)
        return method

    return mark


def job_methods(cls: type[Any]) -> dict[str, str]:
    """Collect the `@process` methods of a class by job name; inherited ones included.

    Raises:
        JobNameError: two methods process one name.
    """
    methods: dict[str, str] = {}
    seen: set[str] = set()
    for base in cls.__mro__:
        for attribute, member in vars(base).items():
            if attribute in seen:  # overridden
                continue
            seen.add(attribute)
            for name in getattr(getattr(member, "__func__", member), PROCESS, ()):
                if name in methods:
                    both = f"{methods[name]} and {attribute}"
                    raise JobNameError(f"@process({name!r}) in {cls.__name__}", f"both {both} process it")
                methods[name] = attribute
    return methods
