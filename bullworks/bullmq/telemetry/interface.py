"""Telemetry: what observes queues, workers and flows. `bullworks.bullmq.otel` implements it for OpenTelemetry.

A context stands for where in a trace something happens; what it is, the implementation alone knows.

Source: BullMQ 6.7, interfaces/telemetry.ts.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import IntEnum
from typing import Any, Protocol

from typing_extensions import TypeVar

C = TypeVar("C", default=Any)
"""What a context is."""

AttributeValue = str | bool | int | float | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]
Attributes = Mapping[str, AttributeValue]


class SpanKind(IntEnum):
    """The kind of a span, numbered as in OpenTelemetry."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2
    PRODUCER = 3
    CONSUMER = 4


class Span(Protocol[C]):
    """One operation, from `start_span` to `end`; `set_span_on_context`: a context in which it is the present one."""

    def set_span_on_context(self, context: C, /) -> C: ...

    def set_attribute(self, key: str, value: AttributeValue, /) -> None: ...

    def set_attributes(self, attributes: Attributes, /) -> None: ...

    def add_event(self, name: str, attributes: Attributes | None = None, /) -> None: ...

    def record_exception(self, exception: BaseException | str, /) -> None: ...

    def end(self) -> None: ...


class Tracer(Protocol[C]):
    """Makes spans: below that of `context`, or of the active one where that is None."""

    def start_span(self, name: str, *, kind: SpanKind, context: C | None = None) -> Span[C]: ...


class ContextManager(Protocol[C]):
    """Knows the present context, and carries it to where a job is processed.

    `with_context` makes one the active one while a `with` block runs, awaits included. `root` is in no trace: for what
    outlives its caller. `get_metadata` gives the text that is stored with a job, `from_metadata` the reverse;
    the text may come from a program of any language, and be none of the implementation's.
    """

    def with_context(self, context: C, /) -> AbstractContextManager[object]: ...

    def active(self) -> C: ...

    def root(self) -> C: ...

    def get_metadata(self, context: C, /) -> str: ...

    def from_metadata(self, active_context: C, metadata: str, /) -> C: ...


class Counter(Protocol):
    """An instrument whose value only grows."""

    def add(self, value: int, attributes: Attributes | None = None, /) -> None: ...


class Histogram(Protocol):
    """An instrument that records a distribution of values."""

    def record(self, value: float, attributes: Attributes | None = None, /) -> None: ...


class Gauge(Protocol):
    """An instrument that records a present value."""

    def record(self, value: float, attributes: Attributes | None = None, /) -> None: ...


class Meter(Protocol):
    """Creates instruments; the engine requests each once."""

    def create_counter(self, name: str, *, description: str, unit: str) -> Counter: ...

    def create_histogram(self, name: str, *, description: str, unit: str) -> Histogram: ...

    def create_gauge(self, name: str, *, description: str, unit: str) -> Gauge: ...


class Telemetry(Protocol[C]):
    """The interface of the option `telemetry=`: a tracer, a context manager and maybe a meter.

    Attributes:
        meter: None means nothing is counted.
    """

    @property
    def tracer(self) -> Tracer[C]: ...

    @property
    def context_manager(self) -> ContextManager[C]: ...

    @property
    def meter(self) -> Meter | None: ...
