"""An application that tells of its workers."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import Job
from bullworks.core import Application, create_application, dynamic_module
from bullworks.workers import BullModule, WorkerHost, WorkersRegistrar, processor
from bullworks.workers.presence import PresenceModule
from tests.bullworks.waiting import eventually
from tests.bullworks.workers.presence.conftest import Who


@processor("email", name="post")
class EmailWorker(WorkerHost):
    async def process(self, job: Job) -> None:
        pass


def application(url: str, prefix: str, presence: Any, **options: Any) -> Application:
    class Root:
        pass

    workers = BullModule.for_root(queues=("email",), providers=[EmailWorker], connection=url, prefix=prefix, **options)
    return create_application(dynamic_module(Root, imports=[workers, presence]))


@pytest.mark.parametrize("is_manual", [False, True])
async def test_its_workers_are_there_until_it_closes(
    redis_url: str, key_prefix: str, who: Who, *, is_manual: bool
) -> None:
    presence = PresenceModule.for_root(enabled=True)  # the first heartbeat does not wait for the pause
    app = application(redis_url, key_prefix, presence, manual_registration=is_manual)
    for _ in range(2):  # started and stopped again and again
        async with app:
            if is_manual:
                await app.get(WorkersRegistrar).register()

            async def is_there() -> bool:
                return [record.name for record in (await who()).workers] == ["post"]

            await eventually(is_there)
        await app.close()
        assert (await who()).total == 0


async def test_switched_off_nothing_is_told(
    redis_url: str, key_prefix: str, who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRESENCE_ENABLED", "false")
    for presence in (PresenceModule.for_root(enabled=False, beat_s=0.01), PresenceModule.for_root(beat_s=0.01)):
        async with application(redis_url, key_prefix, presence):
            assert (await who()).total == 0
