"""What adds jobs tells of it, and its jobs carry where in a trace that was."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from bullworks.bullmq import InvalidOptionError, JobNotFoundError, JobSpec, Queue, SyncQueue
from bullworks.bullmq.otel import BullMQOtel
from tests.bullworks.bullmq.telemetry.conftest import Told, TracedBench, id_of, parent_of, trace_of


def span_in(metadata: str) -> tuple[int, int]:
    """The trace and the span that a job carries, in W3C's form."""
    _, trace_id, span_id, _ = json.loads(metadata)["traceparent"].split("-")
    return int(trace_id, 16), int(span_id, 16)


async def test_a_job_carries_the_span_that_added_it(bench: TracedBench, told: Told):
    with told.tracer.start_as_current_span("request") as request:
        job = await bench.queue.add("welcome", {"n": 1})
    add = told.one("add work.welcome")
    assert (add.kind, parent_of(add)) == (SpanKind.PRODUCER, request.get_span_context().span_id)
    assert dict(add.attributes or {}) == {
        "bullmq.queue.name": "work",
        "bullmq.queue.operation": "add",
        "bullmq.job.name": "welcome",
        "bullmq.job.id": job.id,
    }
    stored = (await bench.options(job.id))["tm"]
    assert span_in(stored) == (trace_of(add), id_of(add))
    assert job.opts.telemetry is not None
    assert job.opts.telemetry.metadata == stored


async def test_jobs_of_a_bulk_carry_one_span(bench: TracedBench, told: Told):
    jobs = await bench.queue.add_bulk([JobSpec("a"), JobSpec("b")])
    span = told.one("addBulk work")
    assert {span_in((await bench.options(job.id))["tm"]) for job in jobs} == {(trace_of(span), id_of(span))}
    assert span.kind == SpanKind.PRODUCER
    assert (span.attributes or {})["bullmq.job.bulk.names"] == ("a", "b")
    assert (span.attributes or {})["bullmq.job.bulk.count"] == 2


async def test_a_job_may_carry_no_context_or_another(bench: TracedBench, told: Told):
    silent = await bench.queue.add("a", telemetry={"omit_context": True})
    (other,) = await bench.queue.add_bulk([JobSpec("a", telemetry={"metadata": "elsewhere"})])
    options = await bench.options(silent.id)
    assert (options["omc"], "tm" in options) == (True, False)
    options = await bench.options(other.id)
    assert (options["tm"], "omc" in options) == ("elsewhere", False)


async def test_every_job_of_a_flow_has_a_span_below_that_of_its_parent(bench: TracedBench, told: Told):
    node = await bench.flows.add(
        {"name": "parent", "queue_name": "work", "children": [{"name": "child", "queue_name": "other"}]}
    )
    flow, parent, child = (told.one(name) for name in ("addFlow work", "addNode work", "addNode other"))
    assert [parent_of(span) for span in (flow, parent, child)] == [None, id_of(flow), id_of(parent)]
    assert (flow.attributes or {})["bullmq.flow.name"] == "parent"
    assert (child.attributes or {})["bullmq.queue.name"] == "other"
    assert (child.attributes or {})["bullmq.job.name"] == "child"
    assert span_in((await bench.options(node.job.id))["tm"]) == (trace_of(flow), id_of(parent))
    carried = node.children[0].job.opts.telemetry
    assert carried is not None
    assert span_in(carried.metadata or "") == (trace_of(flow), id_of(child))


async def test_many_flows_have_one_span_above_them(bench: TracedBench, told: Told):
    await bench.flows.add_bulk([{"name": name, "queue_name": "work"} for name in ("a", "b")])
    span = told.one("addBulkFlows")
    assert (span.attributes or {})["bullmq.job.bulk.names"] == "a,b"
    assert {parent_of(node) for node in told.spans if node.name == "addNode work"} == {id_of(span)}


