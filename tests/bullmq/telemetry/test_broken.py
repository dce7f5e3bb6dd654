"""A telemetry that fails harms no job; and who has no OpenTelemetry need not have it."""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from app.bullmq import Job, Queue, Worker
from app.bullmq.otel import BullMQOtel
from app.bullmq.telemetry import Attributes, ContextManager, Span, SpanKind, Telemetry, Tracer
from tests.bullmq.telemetry.conftest import Told, TracedBench, parent_of
from tests.waiting import eventually


class BrokenSpan:
    """Raises as soon as it is told something of a job."""

    def set_span_on_context(self, context: str) -> str:
        return context

    def set_attribute(self, key: str, value: object) -> None:
        raise RuntimeError("the collector is full")

    def set_attributes(self, attributes: Attributes) -> None:
        if "bullmq.job.id" in attributes or "bullmq.job.attempts.made" in attributes:
            raise RuntimeError("the collector is full")

    def add_event(self, name: str, attributes: Attributes | None = None) -> None:
        raise RuntimeError("the collector is full")

    def record_exception(self, exception: BaseException | str) -> None:
        raise RuntimeError("the collector is full")

    def end(self) -> None:
        raise RuntimeError("the collector is full")


class BrokenTelemetry:
    """Of a user's own making. `at_start`: already where a span is made, else only later."""

    def __init__(self, *, at_start: bool) -> None:
        self._at_start = at_start
        self.meter = None

    @property
    def tracer(self) -> BrokenTelemetry:
        return self

    @property
    def context_manager(self) -> BrokenTelemetry:
        return self

    def start_span(self, name: str, *, kind: SpanKind, context: str | None = None) -> Span[str]:
        if self._at_start and kind is SpanKind.CONSUMER:
            raise RuntimeError("the collector is full")
        return BrokenSpan()

    def with_context(self, context: str) -> AbstractContextManager[None]:
        return nullcontext()

    def active(self) -> str:
        return ""

    def root(self) -> str:
        return ""

    def get_metadata(self, context: str) -> str:
        return "m"

    def from_metadata(self, active_context: str, metadata: str) -> str:
        return metadata


@pytest.mark.parametrize("at_start", [True, False])
async def test_jobs_run_whatever_the_telemetry_raises(
    at_start: bool, redis_url: str, key_prefix: str, caplog: pytest.LogCaptureFixture
):
    broken: Telemetry[str] = BrokenTelemetry(at_start=at_start)

    async def process(job: Job) -> None:
        if job.name == "bad":
            raise OSError("away")

    caplog.set_level(logging.ERROR, "app.bullmq.worker.attempt_tracing")
    settings = {"connection": redis_url, "prefix": key_prefix}
    async with Queue("work", **settings) as queue:
        worker = Worker("work", process, telemetry=broken, skip_stalled_check=True, **settings)
        await worker.start()
        good, bad = await queue.add("good"), await queue.add("bad")
        await eventually(good.is_completed)
        await eventually(bad.is_failed)
        with pytest.raises(RuntimeError, match="the collector is full"):
            await worker.close()  # whoever calls gave the telemetry, and sees what it raises
        assert worker.is_running is False
    assert "queue work: the telemetry failed: RuntimeError: the collector is full" in caplog.text


def test_the_implementation_for_opentelemetry_is_one(telemetry: BullMQOtel):
    """For the type checker: each part is assigned to its interface."""
    whole: Telemetry[Any] = telemetry
    tracer: Tracer[Any] = telemetry.tracer
    manager: ContextManager[Any] = telemetry.context_manager
    assert (whole.tracer, whole.context_manager) == (tracer, manager)


@pytest.mark.parametrize("metadata", ["no json", "[]", '{"traceparent": 5}', "{}", '{"traceparent":"00-x-y-01"}'])
async def test_metadata_of_another_telemetry_begins_a_new_trace(metadata: str, bench: TracedBench, told: Told):
    async def process(job: Job) -> None: ...

    async with bench.worker(process, telemetry=bench.telemetry):
        await bench.queue.add("a", telemetry={"metadata": metadata})
        (span,) = await told.ended("process work")
    assert parent_of(span) is None


WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Absent())
import app.bullmq
try:
    import app.bullmq.otel
except ImportError as error:
    print(error)
"""


def test_without_opentelemetry_all_else_works_and_the_error_names_the_extra():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == (
        "app.bullmq.otel needs opentelemetry-api, which the extra `otel` brings: pip install 'bullworks[otel]'"
    )
