"""An attempt is a span of the trace in which its job was added, with all that happens in it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from bullworks.bullmq import Batch, DelayedError, FlowProducer, Job, RateLimitError, SyncJob, UnrecoverableError, Worker
from tests.bullworks.bullmq.telemetry.conftest import Told, TracedBench, id_of, parent_of, trace_of
from tests.bullworks.waiting import eventually


def observed(bench: TracedBench, process: Any, **options: Any) -> Worker:
    return bench.worker(process, telemetry=bench.telemetry, **options)


def said(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_job_is_processed_below_the_span_that_added_it(bench: TracedBench, told: Told):
    async def process(job: Job) -> dict[str, int]:
        return {"sent": 1}

    async with observed(bench, process, name="mailer"):
        job = await bench.queue.add("welcome")
        (process_span,) = await told.ended("process work")
    add, complete = told.one("add work.welcome"), told.one("complete work")
    assert (process_span.kind, parent_of(process_span)) == (SpanKind.CONSUMER, id_of(add))
    assert (parent_of(complete), complete.kind) == (id_of(process_span), SpanKind.INTERNAL)
    assert {trace_of(span) for span in (add, process_span, complete)} == {trace_of(add)}
    facts = said(process_span)
    assert facts.pop("bullmq.worker.id")
    assert facts.pop("bullmq.job.attempt_finished_timestamp") >= facts.pop("bullmq.job.processed.timestamp") > 0
    assert facts == {
        "bullmq.queue.name": "work",
        "bullmq.queue.operation": "process",
        "bullmq.worker.name": "mailer",
        "bullmq.job.id": job.id,
        "bullmq.job.name": "welcome",
        "bullmq.job.attempts.made": 1,
    }
    (event,) = process_span.events
    assert (event.name, dict(event.attributes or {})) == ("job completed", {"bullmq.job.result": '{"sent":1}'})


async def test_a_batch_is_a_span_of_its_own_beside_those_of_its_jobs(bench: TracedBench, told: Told):
    async def process(jobs: list[Job]) -> list[Any]:
        await bench.queue.add("child", delay=60_000)
        return [None, ValueError("no")]

    for name in ("first", "second"):
        await bench.queue.add(name)
    async with observed(bench, process, batch=Batch(size=2)):
        spans = await told.ended("process work", 2)
    call = told.one("processBatch work")
    assert said(call)["bullmq.job.bulk.count"] == 2
    assert call.parent is None
    assert parent_of(told.one("add work.child")) == id_of(call)
    assert len({trace_of(span) for span in (*spans, call)}) == 3


@pytest.mark.parametrize("in_thread", [False, True])
async def test_what_a_handler_does_is_in_its_span(in_thread: bool, bench: TracedBench, told: Told):
    seen: list[int] = []

    async def process(job: Job) -> None:
        if job.name == "parent":
            seen.append(trace.get_current_span().get_span_context().span_id)
            await bench.queue.add("child")

    def process_in_thread(job: SyncJob) -> None:
        if job.name == "parent":
            seen.append(trace.get_current_span().get_span_context().span_id)
            asyncio.run_coroutine_threadsafe(bench.queue.add("child"), loop).result(5)

    loop = asyncio.get_running_loop()
    async with observed(bench, process_in_thread if in_thread else process):
        await bench.queue.add("parent")
        spans = await told.ended("process work", 2)
    by_name = {said(span)["bullmq.job.name"]: span for span in spans}
    assert seen == [id_of(by_name["parent"])]
    assert parent_of(told.one("add work.child")) == seen[0]
    assert trace_of(by_name["child"]) == trace_of(told.one("add work.parent"))


async def test_listeners_are_called_in_the_attempts_span(bench: TracedBench, told: Told):
    heard: list[int] = []

    async def process(job: Job) -> None: ...

    worker = observed(bench, process)
    worker.on("completed", lambda job: heard.append(trace.get_current_span().get_span_context().span_id))
    async with worker:
        await bench.queue.add("a")
        (span,) = await told.ended("process work")
    assert heard == [id_of(span)]


async def test_a_failed_attempt_tells_why_and_its_job_where(bench: TracedBench, told: Told):
    async def process(job: Job) -> None:
        raise ValueError("no such address") if job.attempts_made else OSError("away")

    async with observed(bench, process):
        job = await bench.queue.add("a", attempts=2)
        first, second = await told.ended("process work", 2)
    for span, reason in ((first, "away"), (second, "no such address")):
        assert [event.name for event in span.events] == ["exception", "job failed"]
        assert dict(span.events[1].attributes or {}) == {"bullmq.job.failed.reason": reason}
        assert not span.status.is_ok
        assert parent_of(span) == id_of(told.one("add work.a"))
    retry, fail = told.one("retry work"), told.one("fail work")
    assert [parent_of(span) for span in (retry, fail)] == [id_of(first), id_of(second)]
    fields = await bench.hash(job.id)
    assert json.loads(fields["tm"])["traceparent"].split("-")[2] == f"{id_of(fail):016x}"
    assert len(json.loads(fields["stacktrace"])) == 2
    await job.refresh()
    assert len(job.stacktrace) == 2


async def test_a_retry_with_a_backoff_is_a_delay_and_a_job_without_context_keeps_none(bench: TracedBench, told: Told):
    async def process(job: Job) -> None:
        raise OSError("away")

    async with observed(bench, process):
        job = await bench.queue.add("a", attempts=2, backoff=60_000, telemetry={"omit_context": True})
        (span,) = await told.ended("process work")
    assert parent_of(span) is None
    assert trace_of(span) != trace_of(told.one("add work.a"))
    assert told.one("delay work").parent is not None
    assert "tm" not in await bench.hash(job.id)


async def test_a_job_that_its_handler_moved_or_gave_back_ends_its_span(bench: TracedBench, told: Told):
    async def process(job: Job) -> None:
        if job.name == "later":
            await job.move_to_delayed(2**41 - 1)
            raise DelayedError
        await bench.queue.pause()
        raise RateLimitError

    async with observed(bench, process):
        await bench.queue.add("later")
        await told.ended("process work")
        await bench.queue.add("limited")
        spans = await told.ended("process work", 2)
    assert [event.name for span in spans for event in span.events] == []
    assert {"complete work", "fail work"}.isdisjoint(told.names)


async def test_a_worker_that_is_started_in_a_span_does_not_live_in_it(bench: TracedBench, told: Told):
    async def process(job: Job) -> None: ...

    worker = observed(bench, process, stalled_interval=100)
    with told.tracer.start_as_current_span("startup") as startup:
        await worker.start()
    await told.ended("moveStalledJobsToWait work", 2)
    await bench.queue.add("a", telemetry={"omit_context": True})
    (span,) = await told.ended("process work")
    await worker.close()
    inside = [other.name for other in told.spans if trace_of(other) == startup.get_span_context().trace_id]
    assert inside == ["startup"]
    assert parent_of(span) is None


async def test_locks_are_renewed_in_spans_of_their_own(bench: TracedBench, told: Told):
    started = asyncio.Event()

    async def process(job: Job) -> None:
        started.set()
        await told.ended("extendLocks work")

    async with observed(bench, process, lock_duration=5_000, lock_renew_time=50):
        job = await bench.queue.add("a")
        await asyncio.wait_for(started.wait(), 5)
        await told.ended("process work")
    span = next(span for span in told.spans if span.name == "extendLocks work")
    assert said(span)["bullmq.worker.jobs.to.extend.locks"] == (job.id,)
    assert parent_of(span) is None


async def test_a_worker_tells_what_is_done_to_it(bench: TracedBench, told: Told):
    async def process(job: Job) -> None: ...

    worker = observed(bench, process)
    await worker.start()
    await worker.pause()
    worker.resume()
    await worker.rate_limit(1_000)
    await worker.close(0)
    assert said(told.one("pause work"))["bullmq.worker.do.not.wait.active"] is False
    assert said(told.one("rateLimit work"))["bullmq.worker.rate.limit"] == 1_000
    assert said(told.one("close work"))["bullmq.worker.force.close"] is True
    assert "resume work" in told.names


async def test_a_job_taken_by_hand_is_told_of_in_its_own_trace(bench: TracedBench, told: Told):
    await bench.queue.add("a")
    async with observed(bench, None) as worker:
        await worker.start_stalled_check_timer()
        job = await worker.get_next_job("token", block=False)
        assert job is not None
        await job.move_to_completed("done")
        assert await worker.get_next_job("token", block=False) is None
    taken, nothing = await told.ended("getNextJob work", 2)
    assert (parent_of(taken), said(taken)["bullmq.job.id"]) == (id_of(told.one("add work.a")), job.id)
    assert "bullmq.job.id" not in said(nothing)
    assert said(told.one("complete work"))["bullmq.job.name"] == "a"
    assert "startStalledCheckTimer work" in told.names


async def test_a_job_failed_by_hand_tells_where(bench: TracedBench, told: Told):
    job = await bench.queue.add("a")
    async with observed(bench, None) as worker:
        taken = await worker.get_next_job("token", block=False)
        assert taken is not None
        await taken.move_to_failed(UnrecoverableError("no"))
    assert (
        json.loads((await bench.hash(job.id))["tm"])["traceparent"].split("-")[2]
        == f"{id_of(told.one('fail work')):016x}"
    )
    assert len(taken.stacktrace) == 1


async def test_the_next_job_of_a_scheduler_stays_in_its_trace(bench: TracedBench, told: Told):
    async def process(job: Job) -> None: ...

    async with observed(bench, process):
        await bench.queue.upsert_job_scheduler("tick", {"every": 100, "limit": 2}, {"name": "beat"})
        spans = await told.ended("process work", 2)
    set_up = next(span for span in told.spans if span.name == "add work.beat")
    assert [parent_of(span) for span in spans] == [id_of(set_up)] * 2


async def test_the_next_job_of_a_scheduler_that_nobody_traced_begins_where_it_is_made(bench: TracedBench, told: Told):
    async def process(job: Job) -> None: ...

    quiet = bench.queue.__class__("work", connection=bench.url, prefix=bench.prefix)
    await quiet.upsert_job_scheduler("tick", {"every": 100, "limit": 2}, {"name": "beat"})
    await quiet.close()
    async with observed(bench, process):
        first, second = await told.ended("process work", 2)
    add = next(span for span in told.spans if span.name == "add work.beat")
    assert (parent_of(first), parent_of(add), parent_of(second)) == (None, id_of(first), id_of(add))


async def test_how_attempts_end_is_counted_and_timed(bench: TracedBench, told: Told):
    async def process(job: Job) -> None:
        if job.name == "later":
            await job.move_to_delayed(2**41 - 1)
            raise DelayedError
        if job.name == "bad" and job.attempts_made < 1:
            raise OSError("away")
        if job.name == "bad":
            raise UnrecoverableError("no")

    async with observed(bench, process):
        await bench.queue.add("good")
        await bench.queue.add("bad", attempts=3)
        await bench.queue.add("later")
        await told.ended("process work", 4)
    metrics = told.metrics()
    metrics.pop("bullmq.job.duration")
    counts = {name: [(point.value, facts) for facts, point in points] for name, points in metrics.items()}
    queue = {"bullmq.queue.name": "work"}
    assert counts.pop("bullmq.jobs.completed") == [
        (1, {**queue, "bullmq.job.name": "good", "bullmq.job.state": "completed"})
    ]
    assert counts.pop("bullmq.jobs.failed") == [(1, {**queue, "bullmq.job.name": "bad", "bullmq.job.state": "failed"})]
    assert counts.pop("bullmq.jobs.retried") == [
        (1, {**queue, "bullmq.job.name": "bad", "bullmq.job.state": "retried"})
    ]
    assert counts.pop("bullmq.jobs.delayed") == [
        (1, {**queue, "bullmq.job.name": "later", "bullmq.job.state": "delayed"})
    ]


async def test_durations_are_a_histogram_in_ms(bench: TracedBench, told: Told):
    async def process(job: Job) -> None: ...

    async with observed(bench, process):
        await bench.queue.add("good")
        await told.ended("process work")
    ((facts, point),) = told.metrics()["bullmq.job.duration"]
    assert (point.count, facts["bullmq.job.state"]) == (1, "completed")
    assert 0 <= point.sum < 10_000


async def test_an_outcome_that_is_refused_ends_its_span_with_the_reason(bench: TracedBench, told: Told):
    async def process(job: Job) -> None:
        await bench.command("SET", bench.key(f"{job.id}:lock"), "another's")

    async with observed(bench, process):
        await bench.queue.add("a")
        (span,) = await told.ended("process work")
    assert [event.name for event in span.events] == ["exception"]
    assert "lock lost" in (span.status.description or "")


async def test_a_flow_of_a_handler_is_in_its_trace(bench: TracedBench, told: Told):
    async def process(job: Job) -> None:
        flows = FlowProducer(connection=bench.queue.connection, prefix=bench.prefix, telemetry=bench.telemetry)
        if job.name == "a":
            await flows.add({"name": "b", "queue_name": "work"})

    async with observed(bench, process):
        await bench.queue.add("a")
        spans = await told.ended("process work", 2)
    assert {trace_of(span) for span in spans} == {trace_of(told.one("add work.a"))}
    await eventually(bench.queue.get_completed_count)
