"""Every example of docs/locks.md runs, and does what the page says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from bullworks.locks import DistributedLockService, Lock, LockLostError, LockTakenError
from tests.bullworks.docs.examples import examples_of
from tests.bullworks.docs.stage import Stage

PAGE = "docs/locks.md"
EXAMPLES = examples_of(PAGE)

Check = Callable[[Stage, DistributedLockService], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def checks(name: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return register


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(CHECKS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str) -> None:
    async with DistributedLockService(connection=redis_url) as locks:
        await CHECKS[example.name](Stage(example, redis_url, key_prefix), locks)


def _owner(locks: DistributedLockService, **methods: Any) -> SimpleNamespace:
    return SimpleNamespace(locks=locks, **methods)


def _returning(stage: Stage) -> Stage:
    """An example that returns is the body of a function."""
    body = "".join(f"    {line}\n" for line in stage.example.code.splitlines())
    example = stage.example
    as_function = type(example)(example.page, example.name, f"async def run(self):\n{body}", example.line - 1)
    return Stage(as_function, stage.redis_url, stage.prefix)


@checks("by-name")
async def one_runs_and_releases(stage: Stage, locks: DistributedLockService) -> None:
    sync = AsyncMock()
    page = await _returning(stage).run()
    await page.run(_owner(locks, perform_sync=sync))
    sync.assert_awaited_once()
    assert not await locks.is_locked("sync-data")
    async with locks.hold("sync-data", 60_000):
        await page.run(_owner(locks, perform_sync=sync))
    sync.assert_awaited_once()


@checks("hold")
async def the_block_holds_it_or_raises(stage: Stage, locks: DistributedLockService) -> None:
    held: list[bool] = []

    async def sync() -> None:
        held.append(await locks.is_locked("sync-data"))

    await stage.run(self=_owner(locks, perform_sync=sync))
    assert (held, await locks.is_locked("sync-data")) == ([True], False)
    with pytest.raises(LockTakenError):
        async with locks.hold("sync-data", 60_000), locks.hold("sync-data", 60_000):
            pass


@checks("decorator")
async def the_call_is_skipped_while_it_is_held(stage: Stage, locks: DistributedLockService) -> None:
    page = await stage.run()
    worker = page.ReportWorker(locks)
    assert await worker.make_report() == "made"
    async with locks.hold("monthly-report", 60_000):
        assert await worker.make_report() is None


@checks("long-work")
async def long_work_stops_once_the_lock_is_lost(stage: Stage, locks: DistributedLockService) -> None:
    done: list[int] = []

    async def import_page(page: int) -> None:
        done.append(page)
        if page == 2:
            (lock,) = locks._held
            lock.mark_lost()

    with pytest.raises(LockLostError):
        await stage.run(self=_owner(locks, import_page=import_page), pages=[1, 2, 3])
    assert done == [1, 2]


@checks("fence")
async def the_fence_goes_along_and_a_late_one_is_refused(stage: Stage, locks: DistributedLockService) -> None:
    seen: list[int] = []

    async def execute(statement: str, values: dict[str, int]) -> int:
        is_late = bool(seen) and values["fence"] < max(seen)
        seen.append(values["fence"])
        return 0 if is_late else 1

    database = SimpleNamespace(execute=execute)
    for _ in range(2):
        page = await stage.run(self=_owner(locks, db=database), balance=5)
        assert isinstance(page.lock, Lock)
    assert seen == sorted(set(seen))
    assert max(seen) < 2**53, "a float holds it"
    seen.append(2**60)
    with pytest.raises(RuntimeError, match="a later lock"):
        await stage.run(self=_owner(locks, db=database), balance=5)
