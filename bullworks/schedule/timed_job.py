"""IntervalJob and TimeoutJob: callbacks that wait by the steady clock."""

from collections.abc import Callable

from bullworks.bullmq import Duration, to_ms
from bullworks.schedule.clockwork.runner import Callback
from bullworks.schedule.clockwork.timers import Timer
from bullworks.schedule.cron_job import JobRuntime
from bullworks.schedule.errors import JobOptionError


class TimedJob:
    """The base of intervals and timeouts, which wait from when their registry opens, or from joining an open one."""

    kind = "job"

    def __init__(self, name: str, callback: Callback, duration: Duration, *, least_ms: int) -> None:
        self.name = name
        self.callback = callback
        try:
            self.duration_ms = to_ms(duration, "it", least=least_ms)
        except ValueError as error:
            raise JobOptionError(name, f"{self.kind} {duration!r}", str(error)) from None
        self._runtime: JobRuntime | None = None
        self._timer: Timer | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, {self.duration_ms} ms>"

    @property
    def is_active(self) -> bool:
        """Whether the job waits for its time."""
        return self._timer is not None

    def attach(self, runtime: JobRuntime | None) -> None:
        """Join a registry, or leave it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._runtime = runtime
        if runtime is not None and runtime.timetable.is_open:
            self.begin()

    def begin(self) -> None:
        """Start waiting for the job's time."""
        if self._runtime is not None:
            due_ms = self._runtime.timetable.clock.steady_ms() + self.duration_ms
            self._timer = self._runtime.timetable.at_steady(due_ms, self)

    def fire(self, due_ms: int) -> None:
        del due_ms
        self._timer = None
        if self._runtime is not None:
            label = f"{self.kind} {self.name}"
            self._runtime.runner.start(label, self._runtime.runner.call(label, self.callback))

    def rearm(self) -> None:
        """Do nothing, as a timeout fires once."""

    def clock_set_back(self) -> None:
        """Do nothing, as the steady clock is never set."""


class IntervalJob(TimedJob):
    """A job that runs again and again; the registry creates it.

    Args:
        duration: from one run to the next, ms >= 1 or timedelta.

    Raises:
        JobOptionError: not a valid duration.
    """

    kind = "interval"

    def __init__(self, name: str, callback: Callback, duration: Duration) -> None:
        super().__init__(name, callback, duration, least_ms=1)
        self._due_ms: int | None = None

    def fire(self, due_ms: int) -> None:
        self._due_ms = due_ms
        super().fire(due_ms)

    def rearm(self) -> None:
        if self._runtime is not None and self._timer is None and self._due_ms is not None:
            timetable = self._runtime.timetable
            # From due to due, so that it does not drift; what was due meanwhile is let go.
            behind = max(0, timetable.clock.steady_ms() - self._due_ms) // self.duration_ms
            self._timer = timetable.at_steady(self._due_ms + (behind + 1) * self.duration_ms, self)


class TimeoutJob(TimedJob):
    """A job that runs once; the registry creates it, and removes it when it has begun.

    Args:
        duration: until it runs, ms >= 0 or timedelta.
        forget: called when it begins.

    Raises:
        JobOptionError: not a valid duration.
    """

    kind = "timeout"

    def __init__(self, name: str, callback: Callback, duration: Duration, forget: Callable[[], object]) -> None:
        super().__init__(name, callback, duration, least_ms=0)
        self._forget = forget

    def fire(self, due_ms: int) -> None:
        self._forget()
        super().fire(due_ms)
