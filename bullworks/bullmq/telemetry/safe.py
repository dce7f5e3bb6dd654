"""SafeTelemetry: exceptions of a telemetry are logged, and never reach a job, worker or caller."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.telemetry.interface import Attributes, AttributeValue, Meter, Span, SpanKind, Telemetry

log = logging.getLogger(__name__)

T = TypeVar("T")

# A telemetry that fails does so with every job.
_LOG_EVERY_S = 60.0


class ErrorGuard:
    """Calls user telemetry and logs its exceptions; usable from the lock renewal thread too."""

    def __init__(self) -> None:
        self._logged_s = -_LOG_EVERY_S

    def call(self, function: Callable[..., T], *args: Any, otherwise: T, **kwargs: Any) -> T:
        """Call a function and return its result, or `otherwise` if it raises."""
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the telemetry is the user's, and a job must outlive it
            self.failed(error)
            return otherwise

    def failed(self, error: Exception) -> None:
        """Log an exception, at most once a minute."""
        now_s = time.monotonic()
        if now_s - self._logged_s >= _LOG_EVERY_S:
            self._logged_s = now_s
            log.error("the telemetry failed: %s: %s", type(error).__name__, error)


class NoSpan:
    """A span that does nothing, in place of one that could not be started."""

    def set_span_on_context(self, context: Any) -> Any:
        return context

    def set_attribute(self, key: str, value: AttributeValue) -> None: ...

    def set_attributes(self, attributes: Attributes) -> None: ...

    def add_event(self, name: str, attributes: Attributes | None = None) -> None: ...

    def record_exception(self, exception: BaseException | str) -> None: ...

    def end(self) -> None: ...


class SafeSpan:
    """A span whose exceptions are logged, not raised."""

    __slots__ = ("_guard", "_span")

    def __init__(self, guard: ErrorGuard, span: Span[Any]) -> None:
        self._guard = guard
        self._span = span

    def set_span_on_context(self, context: Any) -> Any:
        return self._guard.call(self._span.set_span_on_context, context, otherwise=context)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self._guard.call(self._span.set_attribute, key, value, otherwise=None)

    def set_attributes(self, attributes: Attributes) -> None:
        self._guard.call(self._span.set_attributes, attributes, otherwise=None)

    def add_event(self, name: str, attributes: Attributes | None = None) -> None:
        self._guard.call(self._span.add_event, name, attributes, otherwise=None)

    def record_exception(self, exception: BaseException | str) -> None:
        self._guard.call(self._span.record_exception, exception, otherwise=None)

    def end(self) -> None:
        self._guard.call(self._span.end, otherwise=None)


class SafeTelemetry:
    """A telemetry whose exceptions are logged, not raised.

    Args:
        given: the user's.

    Raises:
        InvalidOptionError: it is none.
    """

    def __init__(self, given: Telemetry[Any]) -> None:
        for part in ("tracer", "context_manager", "meter"):
            if not hasattr(given, part):
                raise InvalidOptionError("telemetry", f"has no {part}, see bullworks.bullmq.Telemetry: {given!r}")
        self.given = given
        self._guard = ErrorGuard()

    def measure(self, step: Callable[[Meter], None]) -> None:
        """Run a step with the meter, if there is one."""
        if self.given.meter is not None:
            self._guard.call(step, self.given.meter, otherwise=None)

    def start_span(self, name: str, *, kind: SpanKind, context: Any = None) -> Span[Any]:
        span = self._guard.call(self.given.tracer.start_span, name, kind=kind, context=context, otherwise=None)
        return NoSpan() if span is None else SafeSpan(self._guard, span)

    @contextmanager
    def with_context(self, context: Any) -> Iterator[None]:
        active = self._guard.call(self.given.context_manager.with_context, context, otherwise=None)
        entered = active is not None and self._guard.call(_enter, active, otherwise=False)
        try:
            yield
        finally:
            if active is not None and entered:
                self._guard.call(active.__exit__, None, None, None, otherwise=None)

    def active(self) -> Any:
        return self._guard.call(self.given.context_manager.active, otherwise=None)

    def root(self) -> Any:
        return self._guard.call(self.given.context_manager.root, otherwise=None)

    def get_metadata(self, context: Any) -> str:
        """Read a context's metadata; empty if there is none."""
        return self._guard.call(self.given.context_manager.get_metadata, context, otherwise="")

    def from_metadata(self, active_context: Any, metadata: str) -> Any:
        return self._guard.call(
            self.given.context_manager.from_metadata, active_context, metadata, otherwise=active_context
        )


def _enter(context: Any) -> bool:
    context.__enter__()
    return True
