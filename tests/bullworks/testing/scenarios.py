"""What is played on a harness and on a real worker alike: how jobs are added, and what their handler does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bullworks.bullmq import (
    DelayedError,
    Job,
    JobSpec,
    Queue,
    RateLimitError,
    SignalTimeoutError,
    UnrecoverableError,
    WaitingError,
)
from bullworks.bullmq.worker.processor import Processor

TICK_MS = 40
"""A delay that a real worker keeps, too, while a test waits for it."""


class Side(Protocol):
    """A queue, and a worker that works it off when it is told to."""

    queue: Queue[Any]
    started: list[str]

    async def settle(self) -> None:
        """Run everything, delays and backoffs included."""

    def now_ms(self) -> int: ...


Play = Callable[[Side], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One play.

    Args:
        play: adds jobs and settles the side, perhaps several times.
        handler: makes the processor.
        options: of the worker.
    """

    play: Play
    handler: Callable[[Side], Processor]
    options: dict[str, Any]


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    handler: Callable[[Side], Processor], **options: Any
) -> Callable[[Callable[[Side], Awaitable[None]]], None]:
    """Keep a play under its name."""

    def keep(play: Callable[[Side], Awaitable[None]]) -> None:
        SCENARIOS[play.__name__.replace("_", " ")] = Scenario(play, handler, options)

    return keep


def noting(side: Side) -> Processor:
    """Does what the job's data says, and notes who was started."""

    async def handle(job: Job) -> Any:
        side.started.append(job.name)
        data = job.data if isinstance(job.data, dict) else {}
        await job.log(f"attempt {job.attempts_made + 1}")
        if job.attempts_made < data.get("fails", 0):
            raise ValueError(f"on purpose: {job.name}")
        if data.get("dies"):
            raise UnrecoverableError("for good")
        if "progress" in data:
            await job.update_progress(data["progress"])
            await job.update_data({"progress": "done"})
        return data.get("returns")

    return handle


@scenario(noting)
async def jobs_succeed(side: Side) -> None:
    await side.queue.add("a", {"returns": {"sent": True}, "progress": 40})
    await side.queue.add_bulk([JobSpec("b"), JobSpec("c", {"returns": "é"}, keep_logs=0)])
    await side.settle()


@scenario(noting)
async def attempts_are_repeated_at_once(side: Side) -> None:
    await side.queue.add("a", {"fails": 2, "returns": 1}, attempts=3)
    await side.queue.add("b", {"fails": 1}, attempts=2, lifo=True)
    await side.queue.add("c", {"fails": 1}, attempts=2, priority=4)
    await side.settle()


@scenario(noting)
async def attempts_are_repeated_after_a_backoff(side: Side) -> None:
    await side.queue.add("a", {"fails": 2, "returns": 1}, attempts=3, backoff=TICK_MS)
    await side.settle()
    await side.queue.add("b", {"fails": 2}, attempts=3, backoff={"type": "exponential", "delay": TICK_MS}, priority=2)
    await side.settle()


@scenario(noting)
async def attempts_are_used_up(side: Side) -> None:
    await side.queue.add("a", {"fails": 9}, attempts=3, backoff=1, stack_trace_limit=1)
    await side.queue.add("b", {"fails": 9})
    await side.queue.add("c", {"dies": True}, attempts=5, backoff=1)
    await side.settle()


@scenario(noting)
async def a_retry_past_the_end_of_a_lifetime_is_not_made(side: Side) -> None:
    await side.queue.add("a", {"fails": 9}, attempts=3, backoff=3_600_000, expires=3_600_000)
    await side.settle()


@scenario(noting)
async def lines_have_an_order(side: Side) -> None:
    for name, options in (
        ("low", {"priority": 9}),
        ("high", {"priority": 1}),
        ("plain", {}),
        ("low again", {"priority": 9}),
        ("last in", {"lifo": True}),
    ):
        await side.queue.add(name, {}, **options)
    await side.settle()
    await side.queue.add("late", {}, delay=2 * TICK_MS)
    await side.queue.add("early", {}, delay=TICK_MS)
    await side.settle()
    await side.queue.add("low and late", {}, delay=TICK_MS, priority=3)
    await side.settle()


