"""Processors whose jobs run in processes, which import this module."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from bullworks.bullmq import Job, SyncJob
from bullworks.workers import WorkerHost, on_worker_event, process, processor


class Mail:
    """What modules provide in the service's own process."""

    def __init__(self, sender: str = "the service's own") -> None:
        self.sender = sender


class Events(list[Any]):
    """What was heard in the service's own process."""


@processor("email", process_pool=2)
class PlainWorker(WorkerHost):
    def process(self, job: SyncJob) -> Any:
        job.update_progress(50)
        job.log("a line")
        return {"pid": os.getpid(), "data": job.data}


@processor("email", process_pool=1)
class NamedWorker(WorkerHost):
    def __init__(self, times: int = 2) -> None:
        self.times = times

    @process("double")
    def double(self, job: SyncJob) -> int:
        return int(job.data) * self.times

    @process("pid")
    async def pid(self, job: Job) -> int:
        await asyncio.sleep(0)
        return os.getpid()


@processor("email", process_pool=1, process_factory="tests.bullworks.workers.in_processes:make_mailing_worker")
class MailingWorker(WorkerHost):
    def __init__(self, mail: Mail, events: Events) -> None:
        self.mail, self.events = mail, events

    def process(self, job: SyncJob) -> str:
        job.update_progress(1)
        self.events.append("unheard")
        return self.mail.sender

    @on_worker_event("progress")
    def on_progress(self, job: Job, progress: float) -> None:
        self.events.append((self.mail.sender, progress))


async def make_mailing_worker() -> MailingWorker:
    await asyncio.sleep(0)
    return MailingWorker(Mail("the process's own"), Events())


@processor("email", process_pool=1, process_factory="tests.bullworks.workers.in_processes:make_other")
class MisbuiltWorker(WorkerHost):
    def process(self, job: SyncJob) -> None: ...


def make_other() -> Mail:
    return Mail()


@processor("email", process_pool=1)
class NeedyWorker(WorkerHost):
    def __init__(self, mail: Mail, events: Events) -> None: ...

    def process(self, job: SyncJob) -> None: ...


@processor("email", process_pool=1, process_factory=lambda: None)
class LocalFactoryWorker(WorkerHost):
    def process(self, job: SyncJob) -> None: ...
