"""Steps, sleeps and signals on a real server: what is done once, what survives, and who may write it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullworks.bullmq import (
    Batch,
    CheckpointLostError,
    Job,
    JobNotFoundError,
    JobSpec,
    JobStateError,
    LockLostError,
    SignalTimeoutError,
    StepNotFoundError,
    SyncJob,
    TooManySignalsError,
)
from bullworks.bullmq.scripts import processing
from bullworks.bullmq.scripts import steps as step_scripts
from bullworks.redis import ConnectionLostError
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually


async def taken(bench: Bench, token: str = "token") -> Job:
    job, _, _ = await bench.queue.scripts.fetch_one(token)
    assert job is not None
    return job


async def test_a_retried_job_goes_on_behind_its_last_step(bench: Bench) -> None:
    calls: list[str] = []

    async def process(job: Job) -> Any:
        charge = await job.step("charge", lambda: calls.append("charge") or {"id": 7})
        async for row in job.cursor("rows", "abc"):
            calls.append(row)
            if row == "b" and calls.count("b") == 1:
                raise ValueError("on purpose")
        return charge

    async with bench.worker(process):
        job = await bench.queue.add("order", attempts=2)
        assert await job.wait_until_finished(ttl=10_000) == {"id": 7}
    assert calls == ["charge", "a", "b", "b", "c"]
    kept = {name: value for name, value in (await bench.hash(job.id)).items() if name.startswith("bw:")}
    assert kept == {"bw:step:charge": '1 {"id":7}', "bw:cursor:rows": "2 3 end"}
    await job.remove()
    assert not await bench.command("EXISTS", bench.key(job.id))


async def test_only_the_holder_of_the_lock_keeps_a_step(bench: Bench) -> None:
    job = await bench.queue.add("a")
    ours = await taken(bench, "ours")
    await bench.command("SET", bench.key(f"{job.id}:lock"), "theirs")
    with pytest.raises(LockLostError, match="lock lost before keeping a step"):
        await ours.step("late", lambda: 1)
    with pytest.raises(LockLostError):
        await ours.sleep("nap", 1)
    await bench.command("DEL", bench.key(f"{job.id}:lock"))
    with pytest.raises(LockLostError):
        await ours.step("later", lambda: 1)
    assert [name for name in await bench.hash(job.id) if name.startswith("bw:")] == []
    await bench.command("DEL", bench.key(job.id))
    with pytest.raises(JobNotFoundError):
        await ours.step("gone", lambda: 1)
    assert not await bench.command("EXISTS", bench.key(job.id))


async def test_a_step_is_kept_by_a_job_taken_by_hand_and_refused_where_the_key_is_none(bench: Bench) -> None:
    job = await bench.queue.add("a")
    ours = await taken(bench)
    await ours.step("a", lambda: 1)
    assert [step.name for step in ours.steps] == ["a"]
    await bench.command("DEL", bench.key(job.id))
    await bench.command("SET", bench.key(job.id), "x")
    with pytest.raises(Exception, match="WRONGTYPE"):
        await ours.step("b", lambda: 1)


async def test_a_sleeping_job_frees_its_slot_and_spends_no_attempt(bench: Bench) -> None:
    runs: list[str] = []

    async def process(job: Job) -> None:
        runs.append(job.name)
        if job.name == "sleeper":
            await job.sleep("nap", 150)
            await job.sleep("till promoted", 3_600_000)

    async with bench.worker(process, concurrency=1):
        sleeper = await bench.queue.add("sleeper")
        await bench.until_in("delayed", 1)
        other = await bench.queue.add("other")
        await other.wait_until_finished(ttl=10_000)
        await eventually(lambda: _delays(bench, sleeper, above_ms=1_000_000))
        await sleeper.promote()
        await sleeper.wait_until_finished(ttl=10_000)
    assert runs.count("sleeper") == 3
    await sleeper.refresh()
    assert (sleeper.attempts_made, sleeper.attempts_started, sleeper.failed_reason) == (1, 3, None)
    assert [(step.kind, step.name) for step in sleeper.steps] == [("sleep", "nap"), ("sleep", "till promoted")]


async def _delays(bench: Bench, job: Job, *, above_ms: int) -> bool:
    fields = await bench.hash(job.id)
    return int(fields["delay"]) > above_ms and await job.get_state() == "delayed"


async def test_a_signal_wakes_the_job_that_waits_for_it(bench: Bench) -> None:
    async def process(job: Job) -> Any:
        first = await job.wait_for("first")
        return [first, await job.wait_for("second", timeout=3_600_000)]

    async with bench.worker(process):
        job = await bench.queue.add("a")
        assert await bench.queue.signal(job.id, "second", {"early": True}) == "kept"
        await bench.until_in("delayed", 1)
        await job.promote()  # without its signal it waits on, whoever does that
        await eventually(lambda: _delays(bench, job, above_ms=1_000_000))
        assert await bench.queue.signal(job.id, "first", "ü") == "woken"
        assert await job.wait_until_finished(ttl=10_000) == ["ü", {"early": True}]
    with pytest.raises(JobStateError, match="it has ended"):
        await bench.queue.signal(job.id, "third")
    with pytest.raises(JobNotFoundError):
        await bench.queue.signal("nobody", "third")
    await job.refresh()
    assert (job.attempts_made, [step.name for step in job.steps]) == (1, ["first", "second"])


async def test_the_first_signal_of_a_name_counts_also_between_the_fetch_and_the_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.queue.add("a")
    job = await taken(bench)
    assert await bench.queue.signal(job.id, "go", 1) == "kept"
    assert await bench.queue.signal(job.id, "go", 2) == "repeated"
    assert await job.wait_for("go") == 1
    monkeypatch.setattr(step_scripts, "_MOST_FIELDS", 3)
    with pytest.raises(TooManySignalsError, match="has 3 fields already"):
        await bench.queue.signal(job.id, "one more")


async def test_a_wait_that_timed_out_stays_so(bench: Bench) -> None:
    seen: list[str] = []

    async def process(job: Job) -> str:
        try:
            await job.wait_for("approval", timeout=20)
        except SignalTimeoutError as error:
            seen.append(str(error))
            if len(seen) == 1:
                assert await bench.queue.signal(job.id, "approval", True) == "late"
                raise
        return "without"

    async with bench.worker(process):
        job = await bench.queue.add("a", attempts=2)
        assert await job.wait_until_finished(ttl=10_000) == "without"
    assert seen == [f"job {job.id}: signal 'approval' did not come within the timeout of its wait_for"] * 2


async def test_a_job_runs_again_from_a_step(bench: Bench) -> None:
    calls: list[str] = []

    def process(job: SyncJob) -> list[Any]:
        first = job.step("first", lambda: calls.append("first"))
        answer = job.wait_for("answer")
        second = job.step("second", lambda: calls.append("second"))
        return [first, answer, second]

    async with bench.worker(process):
        job = await bench.queue.add("a")
        await bench.queue.signal(job.id, "answer", 1)
        assert await job.wait_until_finished(ttl=10_000) == [None, 1, None]
        with pytest.raises(
            StepNotFoundError, match=r"no step 'third' to run again from, but 'first', 'answer', 'second'"
        ):
            await job.retry_from("third")
        await bench.queue.retry_from(job.id, "second")
        assert await job.wait_until_finished(ttl=10_000) == [None, 1, None]
        assert calls == ["first", "second", "second"]
        await job.retry_from("answer")  # it waits for another one
        await bench.until_in("delayed", 1)
        with pytest.raises(JobStateError, match="needs it to be completed or failed"):
            await job.retry_from("first")
        assert await bench.queue.signal(job.id, "answer", 2) == "woken"
        assert await job.wait_until_finished(ttl=10_000) == [None, 2, None]
    assert calls == ["first", "second", "second", "second"]


async def test_a_job_that_sleeps_holds_no_slot_of_its_group(bench: Bench) -> None:
    async def process(job: Job) -> str:
        if job.name == "first":
            return str(await job.wait_for("second is done"))
        return "done"

    await bench.queue.set_group_limits("a", concurrency=1)
    async with bench.worker(process, concurrency=2):
        first = await bench.queue.add("first", group={"id": "a"})
        await bench.until_in("delayed", 1)
        second = await bench.queue.add("second", group={"id": "a"})
        assert await second.wait_until_finished(ttl=10_000) == "done"
        assert await bench.queue.signal(first.id, "second is done", "yes") == "woken"
        assert await first.wait_until_finished(ttl=10_000) == "yes"


async def test_a_step_whose_checkpoint_gets_no_answer_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.queue.add("a")
    job = await taken(bench)
    monkeypatch.setattr(step_scripts, "PATIENCE_S", 0.03)
    monkeypatch.setattr(processing, "PATIENCE_S", 0.03)

    async def lose(*_: Any) -> None:
        raise ConnectionLostError("redis", "on purpose")

    monkeypatch.setattr(bench.queue.connection, "run", lose)
    with pytest.raises(CheckpointLostError, match=r"no answer from Redis for 0\.03 s while bw:step:charge was stored"):
        await job.step("charge", lambda: 1)
    with pytest.raises(CheckpointLostError, match="while the suspension was stored"):
        await job.sleep("nap", 1)


async def test_each_job_of_a_batch_has_its_steps_and_may_sleep(bench: Bench) -> None:
    calls: list[str] = []

    async def take_steps(job: Job) -> None:
        await job.step("note", calls.append, job.name)
        if job.name == "sleeper":
            await job.sleep("nap", 10)

    async def process(jobs: list[Job]) -> list[BaseException | None]:
        return await asyncio.gather(*map(take_steps, jobs), return_exceptions=True)

    await bench.queue.add_bulk([JobSpec("sleeper"), JobSpec("other")])
    async with bench.worker(process, batch=Batch(size=2)):
        await bench.until_in("completed", 2)
    assert sorted(calls) == ["other", "sleeper"]


async def test_a_job_that_sleeps_can_be_cancelled(bench: Bench) -> None:
    async def process(job: Job) -> None:
        await job.wait_for("never")

    async with bench.worker(process):
        job = await bench.queue.add("a")
        await bench.until_in("delayed", 1)
        assert await bench.queue.cancel(job.id, "not needed") == "cancelled"
    assert await bench.ids("failed") == [job.id]
