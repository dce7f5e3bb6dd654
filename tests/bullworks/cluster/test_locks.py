"""Locks on a cluster, whose keys and calls lie in different slots, and with a master that fails over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from bullworks.locks import DistributedLockService
from bullworks.locks.keys import LockKeys
from tests.bullworks.cluster.group import ServerGroup, client_of
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.timeout(40)


@pytest.fixture
def healed(group: ServerGroup) -> Iterator[ServerGroup]:
    """The group, whole again afterwards."""
    yield group
    group.heal()


@pytest.fixture
async def locks(group: ServerGroup) -> AsyncIterator[DistributedLockService]:
    """A lock service."""
    async with DistributedLockService(connection=group.url) as service:
        yield service


@pytest.fixture
async def others(group: ServerGroup) -> AsyncIterator[DistributedLockService]:
    """That of another process."""
    async with DistributedLockService(connection=group.url) as service:
        yield service


async def test_all_that_a_lock_can_do_works(
    locks: DistributedLockService, others: DistributedLockService, key_prefix: str
) -> None:
    names = [f"{key_prefix}:{n}" for n in range(12)]  # in slots of all nodes
    held = [await locks.acquire(name, 30_000, auto_extend=True) for name in names]
    for name, lock in zip(names, held, strict=True):
        assert lock is not None
        assert await lock.extend(60_000)
        assert await others.acquire(name, 1_000) is None
        view = await others.get_lock(name)
        assert view is not None
        assert view.fence == lock.fence
    assert set(names) <= {view.name for view in await others.get_locks()}
    waiting = [asyncio.create_task(others.acquire(name, 60_000, wait=30_000)) for name in names]

    async def all_wait() -> bool:
        views = [await locks.get_lock(name) for name in names]
        return all(view is not None and view.waiting == 1 for view in views)

    await eventually(all_wait)
    assert all([await lock.release() for lock in held if lock is not None])
    got = await asyncio.wait_for(asyncio.gather(*waiting), 5)
    for before, after in zip(held, got, strict=True):
        assert before is not None
        assert after is not None
        assert after.fence > before.fence
        assert await after.release()


async def test_a_lock_that_a_replica_has_is_held_through_a_failover(
    healed: ServerGroup, locks: DistributedLockService, others: DistributedLockService, key_prefix: str
) -> None:
    name = f"{key_prefix}:sync"
    async with locks.hold(name, 6_000, auto_extend=True) as lock:
        assert not await others.is_locked(f"{name}-2")
        # Replication is asynchronous: what a replica does not have yet would be lost.
        assert await locks._connection.execute("WAIT", 1, 2_000, key=LockKeys(name).lock)
        healed.primary(LockKeys(name).lock).kill()
        assert await others.acquire(name, 1_000, wait=6_300) is None
        lock.ensure_held()
    async with others.hold(name, 1_000, wait=10_000) as later:
        assert later.fence > lock.fence
        with client_of(healed.primary(LockKeys(name).lock)) as look:
            assert look.hget(LockKeys(name).lock, "instance") == others.instance.encode()
