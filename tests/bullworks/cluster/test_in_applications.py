"""An application on a cluster, and on a watched master: all it has shares one connection."""

from __future__ import annotations

from typing import Annotated, Any

from bullworks.bullmq import Job, Queue
from bullworks.core import create_application
from bullworks.locks.distributed_lock import DistributedLockService
from bullworks.workers import BullModule, InjectQueue, WorkerHost, processor
from tests.bullworks.cluster.group import ServerGroup


async def test_an_application_shares_one_connection_among_queues_and_locks(group: ServerGroup, prefix: str) -> None:
    class Sender:
        def __init__(self, mail: Annotated[Queue, InjectQueue("mail")], log: Annotated[Queue, InjectQueue("log")]):
            self.mail = mail
            self.log = log

    @processor("mail")
    class MailWorker(WorkerHost[Any, Any]):
        def __init__(self, log: Annotated[Queue, InjectQueue("log")], locks: DistributedLockService) -> None:
            self.log = log
            self.locks = locks

        async def process(self, job: Job[Any, Any]) -> Any:
            async with self.locks.hold(f"{prefix[1:-1]}-{job.data['n']}", 10_000):
                await self.log.add("sent", job.data)
            return job.data["n"]

    workers = BullModule.for_root(
        connection=group.url, prefix=prefix, queues=("mail", "log"), providers=[MailWorker, Sender]
    )
    async with await create_application(workers) as app:
        sender = app.get(Sender)
        jobs = [await sender.mail.add("welcome", {"n": n}) for n in range(10)]
        assert [await job.wait_until_finished(ttl=5_000) for job in jobs] == list(range(10))
        assert (await sender.log.get_job_counts("waiting"))["waiting"] == 10
