"""Every example of the how-to pages runs, and does what its page says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from bullworks.core import module
from bullworks.testing import QueueHarness, Test
from bullworks.testing.memory.locks import MemoryLocks
from bullworks.workers import BullModule
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import ROOT, examples_of
from tests.bullworks.docs.stage import Stage
from tests.bullworks.waiting import eventually

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/how-to/*.md"))
EXAMPLES = [example for page in PAGES for example in examples_of(page)]

checks = Checks()


def test_every_example_has_a_name_and_a_check() -> None:
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str) -> None:
    await checks.by_name[example.name](Stage(example, redis_url, key_prefix))


@checks("testing-a-cron")
async def the_test_of_a_cron_passes(stage: Stage) -> None:
    page = await stage.run()
    await page.test_the_report_is_queued_each_night()


@checks("testing-a-route")
async def the_test_of_a_route_passes(stage: Stage) -> None:
    page = await stage.run()
    await page.test_an_order_is_shown_to_who_has_a_key()


@checks("compensation")
async def what_was_booked_is_cancelled_when_a_part_fails(stage: Stage) -> None:
    page = await stage.run()

    async def book(job: Any) -> str:
        if job.name == "hotel":
            raise ValueError("full")
        return f"booked {job.name}"

    undone: list[Any] = []

    async def undo(job: Any) -> None:
        undone.append(job.data)

    trips, bookings, undoing = QueueHarness("trips"), QueueHarness("bookings", book), QueueHarness("undoing", undo)
    root = module(
        imports=[BullModule.for_root(), BullModule.register_queue("trips"), BullModule.register_flow_producer()],
        providers=[page.Trips, page.TripWorker],
    )(type("Root", (), {}))
    builder = Test.create_testing_module(imports=[root])
    for harness in (trips, bookings, undoing):
        builder = builder.use_harness(harness)
    testing = await builder.compile()
    await testing.get(page.Trips).book(["flight", "hotel"])
    await testing.harnesses.drain_all()
    assert trips.counts == {"failed": 1}
    assert undone == [{"booking": "booked flight"}]
    await testing.close()


@checks("cached")
async def many_callers_make_it_once(stage: Stage) -> None:
    page = await stage.run()
    made: list[str] = []

    async def make() -> dict[str, int]:
        made.append("once")
        return {"price": 5}

    async with Redis.from_url(stage.redis_url) as redis:
        cache = page.Cache(redis, MemoryLocks())
        key = f"{stage.prefix}-price"
        assert await asyncio.gather(*(cache.get(key, 5, make) for _ in range(3))) == [{"price": 5}] * 3
    assert made == ["once"]


@checks("own-events")
async def listeners_receive_it(stage: Stage) -> None:
    shipped: list[str] = []
    page = stage.example.code
    example = type(stage.example)(
        stage.example.page, stage.example.name, page + "    await received(shipped)\n", stage.example.line
    )

    async def received(shipped: list[str]) -> None:
        await eventually(lambda: bool(shipped), what="the event")

    await Stage(example, stage.redis_url, stage.prefix).run(shipped=shipped, received=received)
    assert shipped == ["7"]
