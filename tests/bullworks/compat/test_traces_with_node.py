"""One trace through both languages: npm's bullmq-otel on one side, bullworks.bullmq.otel on the other."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bullworks.bullmq import FlowProducer, Job, JobSpec, Queue, Worker
from bullworks.bullmq.otel import BullMQOtel
from tests.bullworks.compat.node import QUEUE, Node
from tests.bullworks.waiting import eventually


class Traces:
    """Our side's spans, in the form of the script's."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._provider = TracerProvider()
        self._provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.telemetry = BullMQOtel(tracer_provider=self._provider)

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [_plain(span) for span in self._exporter.get_finished_spans()]

    def close(self) -> None:
        self._provider.shutdown()


def _plain(span: ReadableSpan) -> dict[str, Any]:
    return {
        "name": span.name,
        "kind": span.kind.value,
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        "parentSpanId": None if span.parent is None else f"{span.parent.span_id:016x}",
        "attributes": dict(span.attributes or {}),
        "events": [[event.name, dict(event.attributes or {})] for event in span.events],
    }


def one(spans: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (span,) = [span for span in spans if span["name"] == name]
    return span


@pytest.fixture
def traces() -> Iterator[Traces]:
    traces = Traces()
    yield traces
    traces.close()


async def in_node(
    node: Node, url: str, prefix: str, *, add: Sequence[Any] = (), process: int = 0, **more: Any
) -> dict[str, Any]:
    question = {"url": url, "prefix": prefix, "queue": QUEUE, "add": list(add), "process": process, **more}
    answer: dict[str, Any] = await node.ask("telemetry.mjs", question)
    return answer


async def test_our_worker_continues_the_trace_of_a_node_producer(
    node: Node, redis_url: str, key_prefix: str, traces: Traces
) -> None:
    answer = await in_node(node, redis_url, key_prefix, add=[{"name": "welcome", "data": {"n": 1}}])

    async def process(job: Job) -> None: ...

    settings = {"connection": redis_url, "prefix": key_prefix}
    async with Worker(QUEUE, process, telemetry=traces.telemetry, **settings):
        await eventually(lambda: [span for span in traces.spans if span["name"] == f"process {QUEUE}"])
    add, processed = one(answer["spans"], f"add {QUEUE}.welcome"), one(traces.spans, f"process {QUEUE}")
    assert (processed["traceId"], processed["parentSpanId"]) == (add["traceId"], add["spanId"])
    assert processed["attributes"]["bullmq.job.id"] == answer["ids"][0]


async def test_a_node_worker_continues_the_trace_of_our_producer(
    node: Node, redis_url: str, key_prefix: str, traces: Traces
) -> None:
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix, telemetry=traces.telemetry) as queue:
        job = await queue.add("welcome", {"n": 1})
    answer = await in_node(node, redis_url, key_prefix, process=1)
    add, processed = one(traces.spans, f"add {QUEUE}.welcome"), one(answer["spans"], f"process {QUEUE}")
    assert (processed["traceId"], processed["parentSpanId"]) == (add["traceId"], add["spanId"])
    assert processed["attributes"]["bullmq.job.id"] == job.id


async def test_what_both_say_of_a_job_is_the_same(node: Node, redis_url: str, key_prefix: str, traces: Traces) -> None:
    """Names, kinds, attributes and parents of the spans; what jobs carry; what a failed one keeps."""
    jobs: list[Any] = [
        {"name": "good", "data": {"n": 1}, "opts": {"jobId": "good"}},
        {"name": "bad", "data": {"fail": "no"}, "opts": {"jobId": "bad"}},
    ]
    node_prefix = f"{key_prefix}-node"
    theirs = await in_node(node, redis_url, node_prefix, add=jobs, process=2)

    async def process(job: Job) -> Any:
        if "fail" in job.data:
            raise RuntimeError(job.data["fail"])
        return job.data

    settings: dict[str, Any] = {"connection": redis_url, "prefix": key_prefix, "telemetry": traces.telemetry}
    async with Queue(QUEUE, **settings) as queue:
        for job in jobs:
            await queue.add(job["name"], job["data"], job_id=job["opts"]["jobId"])
        async with Worker(QUEUE, process, name="node-worker", **settings):
            await eventually(lambda: [s["name"] for s in traces.spans].count(f"process {QUEUE}") == 2)
        ours_hashes = [await queue.scripts.read_fields(job["opts"]["jobId"]) for job in jobs]
    async with Queue(QUEUE, connection=redis_url, prefix=node_prefix) as queue:
        their_hashes = [await queue.scripts.read_fields(job["opts"]["jobId"]) for job in jobs]

    assert told(traces.spans) == told(theirs["spans"])
    for our_hash, their_hash in zip(ours_hashes, their_hashes, strict=True):
        assert our_hash.keys() == their_hash.keys()
        ours, wire = json.loads(our_hash[b"opts"]), json.loads(their_hash[b"opts"])
        assert ours.keys() == wire.keys()
        for carried in (ours["tm"], wire["tm"]):
            assert re.fullmatch(r'\{"traceparent":"00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]"\}', carried)
    assert b"tm" in ours_hashes[1]
    assert b"tm" not in ours_hashes[0]


