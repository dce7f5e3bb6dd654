"""`release("name")` finds what its own task acquired, however that was awaited, and never another task's."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator

import pytest

from bullworks.locks import DistributedLockService, Lock

pytestmark = pytest.mark.usefixtures("redis_server")

WARNING = "acquired in another task: use lock.release() or async with"


def warned(caplog: pytest.LogCaptureFixture) -> bool:
    return any(WARNING in record.message and record.levelno == logging.WARNING for record in caplog.records)


async def test_a_direct_await_is_found(
    locks: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def deeper() -> Lock | None:
        return await locks.acquire(name, 60_000)

    assert await deeper() is not None
    assert await locks.release(name) is True
    assert not warned(caplog)


async def test_an_acquire_under_asyncio_timeout_is_found(locks: DistributedLockService, name: str) -> None:
    async with asyncio.timeout(5):
        assert await locks.acquire(name, 60_000)
    assert await locks.release(name) is True


async def test_an_acquire_in_wait_for_is_found_from_python_3_12_on(
    locks: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """3.11 runs what it waits for as a task, with a context of its own."""
    lock = await asyncio.wait_for(locks.acquire(name, 60_000), 5)
    assert lock is not None
    assert await locks.release(name) is (sys.version_info >= (3, 12))
    assert warned(caplog) is (sys.version_info < (3, 12))
    assert await lock.release() is (sys.version_info < (3, 12))


@pytest.mark.parametrize("way", ["gather", "shield", "task"])
async def test_an_acquire_in_a_task_of_its_own_is_not_found(
    locks: DistributedLockService, name: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    if way == "gather":
        (lock,) = await asyncio.gather(locks.acquire(name, 60_000))
    elif way == "shield":
        lock = await asyncio.shield(locks.acquire(name, 60_000))
    else:
        lock = await asyncio.create_task(locks.acquire(name, 60_000))
    assert lock is not None
    assert await locks.release(name) is False
    assert warned(caplog)
    assert await locks.is_locked(name), "what is not found is left alone"
    assert await lock.release() is True, "the lock itself can be released anywhere"


async def test_a_child_task_inherits_what_was_acquired_before_it(locks: DistributedLockService, name: str) -> None:
    assert await locks.acquire(name, 60_000)
    assert await asyncio.create_task(locks.release(name)) is True
    assert await locks.release(name) is False


async def test_a_child_s_acquisition_is_not_its_parent_s(
    locks: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = f"{name}-2"
    assert await locks.acquire(name, 60_000)

    async def child() -> None:
        assert await locks.acquire(other, 60_000)

    await asyncio.create_task(child())
    assert await locks.release(other) is False
    assert warned(caplog)
    assert await locks.release(name) is True


async def test_a_late_release_leaves_the_lock_of_another_task_alone(locks: DistributedLockService, name: str) -> None:
    """The trap: A's lease runs out, B of the same process acquires, then A releases by name."""
    acquired, may_release = asyncio.Event(), asyncio.Event()

    async def a() -> bool:
        lock = await locks.acquire(name, 50)
        assert lock is not None
        acquired.set()
        await lock.lost.wait()
        await may_release.wait()
        return await locks.release(name)

    async def b() -> Lock | None:
        return await locks.acquire(name, 60_000, wait=5_000)

    task_a = asyncio.create_task(a())
    await asyncio.wait_for(acquired.wait(), 5)
    lock_b = await asyncio.create_task(b())
    may_release.set()
    assert await asyncio.wait_for(task_a, 5) is False
    assert lock_b is not None
    assert await lock_b.extend(60_000) is True


async def test_a_name_that_was_never_acquired_here_is_not_released(
    locks: DistributedLockService, others: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await others.acquire(name, 60_000)
    assert await locks.release(name) is False
    assert warned(caplog)
    assert await others.is_locked(name)


async def test_two_services_of_one_process_do_not_mix_up_their_locks(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    assert await locks.acquire(name, 60_000)
    assert await others.release(name) is False
    assert await locks.release(name) is True


async def test_the_last_of_two_acquisitions_in_one_task_is_found(locks: DistributedLockService, name: str) -> None:
    first = await locks.acquire(name, 30)
    assert first is not None
    await asyncio.wait_for(first.lost.wait(), 5)
    second = await locks.acquire(name, 60_000, wait=1_000)
    assert second is not None
    assert await first.release() is False
    assert await locks.release(name) is True
    assert second.is_released


async def test_a_task_that_lets_thousands_run_out_remembers_a_bounded_number(
    locks: DistributedLockService, name: str
) -> None:
    """A lock never released is a way to do a thing once a minute."""
    from bullworks.locks import held

    for n in range(200):
        lock = await locks.acquire(f"{name}:{n}", 30)
        assert lock is not None
        lock.mark_lost()
    assert len(held._held.get()) <= held._MOST_LOST + 1


@pytest.fixture
async def held_by_a_fixture(locks: DistributedLockService, name: str) -> AsyncIterator[Lock]:
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    yield lock
    await lock.release()


async def test_a_lock_that_an_async_fixture_acquired_is_found_by_the_test(
    held_by_a_fixture: Lock, locks: DistributedLockService, name: str
) -> None:
    """pytest-asyncio hands a fixture's context on to its test, from Python 3.11."""
    assert await locks.release(name) is True
    assert held_by_a_fixture.is_released


async def test_a_cancelled_release_is_carried_out_all_the_same(locks: DistributedLockService, name: str) -> None:
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    releasing = asyncio.create_task(lock.release())
    await asyncio.sleep(0)
    releasing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await releasing
    assert not lock.is_held
    assert await locks.acquire(name, 60_000, wait=2_000) is not None
