"""What enhancers are told: which job is processed or added, and by which handler."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bullworks.bullmq import Job, JobToAdd


class JobContext:
    """The execution context of one attempt of a job.

    Attributes:
        job: as a handler on the event loop has it, also where `process` is a plain function.
    """

    __slots__ = ("_cls", "_method", "job")

    def __init__(self, job: Job[Any, Any], cls: type[Any], method: str) -> None:
        self.job = job
        self._cls = cls
        self._method = method

    def get_class(self) -> type[Any]:
        """The processor's class."""
        return self._cls

    def get_handler(self) -> Callable[..., Any]:
        """The method that processes the job, as its class has it, with what decorators left on it."""
        handler: Callable[..., Any] = getattr(self._cls, self._method)
        return handler


class AddContext:
    """The execution context of one job that is being added.

    Attributes:
        job: its queue and name, and its data and options, which may be changed until it is stored.
    """

    __slots__ = ("_cls", "_method", "job")

    def __init__(self, job: JobToAdd, cls: type[Any] | None, method: str | None) -> None:
        self.job = job
        self._cls = cls
        self._method = method

    def get_class(self) -> type[Any] | None:
        """The class of the queue's processor; None where this application has none."""
        return self._cls

    def get_handler(self) -> Callable[..., Any] | None:
        """The method that will process the job; None where this application has none for it."""
        return None if self._cls is None or self._method is None else getattr(self._cls, self._method)


class CallHandler:
    """The call that an interceptor surrounds: inner interceptors, pipes, and the handler or what stores added jobs."""

    __slots__ = ("_context", "_interceptors", "_last", "_place")

    def __init__(
        self,
        interceptors: Sequence[Callable[..., Awaitable[Any]]],
        context: Any,
        last: Callable[[], Awaitable[Any]],
        place: int = 0,
    ) -> None:
        self._interceptors = interceptors
        self._context = context
        self._last = last
        self._place = place

    def handle(self) -> Awaitable[Any]:
        """Go on. Awaiting it gives what the handler returns, or raises what it raises; of jobs that are added, nothing.

        Each call goes on anew, so that a handler can be run once more. Without a call it is not run.
        """
        place = self._place
        if place == len(self._interceptors):
            return self._last()
        following = CallHandler(self._interceptors, self._context, self._last, place + 1)
        return self._interceptors[place](self._context, following)