async def test_what_both_say_of_adding_together_is_the_same(
    node: Node, redis_url: str, key_prefix: str, traces: Traces
) -> None:
    def flow(*names: str) -> dict[str, Any]:
        children = [{"name": name, "queueName": QUEUE, "opts": {"jobId": name}} for name in names[1:]]
        return {"name": names[0], "queueName": QUEUE, "opts": {"jobId": names[0]}, "children": children}

    flows = [flow("p", "c", "d"), flow("q"), flow("r", "e")]
    theirs = await in_node(
        node,
        redis_url,
        f"{key_prefix}-node",
        bulk=[{"name": "a", "data": 1}, {"name": "b", "data": 2}],
        flows=flows,
        schedulers=[["tick", {"pattern": "0 0 1 1 *"}, {"name": "beat"}]],
    )
    settings: dict[str, Any] = {"connection": redis_url, "prefix": key_prefix, "telemetry": traces.telemetry}
    async with Queue(QUEUE, **settings) as queue, FlowProducer(**settings) as producer:
        await queue.add_bulk([JobSpec("a", 1), JobSpec("b", 2)])
        first, *others = map(_ours, flows)
        await producer.add(first)
        await producer.add_bulk(others)
        await queue.upsert_job_scheduler("tick", {"pattern": "0 0 1 1 *"}, {"name": "beat"})
    kinds = {"addBulk", "addFlow", "addBulkFlows", "addNode", "add"}
    assert told(traces.spans, kinds) == told(theirs["spans"], kinds)
    assert len(told(traces.spans, kinds)) == 10


async def test_what_both_say_of_what_is_done_to_a_queue_is_the_same(
    node: Node, redis_url: str, key_prefix: str, traces: Traces
) -> None:
    theirs = await in_node(node, redis_url, f"{key_prefix}-node", tidies=True)
    async with Queue(QUEUE, connection=redis_url, prefix=key_prefix, telemetry=traces.telemetry) as queue:
        await queue.pause()
        await queue.resume()
        await queue.rate_limit(1_000)
        await queue.remove_rate_limit_key()
        await queue.remove_deduplication_key("d")
        await queue.remove("nobody")
        await queue.clean(0, "completed", 10)
        await queue.drain()
        await queue.retry_jobs()
        await queue.promote_jobs()
        await queue.trim_events(100)
        await queue.obliterate(force=True)
    kinds = {span["name"].partition(" ")[0] for span in traces.spans}
    assert told(traces.spans, kinds) == told(
        theirs["spans"], {span["name"].partition(" ")[0] for span in theirs["spans"]}
    )


def _ours(flow: dict[str, Any]) -> Any:
    ours = {"name": flow["name"], "queue_name": flow["queueName"], "opts": {"job_id": flow["opts"]["jobId"]}}
    return {**ours, "children": [_ours(child) for child in flow.get("children", ())]}


CHANGING = {"bullmq.worker.id", "bullmq.job.attempt_finished_timestamp", "bullmq.job.processed.timestamp"}
"""Present on both sides, with other values."""


def told(spans: list[dict[str, Any]], kinds: Container[str] = ("add", "process", "complete", "fail")) -> list[Any]:
    """What is to be the same: of spans that begin so, with the names of their parents in place of ids."""
    names = {span["spanId"]: span["name"] for span in spans}
    told = []
    for span in spans:
        if span["name"].partition(" ")[0] not in kinds:
            continue  # stalled checks and closing come as they come
        attributes = {name: 0 if name in CHANGING else value for name, value in span["attributes"].items()}
        if not span["name"].startswith("process"):
            attributes = {name: value for name, value in attributes.items() if not name.startswith("bullmq.worker.")}
        # That an attempt failed is an exception of its span too, here.
        events = [event for event in span["events"] if event[0] != "exception"]
        facts = json.dumps([attributes, events], sort_keys=True)
        told.append((span["name"], span["kind"], names.get(span["parentSpanId"], ""), facts))
    return sorted(told)
