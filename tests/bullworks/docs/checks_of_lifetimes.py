"""Checks of what docs/beyond-bullmq.md says of lifetimes."""

from __future__ import annotations

from types import SimpleNamespace

from bullworks.bullmq import Job, Worker
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.stage import Stage

checks = Checks()


@checks("expires")
async def both_may_start_until_then_and_not_later(stage: Stage) -> None:
    ran: list[str] = []

    async def process(job: Job) -> None:
        ran.append(job.name)

    async with stage.queue("codes") as queue:
        await stage.run(self=SimpleNamespace(queue=queue))
        code, wish = await queue.get_waiting()
        assert code.expires_on == code.timestamp + 300_000
        assert wish.expires_on == 4_070_952_000_000
        await queue.connection.execute("HSET", queue.keys.of(code.id), "timestamp", code.timestamp - 300_000)
        async with Worker("codes", process, connection=stage.redis_url, prefix=stage.prefix):
            assert (await stage.finished(wish)).failed_reason is None
            assert "expired" in ((await stage.finished(code)).failed_reason or "")
    assert ran == ["happy-new-year"]
