"""Steps of a job in memory: names, results, limits; nothing here needs a server."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from bullworks.bullmq import DelayedError, Encrypted, InvalidOptionError, Job, StepError, SyncJob
from bullworks.bullmq.steps import journal


@dataclass
class Receipt:
    number: int
    paid: bool = False


def again(job: Job) -> Job:
    """The job as its next attempt sees it."""
    next_run: Job = Job.stub()
    next_run.absorb(job._fields)
    return next_run


async def test_a_step_that_was_done_is_not_done_again() -> None:
    calls: list[int] = []

    async def charge(cents: int) -> dict[str, Any]:
        calls.append(cents)
        return {"charge": (cents, "ü")}

    def note(cents: int) -> int:
        calls.append(cents)
        return cents

    first: Job = Job.stub()
    assert await first.step("charge", charge, 5) == {"charge": [5, "ü"]}  # as later runs get it
    assert await first.step("note", note, 6) == 6
    assert await first.step("nothing", lambda: None) is None
    second = again(first)
    assert await second.step("note", note, 7) == 6  # in another order, with something new before it
    assert await second.step("new", note, 8) == 8
    assert await second.step("nothing", note, 9) is None
    assert await second.step("charge", charge, 10) == {"charge": [5, "ü"]}
    assert calls == [5, 6, 8]
    assert [(step.kind, step.name, step.number) for step in second.steps] == [
        ("step", "charge", 1),
        ("step", "note", 2),
        ("step", "nothing", 3),
        ("step", "new", 4),
    ]


async def test_a_step_that_fails_is_not_kept() -> None:
    job: Job = Job.stub()
    with pytest.raises(ZeroDivisionError):
        await job.step("divide", lambda: 1 // 0)
    assert again(job).steps == []


async def test_results_have_types() -> None:
    first: Job = Job.stub()
    assert await first.step("pay", lambda: Receipt(1), result_type=Receipt) == Receipt(1)
    second = again(first)
    assert await second.step("pay", lambda: Receipt(2), result_type=Receipt) == Receipt(1)
    with pytest.raises(StepError, match=r"job stub: step 'pay' was done by other code, and what it came to cannot be"):
        await again(first).step("pay", lambda: 1, result_type=int)
    with pytest.raises(StepError, match=r"step 'odd' was done, but its result cannot be kept: .* is a object"):
        await first.step("odd", object)


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        (lambda job: job.step("a", lambda: 1), "is used twice in one run"),
        (lambda job: job.sleep("a", 1), "is used twice in one run"),
        (lambda job: job.wait_for("a"), "is used twice in one run"),
        (lambda job: anext(job.cursor("a", [1])), "is used twice in one run"),
        (lambda job: job.step("x" * 201, lambda: 1), "more than 200 characters"),
        (lambda job: job.step("b", lambda: "x" * journal.LARGEST_STEP_BYTES), "the limit is 65536"),
    ],
)
async def test_what_a_step_cannot_be(use: Callable[[Job], Any], problem: str) -> None:
    job: Job = Job.stub()
    await job.step("a", lambda: 1)
    with pytest.raises(StepError, match=problem) as caught:
        await use(job)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


async def test_a_name_is_a_text() -> None:
    for name in ("", None, "\ud800"):
        with pytest.raises(InvalidOptionError):
            await Job.stub().step(name, lambda: 1)  # type: ignore[arg-type]


async def test_encrypted_fields_are_not_kept_in_the_clear() -> None:
    @dataclass
    class Card:
        number: Annotated[str, Encrypted()]

    calls: list[int] = []
    with pytest.raises(InvalidOptionError, match="Card has encrypted fields"):
        await Job.stub().step("card", calls.append, 1, result_type=Card)
    assert calls == []


async def test_steps_are_limited_in_number_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_STEPS", 2)
    monkeypatch.setattr(journal, "LARGEST_STEPS_BYTES", 10)
    job: Job = Job.stub()
    await job.step("a", lambda: "123456")
    with pytest.raises(StepError, match="would be more than 10 bytes"):
        await job.step("b", lambda: "123")
    await job.step("c", lambda: 1)
    calls: list[int] = []
    with pytest.raises(StepError, match="one more than the 2 that a job may have"):
        await job.step("d", calls.append, 1)
    assert calls == []


async def test_a_cursor_goes_on_where_it_was() -> None:
    async def letters(start: int = 0) -> AsyncIterator[str]:
        for letter in "abcde"[start:]:
            yield letter

    seen: list[str] = []

    async def run(job: Job, items: Any, stop_at: str = "", every: int = 1) -> Job:
        async for letter in job.cursor("letters", items, every=every):
            seen.append(letter)
            if letter == stop_at:
                break
        return again(job)

    job = await run(Job.stub(), "abcde", "b")
    job = await run(job, letters(), "d")
    job = await run(job, letters, "e", every=2)
    assert seen == ["a", "b", "b", "c", "d", "d", "e"]  # the one that was left is not done
    job = await run(job, "abcde")
    job = await run(job, "abcdef")  # it had come to its end
    assert seen[7:] == ["e"]
    assert [(step.kind, step.value) for step in job.steps] == [("cursor", b"5 end")]
    with pytest.raises(InvalidOptionError, match="every"):
        await anext(job.cursor("other", [1], every=0))


async def test_a_sleep_is_over_when_the_job_is_back() -> None:
    job: Job = Job.stub()
    with pytest.raises(DelayedError, match="the job sleeps: night"):
        await job.sleep("night", 1_000)
    assert job.moved_to == "delayed"


async def test_steps_beside_each_other_are_all_kept() -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    job: Job = Job.stub()
    assert await asyncio.gather(*(job.step(f"n{n}", double, n) for n in range(3))) == [0, 2, 4]
    assert sorted(step.number for step in again(job).steps) == [1, 2, 3]


async def test_a_handler_in_a_thread_has_steps_too() -> None:
    loop, calls = asyncio.get_running_loop(), list[int]()
    job: Job = Job.stub()

    async def slow() -> None: ...

    def handle(job: SyncJob) -> list[int]:
        job.step("a", calls.append, 1)
        for number in job.cursor("numbers", range(5), every=2):
            calls.append(number)
        with pytest.raises(StepError, match="is async, and its handler is not"):
            job.step("slow", slow)
        with pytest.raises(DelayedError):
            job.sleep("b", 1)
        return [step.number for step in job.steps]

    assert await asyncio.to_thread(handle, SyncJob(job, loop)) == [1, 2]
    assert await asyncio.to_thread(handle, SyncJob(again(job), loop)) == [1, 2]
    assert calls == [1, 0, 1, 2, 3, 4]