async def test_the_jobs_of_a_scheduler_carry_where_it_was_set(bench: TracedBench, told: Told):
    first = await bench.queue.upsert_job_scheduler("tick", {"every": 60_000}, {"name": "beat", "opts": {"attempts": 2}})
    span = told.one("add work.beat")
    assert (span.attributes or {})["bullmq.job.scheduler.id"] == "tick"
    assert (span.attributes or {})["bullmq.job.id"] == first.id
    assert span_in((await bench.options(first.id))["tm"]) == (trace_of(span), id_of(span))
    template = await bench.queue.get_job_scheduler("tick")
    assert template is not None
    assert template.template.opts.telemetry is None, "each start of the service would change the scheduler"


async def test_a_repeated_job_has_one_span(bench: TracedBench, told: Told):
    await bench.queue.add("beat", repeat={"every": 60_000})
    assert told.names == ["add work.beat"]


async def test_a_sync_queue_is_below_the_span_of_its_thread(
    told: Told, telemetry: BullMQOtel, redis_url: str, key_prefix: str
):
    def view() -> int:
        with (
            SyncQueue("work", connection=redis_url, prefix=key_prefix, telemetry=telemetry) as queue,
            told.tracer.start_as_current_span("view") as span,
        ):
            queue.add("a")
            return span.get_span_context().span_id

    assert view() == parent_of(told.one("add work.a"))


async def test_what_redis_refuses_is_recorded_with_the_span(bench: TracedBench, told: Told):
    with pytest.raises(JobNotFoundError):
        await bench.queue.update_job_progress("missing", 1)
    span = told.one("updateJobProgress work")
    assert [event.name for event in span.events] == ["exception"]
    assert not span.status.is_ok


OPERATIONS: dict[str, Callable[[Queue[Any]], Coroutine[Any, Any, Any]]] = {
    "pause": lambda queue: queue.pause(),
    "resume": lambda queue: queue.resume(),
    "rateLimit": lambda queue: queue.rate_limit(1_000),
    "removeDeduplicationKey": lambda queue: queue.remove_deduplication_key("d"),
    "remove": lambda queue: queue.remove("j"),
    "drain": lambda queue: queue.drain(),
    "clean": lambda queue: queue.clean(0),
    "obliterate": lambda queue: queue.obliterate(),
    "retryJobs": lambda queue: queue.retry_jobs(),
    "promoteJobs": lambda queue: queue.promote_jobs(),
    "trimEvents": lambda queue: queue.trim_events(10),
    "close": lambda queue: queue.close(),
}


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_each_operation_of_a_queue_has_the_span_that_node_gives_it(
    operation: str, bench: TracedBench, told: Told
):
    await OPERATIONS[operation](bench.queue)
    span = told.one(f"{operation} work")
    assert span.kind == (SpanKind.PRODUCER if operation == "retryJobs" else SpanKind.INTERNAL)
    assert (span.attributes or {})["bullmq.queue.operation"] == operation


async def test_counts_are_told_to_the_meter(bench: TracedBench, told: Told):
    await bench.queue.add("a")
    counts = await bench.queue.record_job_counts_metric("waiting", "failed")
    assert counts == {"waiting": 1, "failed": 0}
    points = {
        attributes["bullmq.queue.jobs.state"]: point.value for attributes, point in told.metrics()["bullmq.queue.jobs"]
    }
    assert points == counts


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("text", "telemetry: must be a dict"),
        ({"metadat": "x"}, "telemetry.metadat: unknown option; did you mean telemetry.metadata?"),
        ({"metadata": 1}, "telemetry.metadata: must be a string"),
        ({"omit_context": 1}, "telemetry.omit_context: must be True or False"),
    ],
)
async def test_a_bad_telemetry_option_is_refused(given: Any, problem: str, bench: TracedBench):
    with pytest.raises(InvalidOptionError, match=problem):
        await bench.queue.add("a", telemetry=given)


async def test_without_telemetry_a_job_carries_only_what_it_was_given(redis_url: str, key_prefix: str):
    async with Queue("work", connection=redis_url, prefix=key_prefix) as queue:
        plain = await queue.add("a", attempts=2)
        given = await queue.add("a", telemetry={"metadata": "m", "omit_context": True})
        fields = await queue.scripts.read_fields(plain.id)
        assert json.loads(fields[b"opts"]) == {"attempts": 2}
        fields = await queue.scripts.read_fields(given.id)
        assert json.loads(fields[b"opts"]) == {"attempts": 0, "tm": "m", "omc": True}
