"""OpenTelemetry's own SDK, which keeps what it is told in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bullworks.bullmq import FlowProducer, Queue
from bullworks.bullmq.otel import BullMQOtel
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually


class Told:
    """What OpenTelemetry was told."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._tracers = TracerProvider()
        self._tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._reader = InMemoryMetricReader()
        self._meters = MeterProvider([self._reader])
        self.tracer = self._tracers.get_tracer("test")
        self.telemetry = BullMQOtel(enable_metrics=True, tracer_provider=self._tracers, meter_provider=self._meters)

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that have ended, in this order."""
        return list(self._exporter.get_finished_spans())

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def one(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    async def ended(self, name: str, count: int = 1) -> list[ReadableSpan]:
        """The spans of that name, once there are so many."""
        await eventually(lambda: self.names.count(name) >= count, what=f"{count} spans {name!r}")
        return [span for span in self.spans if span.name == name]

    def metrics(self) -> dict[str, list[tuple[dict[str, Any], Any]]]:
        """By name: the attributes of each point, and the point."""
        data = self._reader.get_metrics_data()
        points: dict[str, list[tuple[dict[str, Any], Any]]] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points[metric.name] = [(dict(point.attributes or {}), point) for point in metric.data.data_points]
        return points

    def close(self) -> None:
        self._tracers.shutdown()
        self._meters.shutdown()


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def id_of(span: ReadableSpan) -> int:
    return span.context.span_id


def trace_of(span: ReadableSpan) -> int:
    return span.context.trace_id


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    yield told
    told.close()


@pytest.fixture
def telemetry(told: Told) -> BullMQOtel:
    return told.telemetry


class TracedBench(Bench):
    """A bench whose queue and flow producer are observed; its workers are where a test says so."""

    def __init__(self, url: str, prefix: str, telemetry: BullMQOtel) -> None:
        super().__init__(url, prefix)
        self.telemetry = telemetry
        self.queue: Queue[Any] = Queue("work", connection=url, prefix=prefix, telemetry=telemetry)
        self.flows = FlowProducer(connection=self.queue.connection, prefix=prefix, telemetry=telemetry)

    async def options(self, job_id: str) -> dict[str, Any]:
        """The job's `opts` in Redis."""
        options: dict[str, Any] = json.loads((await self.hash(job_id))["opts"])
        return options


@pytest.fixture
async def bench(redis_url: str, key_prefix: str, telemetry: BullMQOtel) -> AsyncIterator[TracedBench]:
    bench = TracedBench(redis_url, key_prefix, telemetry)
    yield bench
    await bench.close()