@scenario(noting)
async def groups_take_turns(side: Side) -> None:
    many = [JobSpec(f"a{n}", {"fails": n == 1}, group={"id": "A"}, attempts=2) for n in range(6)]
    await side.queue.add_bulk([*many, *(JobSpec(f"b{n}", group={"id": "B", "weight": 2}) for n in range(4))])
    slow = {"id": "C", "weight": 0.5}
    await side.queue.add_bulk([JobSpec(f"c{n}", group=slow, delay=10 * TICK_MS) for n in range(2)])
    await side.queue.add("plain")
    await side.settle()
    await side.queue.add_bulk([JobSpec(f"{group}-late", group={"id": group}) for group in "AABC"])
    await side.settle()


@scenario(noting)
async def finished_jobs_are_removed(side: Side) -> None:
    for number in range(4):
        await side.queue.add(f"kept {number}", {}, remove_on_complete=2)
    await side.queue.add("gone", {}, remove_on_complete=True)
    await side.queue.add("failed and gone", {"dies": True}, remove_on_fail=True)
    await side.queue.add("failed", {"dies": True}, remove_on_fail={"age": 3_600, "count": 5})
    await side.settle()


@scenario(noting, remove_on_complete=1, remove_on_fail={"count": 1})
async def the_worker_says_what_is_kept(side: Side) -> None:
    for number in range(3):
        await side.queue.add(f"done {number}")
        await side.queue.add(f"failed {number}", {"dies": True})
    await side.settle()


@scenario(noting)
async def ids_stand_for_one_job(side: Side) -> None:
    await side.queue.add("a", {"returns": 1}, job_id="mine")
    await side.queue.add("a again", {"returns": 2}, job_id="mine")
    await side.queue.add("b", {}, deduplication={"id": "only"})
    await side.queue.add("b again", {}, deduplication={"id": "only"})
    await side.queue.add("c", {}, deduplication={"id": "often", "ttl": 3_600_000})
    await side.queue.add("gone", {}, deduplication={"id": "for long", "ttl": 3_600_000}, remove_on_complete=True)
    await side.settle()
    await side.queue.add("gone again", {}, deduplication={"id": "for long", "ttl": 3_600_000})
    await side.queue.add("b once more", {}, deduplication={"id": "only"})
    await side.queue.add("c again", {}, deduplication={"id": "often", "ttl": 3_600_000})
    await side.settle()


@scenario(noting)
async def jobs_are_changed_before_they_run(side: Side) -> None:
    one, two = await side.queue.add_bulk([JobSpec("one"), JobSpec("two")])
    late = await side.queue.add("late", {}, delay=3_600_000)
    removed = await side.queue.add("removed", {}, priority=1)
    await one.change_priority(priority=5)
    await two.change_priority(priority=5, lifo=True)
    await late.promote()
    await removed.remove()
    await side.settle()
    later = await side.queue.add("later", {}, delay=3_600_000)
    await later.change_delay(TICK_MS)
    await side.settle()


@scenario(noting)
async def finished_jobs_are_retried(side: Side) -> None:
    failed = await side.queue.add("failed", {"fails": 1}, attempts=1)
    done = await side.queue.add("done", {})
    await side.settle()
    await failed.retry()
    await done.retry("completed", reset_attempts_made=True, reset_attempts_started=True)
    await side.settle()


@scenario(noting)
async def a_paused_queue_rests(side: Side) -> None:
    await side.queue.pause()
    await side.queue.add("a")
    await side.queue.add("b", {}, priority=1)
    await side.queue.resume()
    await side.settle()


def moving(side: Side) -> Processor:
    """Puts its job elsewhere the first time."""

    async def handle(job: Job) -> str:
        side.started.append(job.name)
        if job.attempts_started == 1:
            match job.name:
                case "later":
                    await job.move_to_delayed(side.now_ms() + TICK_MS)
                    raise DelayedError
                case "again":
                    await job.move_to_wait()
                    raise WaitingError
                case "limited":
                    await side.queue.rate_limit(TICK_MS)
                    raise RateLimitError
        return job.name

    return handle


@scenario(moving)
async def handlers_move_their_job(side: Side) -> None:
    await side.queue.add("later", {}, attempts=3)
    await side.settle()
    await side.queue.add("again", {}, priority=2)
    await side.settle()
    await side.queue.add("limited", {})
    await side.settle()


