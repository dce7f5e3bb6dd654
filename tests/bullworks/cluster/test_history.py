"""History and health checks on a cluster, and on a watched master."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq import Job
from bullworks.core import create_application, dynamic_module
from bullworks.health import Credentials, HealthModule, Metrics, Readiness
from bullworks.workers import BullModule, WorkerHost, get_queue_token, processor
from bullworks.workers.history import HistoryModule, RedisHistory
from tests.bullworks.cluster.group import ServerGroup
from tests.bullworks.waiting import eventually


async def test_what_workers_did_is_kept_read_and_removed_where_the_queues_are(group: ServerGroup, prefix: str) -> None:
    @processor("mail")
    class MailWorker(WorkerHost[Any, Any]):
        async def process(self, job: Job[Any, Any]) -> None:
            pass

    class Root:
        pass

    workers = BullModule.for_root(connection=group.url, prefix=prefix, queues=("mail", "log"), providers=[MailWorker])
    history = HistoryModule.for_root(enabled=True, flush_s=0.05)
    health = HealthModule.for_root(max_run=0, metrics_scope="all", metrics_auth=Credentials())
    async with await create_application(dynamic_module(Root, imports=[workers, history, health])) as app:
        await app.get(get_queue_token("mail")).add("x")
        read = app.get(RedisHistory)

        async def is_kept() -> bool:
            return (await read.ever(["mail"]))["mail"].completed == 1

        await eventually(is_kept)
        assert await app.get(Readiness).problems() == []
        text, _ = await app.get(Metrics).render("")
        assert b'bullworks_jobs_processed_total{queue="mail"} 1.0' in text
        usage = await read.usage()
        assert ([queue["queue"] for queue in usage["queues"]], usage["bytes"] > 0) == (["mail"], True)
        assert (await read.purge(queue=None, before=None))[0] == usage["keys"] - 1
        assert (await read.usage())["keys"] == 0
