"""A telemetry that fails harms no job; and who has no OpenTelemetry need not have it."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, InvalidOptionError, Job, JobFailedError, JobSpec, Queue, Worker
from bullworks.bullmq.otel import BullMQOtel
from bullworks.bullmq.telemetry import ContextManager, SpanKind, Telemetry, Tracer
from tests.bullworks.bullmq.telemetry.conftest import Told, TracedBench, parent_of

SPAN = ["set_span_on_context", "set_attribute", "set_attributes", "add_event", "record_exception", "end"]
CONTEXT = ["with_context", "enter", "exit", "active", "root", "get_metadata", "from_metadata"]
METER = ["create_counter", "create_histogram", "create_gauge", "add", "record"]


class Broken:
    """A telemetry of a user's own making, of which one part raises; it is all of its parts itself."""

    def __init__(self, part: str) -> None:
        self._part = part

    @property
    def tracer(self) -> Broken:
        return self

    @property
    def context_manager(self) -> Broken:
        return self

    @property
    def meter(self) -> Broken:
        return self

    def start_span(self, name: str, *, kind: SpanKind, context: Any = None) -> Broken:
        return self._do("start_span", self)

    def with_context(self, context: Any) -> AbstractContextManager[None]:
        @contextmanager
        def active() -> Iterator[None]:
            self._do("enter")
            yield
            self._do("exit")

        return self._do("with_context", active())

    def __getattr__(self, name: str) -> Any:
        if name not in {*SPAN, *CONTEXT, *METER}:
            raise AttributeError(name)
        text_or_self = "m" if name == "get_metadata" else self
        return lambda *args, **kwargs: self._do(name, text_or_self)

    def _do(self, part: str, result: Any = None) -> Any:
        if part == self._part:
            raise RuntimeError(f"{part}: the collector is full")
        return result


@pytest.mark.parametrize("part", ["start_span", *SPAN, *CONTEXT, *METER])
async def test_whatever_a_telemetry_raises_is_logged_and_harms_nothing(
    part: str, redis_url: str, key_prefix: str, caplog: pytest.LogCaptureFixture
):
    broken: Telemetry[Any] = Broken(part)
    renewed = asyncio.Event()

    async def process(job: Job) -> None:
        if job.name == "bad":
            raise OSError("away")
        if job.name == "long":
            await asyncio.wait_for(renewed.wait(), 5)

    caplog.set_level(logging.ERROR, "bullworks.bullmq.telemetry")
    settings: dict[str, Any] = {"connection": redis_url, "prefix": key_prefix, "telemetry": broken}
    limits: dict[str, Any] = {"stalled_interval": 100, "lock_duration": 5_000, "lock_renew_time": 50}
    worker = Worker("work", process, concurrency=5, **limits, **settings)
    worker.on("locks_renewed", renewed.set)
    async with Queue("work", **settings) as queue, FlowProducer(**settings) as flows, worker:
        jobs = [
            await queue.add("good"),
            *await queue.add_bulk([JobSpec("long")]),
            (await flows.add({"name": "flow", "queue_name": "work"})).job,
            await queue.upsert_job_scheduler("tick", {"every": 60_000}),
        ]
        bad = await queue.add("bad")
        for job in jobs:
            await job.wait_until_finished(ttl=5_000)
        with pytest.raises(JobFailedError, match="away"):
            await bad.wait_until_finished(ttl=5_000)
        await queue.record_job_counts_metric()
        await queue.update_job_progress(bad.id, 5)
        assert await queue.get_delayed_count() == 1
        await worker.run_stalled_check()
    told = [record.getMessage() for record in caplog.records if record.name == "bullworks.bullmq.telemetry.safe"]
    expected = set() if part in UNUSED else {f"the telemetry failed: RuntimeError: {part}: the collector is full"}
    assert set(told) == expected
    # One a minute of each that was given it: the queue, the worker, and what makes flows.
    assert len(told) <= 3


UNUSED = {"set_attribute"}
"""What an implementation offers to whoever holds one of its spans; the engine sets several at once."""


@pytest.mark.parametrize("given", [True, object(), BullMQOtel])
def test_what_is_no_telemetry_is_refused_at_once(given: Any):
    for make in (
        lambda: Queue("q", connection="redis://127.0.0.1:1", telemetry=given),
        lambda: FlowProducer(connection="redis://127.0.0.1:1", telemetry=given),
        lambda: Worker("q", None, connection="redis://127.0.0.1:1", telemetry=given),
    ):
        with pytest.raises(InvalidOptionError, match="telemetry: has no tracer"):
            make()


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

sys.modules["opentelemetry"] = None
import bullworks.bullmq
try:
    import bullworks.bullmq.otel
except ImportError as error:
    print(error)
"""


@pytest.mark.process
def test_without_opentelemetry_all_else_works_and_the_error_names_the_extra():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == (
        "bullworks.bullmq.otel needs opentelemetry-api, which is not installed: pip install 'bullworks[otel]'"
    )
