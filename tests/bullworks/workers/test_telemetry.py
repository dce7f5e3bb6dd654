"""One telemetry for an application: its queues, workers and flow producers share it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bullworks.bullmq import FlowProducer, InvalidOptionError, Job, Queue
from bullworks.bullmq.otel import BullMQOtel
from bullworks.workers import BullModule, InjectFlowProducer, InjectQueue, WorkerHost, processor
from bullworks.workers.options import RootOptions
from tests.bullworks.waiting import eventually


class Sender:
    def __init__(
        self,
        email: Annotated[Queue, InjectQueue("email")],
        flows: Annotated[FlowProducer, InjectFlowProducer()],
    ) -> None:
        self.email = email
        self.flows = flows


@processor("email")
class EmailWorker(WorkerHost):
    async def process(self, job: Job) -> Any: ...


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


@pytest.fixture
def telemetry(exporter: InMemorySpanExporter) -> Iterator[BullMQOtel]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield BullMQOtel(tracer_provider=provider)
    provider.shutdown()


async def test_queues_workers_and_flow_producers_are_observed(
    run: Any, telemetry: BullMQOtel, exporter: InMemorySpanExporter
) -> None:
    producers = BullModule.register_flow_producer()

    def names() -> list[str]:
        return [span.name for span in exporter.get_finished_spans()]

    async with run(EmailWorker, Sender, imports=[producers], telemetry=telemetry) as app:
        sender = app.get(Sender)
        await sender.email.add("welcome")
        await sender.flows.add({"name": "digest", "queue_name": "email"})
        await eventually(lambda: names().count("process email") == 2)
    assert {"add email.welcome", "addFlow email", "complete email"} <= set(names())
    processed = [span for span in exporter.get_finished_spans() if span.name == "process email"]
    added = {span.context.span_id for span in exporter.get_finished_spans() if span.name.startswith("add")}
    assert {span.parent.span_id for span in processed if span.parent} <= added


async def test_without_telemetry_nothing_is_observed(run: Any) -> None:
    producers = BullModule.register_flow_producer()
    async with run(EmailWorker, Sender, imports=[producers]) as app:
        sender = app.get(Sender)
        assert (sender.email.tracing, sender.flows.telemetry) == (None, None)
        assert app.get(EmailWorker).worker.opts.telemetry is None


def test_a_further_connection_has_the_telemetry_of_the_first(telemetry: BullMQOtel) -> None:
    with pytest.raises(InvalidOptionError, match="telemetry: applies to the whole process"):
        RootOptions(connection="redis://127.0.0.1:1", telemetry=telemetry).further_connection()
