"""Checks of the section on testing in docs/workers.md: the reader's own tests pass."""

from __future__ import annotations

from bullworks.testing.bull_redis import BullRedis
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.stage import Stage

checks = Checks()


@checks("testing")
async def the_guides_test_passes(stage: Stage) -> None:
    page = await stage.run()
    await page.test_should_send_email()


@checks("testing-queues")
async def the_test_with_a_harness_passes(stage: Stage) -> None:
    page = await stage.run()
    await page.test_a_welcome_mail_is_tried_again()


@checks("testing-flows")
async def the_test_with_a_flow_passes(stage: Stage) -> None:
    page = await stage.run()
    await page.test_an_order_ships_what_was_packed()


@checks("testing-on-redis")
async def the_test_on_a_real_server_passes(stage: Stage) -> None:
    page = await stage.run()
    async with stage.queue("test") as queue:
        await page.test_jobs_are_counted(queue, BullRedis(stage.redis_url), stage.prefix)
        assert await queue.get_completed_count() == 1
