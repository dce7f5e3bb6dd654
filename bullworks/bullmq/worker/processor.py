"""Processor: the function that a worker runs for each job, or one for each name of jobs, and what it expects."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError, UnrecoverableError

Handle = Callable[..., Any]
"""`async def process(job: Job)`, or a plain function of a SyncJob, which runs in a thread.

Either may take the job's CancelSignal as its second argument."""

Processor = Handle | Mapping[str, Handle]


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler function, and which arguments it expects."""

    function: Handle
    is_async: bool
    takes_signal: bool

    @classmethod
    def of(cls, function: Handle) -> "Handler":
        """Inspect a handler function. Raises InvalidOptionError if it is not callable."""
        if not callable(function):
            raise InvalidOptionError("processor", f"must be a function of a job, not {function!r}")
        return cls(function, is_async(function), takes_signal(function))


class Handlers:
    """Chooses the handler function of each job.

    Args:
        processor: one for all, or each by the name of its jobs.

    Raises:
        InvalidOptionError: one that cannot be called, or none.
    """

    __slots__ = ("_by_name", "for_all")

    def __init__(self, processor: Processor) -> None:
        by_name = processor if isinstance(processor, Mapping) else {}
        self.for_all = None if isinstance(processor, Mapping) else Handler.of(processor)
        self._by_name = {name: Handler.of(function) for name, function in by_name.items()}
        if self.for_all is None and not self._by_name:
            raise InvalidOptionError("processor", "must name a job at least")

    def named(self, name: str) -> Handler:
        """Find the handler function for a job name.

        Raises:
            UnrecoverableError: there is none.
        """
        handler = self.for_all or self._by_name.get(name)
        if handler is None:
            raise UnrecoverableError(
                f"no handler for jobs named {name!r}; there are: {', '.join(sorted(self._by_name))}"
            )
        return handler


def is_async(processor: Handle) -> bool:
    """Whether calling a function returns a coroutine: an async function, bound, partial or an object's `__call__`."""
    while isinstance(processor, partial):
        processor = processor.func
    return inspect.iscoroutinefunction(processor) or inspect.iscoroutinefunction(type(processor).__call__)


def takes_signal(processor: Handle) -> bool:
    """Whether a handler takes a second argument: a required one, or one named `signal`."""
    try:
        parameters = list(inspect.signature(processor).parameters.values())
    except (TypeError, ValueError):  # a builtin that does not say
        return False
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    return len(positional) > 1 and (positional[1].name == "signal" or positional[1].default is inspect.Parameter.empty)
