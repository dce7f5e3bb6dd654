"""An application whose workers are recorded."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from bullworks.bullmq import Job
from bullworks.core import Application, Scope, create_application, dynamic_module, injectable
from bullworks.workers import BullModule, WorkerHost, WorkersRegistrar, get_queue_token, processor
from bullworks.workers.history import HistoryModule, RedisHistory
from tests.bullworks.waiting import eventually


@processor("email")
class EmailWorker(WorkerHost):
    async def process(self, job: Job) -> None:
        pass


@injectable(scope=Scope.REQUEST)
@processor("email")
class PerJobWorker(WorkerHost):
    async def process(self, job: Job) -> None:
        pass


def application(url: str, prefix: str, worker: type[Any], **options: Any) -> Application:
    class Root:
        pass

    history = {name: options.pop(name) for name in ("enabled", "flush_s") if name in options}
    workers = BullModule.for_root(
        queues=("email", "other"), providers=[worker], connection=url, prefix=prefix, **options
    )
    return create_application(dynamic_module(Root, imports=[workers, HistoryModule.for_root(**history)]))


async def run_one(app: Application) -> None:
    queue = app.get(get_queue_token("email"))
    await queue.add("x")
    await eventually(queue.get_completed_count)


@pytest.mark.parametrize("worker", [EmailWorker, PerJobWorker])
async def test_workers_are_recorded_to_their_last_job(
    redis_url: str, key_prefix: str, worker: type[Any], history: RedisHistory
) -> None:
    async with application(redis_url, key_prefix, worker, enabled=True, flush_s=60) as app:
        await run_one(app)
        assert (await history.ever(["email"]))["email"].completed == 0
    assert (await history.ever(["email"]))["email"].completed == 1


async def test_the_history_can_be_asked_for(redis_url: str, key_prefix: str) -> None:
    async with application(redis_url, key_prefix, EmailWorker, enabled=True, flush_s=0.05) as app:
        await run_one(app)
        history = app.get(RedisHistory)

        async def is_there() -> bool:
            return (await history.ever(["email"]))["email"].completed == 1

        await eventually(is_there)


async def test_workers_that_are_registered_later_are_recorded_too(
    redis_url: str, key_prefix: str, history: RedisHistory
) -> None:
    async with application(redis_url, key_prefix, EmailWorker, enabled=True, manual_registration=True) as app:
        await app.get(WorkersRegistrar).register()
        await run_one(app)
    assert (await history.ever(["email"]))["email"].completed == 1


async def test_switched_off_nothing_is_recorded(
    redis_url: str, key_prefix: str, history: RedisHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with application(redis_url, key_prefix, EmailWorker, enabled=False, flush_s=0.01) as app:
        await run_one(app)
    monkeypatch.setenv("HISTORY_ENABLED", "false")
    async with application(redis_url, key_prefix, EmailWorker, flush_s=0.01) as app:
        await run_one(app)
    assert (await history.usage())["keys"] == 0


async def test_an_application_starts_and_stops_again_and_again(
    redis_url: str, key_prefix: str, history: RedisHistory
) -> None:
    app = application(redis_url, key_prefix, EmailWorker, enabled=True)
    for _ in range(2):
        async with app:
            queue = app.get(get_queue_token("email"))
            job = await queue.add("x")
            await eventually(partial(queue.connection.execute, "HGET", queue.keys.of(job.id), "finishedOn"))
        await app.close()
    assert (await history.ever(["email"]))["email"].completed == 2
