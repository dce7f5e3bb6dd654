"""Checks of what docs/workers.md has beyond the guide: handlers by name, events, flows, processes, traces."""

from __future__ import annotations

import importlib
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bullworks.bullmq import UnrecoverableError, Worker
from bullworks.core import create_application
from bullworks.workers import BullModule, WorkerHost, get_queue_token, processor
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.stage import MAIL, Stage
from tests.bullworks.waiting import eventually

log = logging.getLogger("example")

checks = Checks()


@checks("named-handlers")
async def each_name_has_its_method(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.EmailWorker, queues=("email",)) as application:
        queue = application.get(get_queue_token("email"))
        jobs = [await queue.add(name, MAIL) for name in ("welcome-email", "weekly-digest", "invoice")]
        welcome, digest, unknown = [await stage.finished(job) for job in jobs]
    assert (welcome.returnvalue, digest.returnvalue) == (
        "welcomed user@example.com",
        "weekly-digest for user@example.com",
    )
    assert "welcome-email" in (unknown.failed_reason or "")


@checks("process-pool")
async def the_handler_runs_in_a_process(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Processes import the example, so it must be a file.
        Path(folder, "primes_example.py").write_text(stage.example.code)
        sys.path.insert(0, folder)
        try:
            page = importlib.import_module("primes_example")
            async with stage.application(page.PrimesWorker, queues=("primes",)) as application:
                job = await application.get(get_queue_token("primes")).add("count", 100)
                await stage.finished(job)
                assert (job.returnvalue, await job.logs()) == (25, ["counting the primes below 100"])
        finally:
            sys.path.remove(folder)
            sys.modules.pop("primes_example", None)


@checks("queue-events")
async def the_listener_hears_what_others_run(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page = await stage.run()

    async def handle(job: Any) -> str:
        if job.data == "bad":
            raise UnrecoverableError("no such address")
        return "sent"

    elsewhere = Worker("email", handle, connection=stage.redis_url, prefix=stage.prefix)
    async with stage.application(page.EmailListener, queues=("email",)) as application, elsewhere:
        queue = application.get(get_queue_token("email"))
        good, bad = await queue.add("mail", "good"), await queue.add("mail", "bad")
        await eventually(lambda: f"Job {good.id} returned sent" in caplog.messages)
        await eventually(lambda: [line for line in caplog.messages if line.startswith(f"Job {bad.id} failed: no such")])


@checks("queue-events-alone")
async def the_job_is_waited_for(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    # The example has BullMQ's own prefix, under which no other test writes to this queue.
    async with Worker("email", lambda job: {"sent": True}, connection=stage.redis_url):
        page = await stage.run(log=log)
        assert page.result == {"sent": True}
        assert f"Job {page.job.id} completed" in caplog.messages


@checks("flows")
async def the_report_waits_for_its_regions(stage: Stage) -> None:
    page = await stage.run()

    @processor("sales")
    class SalesWorker(WorkerHost):
        async def process(self, job: Any) -> int:
            if job.data["region"] == "nowhere":
                raise UnrecoverableError("there is no such region")
            return len(job.data["region"])

    workers = BullModule.for_root(
        queues=("reports", "sales"),
        providers=[page.ReportService, page.ReportWorker, SalesWorker],
        imports=[BullModule.register_flow_producer()],
        connection=stage.redis_url,
        prefix=stage.prefix,
    )
    async with await create_application(workers) as application:
        flow = await application.get(page.ReportService).order(["north", "south-east", "nowhere"])
        assert (await stage.finished(flow.job)).returnvalue == {"total": 15, "missing": 1}


@checks("telemetry")
async def the_trace_goes_through(stage: Stage) -> None:
    exporter = InMemorySpanExporter()
    _tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
    email = await stage.run_other("creating-a-worker")
    page = await stage.run(BullModule=BullModule, EmailWorker=email.EmailWorker)
    async with await create_application(page.workers) as application:
        queue = application.get(get_queue_token("email"))
        # Other tests' jobs would have other traces, so of this one alone.
        job = await queue.add("welcome-email", MAIL)
        await stage.finished(job)
        assert queue.telemetry.meter is not None
        await eventually(lambda: _spans_of(job.id, exporter).keys() >= {"add", "process", "complete"})
    spans = _spans_of(job.id, exporter)
    assert [spans[name].parent.span_id for name in ("process", "complete")] == [
        spans[name].context.span_id for name in ("add", "process")
    ]


def _tracer_provider() -> TracerProvider:
    """OpenTelemetry's own, which a service says once; the examples' telemetry asks there."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    return provider


def _spans_of(job_id: str, exporter: InMemorySpanExporter) -> dict[str, Any]:
    """By the first word of their names."""
    spans = [span for span in exporter.get_finished_spans() if (span.attributes or {}).get("bullmq.job.id") == job_id]
    return {span.name.partition(" ")[0]: span for span in spans}