def stubborn(side: Side) -> Processor:
    """Ends in each of the ways that are mistakes."""

    async def handle(job: Job) -> Any:
        match job.name:
            case "hangs":
                await asyncio.sleep(30)
            case "unstorable":
                return {"at": object()}
            case "moved in words only":
                raise DelayedError
            case "exits":
                raise SystemExit(3)
        return None

    return handle


@scenario(stubborn)
async def handlers_end_badly(side: Side) -> None:
    await side.queue.add("hangs", {}, timeout=30, attempts=2)
    await side.queue.add("unstorable", {}, attempts=2)
    await side.queue.add("moved in words only", {})
    await side.queue.add("exits", {})
    await side.settle()


def by_name(side: Side) -> Processor:
    """A function for one name, in a thread."""

    def shout(job: Any) -> str:
        job.update_progress({"half": True})
        job.log("shouting")
        return str(job.data).upper()

    return {"shout": shout}


@scenario(by_name)
async def handlers_have_names(side: Side) -> None:
    await side.queue.add("shout", "hello")
    await side.queue.add("sing", "hello", attempts=3)
    await side.settle()


def backoff(attempts_made: int, kind: str, error: BaseException, job: Job) -> int:
    """A strategy of the user's own: now, later, never."""
    return {"now": 0, "later": TICK_MS, "never": -1}[kind]


@scenario(noting, backoff_strategy=backoff)
async def backoff_may_be_ones_own(side: Side) -> None:
    for kind in ("now", "later", "never"):
        await side.queue.add(kind, {"fails": 1}, attempts=3, backoff={"type": kind})
        await side.settle()
    await side.queue.add("unknown", {"fails": 1}, attempts=3, backoff={"type": "unheard of"})
    await side.settle()


def stepping(side: Side) -> Processor:
    """Has a step of each kind, fails once behind them, and at last returns what came of them."""

    async def handle(job: Job) -> Any:
        side.started.append(job.name)
        done = [await job.step("number", lambda: len(side.started))]
        done += [letter async for letter in job.cursor("letters", "abc", every=2)]
        await job.sleep("nap", TICK_MS)
        try:
            done.append(await job.wait_for("go", timeout=TICK_MS if job.data.get("hurries") else None))
        except SignalTimeoutError:
            done.append("nobody came")
        if job.attempts_made == 0:
            raise ValueError("on purpose")
        return {"done": done, "steps": [[step.kind, step.name, step.number] for step in job.steps]}

    return handle


@scenario(stepping)
async def steps_are_done_once(side: Side) -> None:
    early = await side.queue.add("early", {}, attempts=2)
    assert await side.queue.signal(early.id, "go", {"by": "me"}) == "kept"
    assert await side.queue.signal(early.id, "go") == "repeated"
    await side.settle()
    await side.queue.add("late", {"hurries": True}, attempts=2, priority=2)
    await side.settle()
    await side.queue.retry_from(early.id, "letters")
    assert await side.queue.signal(early.id, "go", "again") == "kept"
    await side.settle()


@scenario(noting, max_started_attempts=2)
async def starts_may_be_limited(side: Side) -> None:
    await side.queue.add("a", {"fails": 9}, attempts=9)
    await side.settle()


@scenario(noting)
async def jobs_are_cancelled_where_they_wait(side: Side) -> None:
    waiting = await side.queue.add("waiting", {}, deduplication={"id": "one"})
    urgent = await side.queue.add("urgent", {}, priority=3)
    later = await side.queue.add("later", {}, delay=TICK_MS)
    kept_short = await side.queue.add("kept short", {}, remove_on_fail=True)
    removed = await side.queue.add("removed", {})
    found = await side.queue.cancel_many([waiting.id, urgent.id, later.id, kept_short.id], "not needed")
    assert set(found.values()) == {"cancelled"}
    assert await side.queue.cancel(removed.id, remove=True) == "cancelled"
    assert await side.queue.cancel(waiting.id) == "finished"
    assert await side.queue.cancel("nobody") == "missing"
    await side.queue.add("next of its id", {"returns": 1}, deduplication={"id": "one"})
    await later.retry()
    await side.settle()
