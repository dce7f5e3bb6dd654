"""Whatever comes out of a handler is one failed attempt of its job, and harms no other."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bullworks.bullmq.queue.bulk import JobSpec
from tests.bullworks.bullmq.worker.conftest import Bench
from tests.bullworks.waiting import eventually


class PanicException(BaseException):
    """As pyo3 raises for a panic in Rust; func_timeout and gevent have some of that kind too."""


class WordlessError(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise ValueError("no words")


def _cancel_own_task() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def _panic(job: Any) -> None:
    raise PanicException("panicked at 'oops'")


async def _exit(job: Any) -> None:
    sys.exit(3)


async def _generator_exit(job: Any) -> None:
    raise GeneratorExit


async def _raise_cancelled(job: Any) -> None:
    raise asyncio.CancelledError("mine")


async def _cancel_and_wait(job: Any) -> None:
    _cancel_own_task()
    await asyncio.sleep(60)


async def _cancel_thrice_and_wait(job: Any) -> None:
    for _ in range(3):
        _cancel_own_task()
    await asyncio.sleep(60)


async def _cancel_and_raise(job: Any) -> None:
    _cancel_own_task()
    raise ValueError("cancelled, and raised")


async def _wordless(job: Any) -> None:
    raise WordlessError


async def _await_cancelled_future(job: Any) -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


FAILING = [
    _panic, _exit, _generator_exit, _raise_cancelled, _cancel_and_wait, _cancel_thrice_and_wait, _cancel_and_raise,
    _wordless, _await_cancelled_future,
]  # fmt: skip


@pytest.mark.parametrize("bad", FAILING, ids=lambda bad: bad.__name__.strip("_"))
@pytest.mark.parametrize("timeout", [None, 30_000], ids=["", "with a timeout"])
async def test_it_fails_its_attempt_and_the_slot_lives_on(bench: Bench, bad: Callable[[Any], Any], timeout: int | None):
    async def process(job: Any) -> str:
        if job.name == "bad":
            await bad(job)
        await asyncio.sleep(0)  # where a cancellation that is left over would come out
        return "done"

    names = ["bad", "good", "bad", "good", "good"]
    jobs = await bench.queue.add_bulk([JobSpec(name, {}, attempts=2) for name in names])
    async with bench.worker(process, timeout=timeout) as worker:
        await bench.until_in("failed", 2)
        await bench.until_in("completed", 3)
        assert worker.is_running
        last = await bench.queue.add("good", {})
        await bench.until_in("completed", 4)
    for job in jobs:
        fields = await bench.hash(job.id)
        assert fields["atm"] == ("2" if job.name == "bad" else "1")
        if job.name == "bad":
            assert fields["failedReason"]
    assert (await bench.hash(last.id))["returnvalue"] == '"done"'


async def _return_cancelled(job: Any) -> None:
    _cancel_own_task()


async def _swallow(job: Any) -> None:
    _cancel_own_task()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return


async def _uncancel_too_often(job: Any) -> None:
    task = asyncio.current_task()
    assert task is not None
    for _ in range(3):
        task.uncancel()


@pytest.mark.parametrize("odd", [_return_cancelled, _swallow, _uncancel_too_often], ids=lambda odd: odd.__name__)
async def test_a_handler_that_returned_has_not_failed_whatever_it_left_behind(bench: Bench, odd: Callable[[Any], Any]):
    async def process(job: Any) -> str:
        if job.name == "odd":
            await odd(job)
            return "odd"
        await asyncio.sleep(0.01)
        future = asyncio.get_running_loop().create_future()
        if job.name == "cancelled":
            future.cancel()
            await future  # with a cancel count left behind this would be taken for the end of the worker
        return "done"

    await bench.queue.add_bulk([JobSpec(name, {}) for name in ("odd", "good", "odd", "cancelled", "good")])
    async with bench.worker(process):
        await bench.until_in("completed", 4)
        await bench.until_in("failed", 1)
    assert await bench.ids("wait") == await bench.ids("active") == []


async def test_one_that_cancels_itself_can_still_be_cancelled_by_the_worker(bench: Bench):
    started = asyncio.Event()

    async def process(job: Any) -> None:
        _cancel_own_task()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            started.set()
        await asyncio.sleep(60)

    job = await bench.queue.add("n", {})
    async with bench.worker(process) as worker:
        await started.wait()
        assert worker.cancel_job(job.id, "enough")
        await bench.until_in("failed", 1)
    assert "enough" in (await bench.hash(job.id))["failedReason"]


async def test_one_that_cancels_itself_is_handed_back_where_the_worker_closes(bench: Bench):
    started = asyncio.Event()

    async def process(job: Any) -> None:
        _cancel_own_task()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            started.set()
        await asyncio.sleep(60)

    job = await bench.queue.add("n", {}, attempts=2)
    worker = bench.worker(process)
    await worker.start()
    await started.wait()
    await worker.close(grace=0)
    assert await bench.ids("wait") == [job.id]
    assert (await bench.hash(job.id)).get("atm", "0") == "0"


def _thread_panic(job: Any) -> None:
    raise PanicException("panicked")


def _thread_stop_iteration(job: Any) -> None:
    next(iter(()))


def _thread_exit(job: Any) -> None:
    sys.exit(1)


def _thread_interrupt(job: Any) -> None:
    raise KeyboardInterrupt


def _thread_cancelled(job: Any) -> None:
    raise asyncio.CancelledError


def _thread_generator_exit(job: Any) -> None:
    raise GeneratorExit


THREADS = [
    _thread_panic, _thread_stop_iteration, _thread_exit, _thread_interrupt, _thread_cancelled, _thread_generator_exit,
]  # fmt: skip


@pytest.mark.parametrize("bad", THREADS, ids=lambda bad: bad.__name__.strip("_"))
async def test_so_it_is_in_a_thread(bench: Bench, bad: Callable[[Any], Any]):
    def process(job: Any) -> str:
        if job.name == "bad":
            bad(job)
        return "done"

    bad_job, _ = await bench.queue.add_bulk([JobSpec("bad", {}, attempts=2), JobSpec("good", {})])
    async with bench.worker(process) as worker:
        await bench.until_in("failed", 1)
        await bench.until_in("completed", 1)
        await bench.queue.add("good", {})
        await bench.until_in("completed", 2)
        assert worker.is_running
    assert (await bench.hash(bad_job.id))["atm"] == "2"


def test_a_keyboard_interrupt_ends_the_program_and_its_job_is_handed_back(redis_url: str, key_prefix: str):
    """As Ctrl-C does everywhere in Python; whoever closes the worker then has the job back in line."""

    interrupts = iter([KeyboardInterrupt])

    async def process(job: Any) -> None:
        for interrupt in interrupts:
            raise interrupt
        await asyncio.Event().wait()  # the trip that handed it back may have brought it again, before it is closed

    loop = asyncio.new_event_loop()
    bench = Bench(redis_url, key_prefix)
    try:
        job = loop.run_until_complete(bench.queue.add("n", {}, attempts=3))
        worker = bench.worker(process)
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(worker.run())
        loop.run_until_complete(worker.close(0))
        assert loop.run_until_complete(bench.ids("wait")) == [job.id]
        assert loop.run_until_complete(bench.hash(job.id)).get("atm", "0") == "0"
    finally:
        loop.run_until_complete(bench.close())
        loop.close()


async def test_a_backoff_strategy_that_panics_fails_its_job_alone(bench: Bench):
    def strategy(*_: Any) -> int:
        raise PanicException("in the strategy")

    async def process(job: Any) -> None:
        if job.name == "bad":
            raise ValueError("first")

    await bench.queue.add_bulk([JobSpec("bad", {}, attempts=3, backoff={"type": "own"}), JobSpec("good", {})])
    async with bench.worker(process, backoff_strategy=strategy):
        await bench.until_in("failed", 1)
        await bench.until_in("completed", 1)


async def test_a_listener_that_exits_harms_no_job(bench: Bench):
    async def process(job: Any) -> None: ...

    calls: list[Any] = []

    def leave(job: Any) -> None:
        calls.append(job)
        sys.exit(2)

    worker = bench.worker(process)
    worker.on("completed", leave)
    async with worker:
        await bench.queue.add_bulk([JobSpec("n", {}) for _ in range(3)])
        await eventually(lambda: len(calls) == 3)
        await bench.until_in("completed", 3)
