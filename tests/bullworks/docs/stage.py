"""What an example plays on: a queue on the real server, and the application or worker around the reader's code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from bullworks.bullmq import Job, Queue, Worker
from bullworks.core import Application, create_application
from bullworks.workers import BullModule, get_queue_token
from tests.bullworks.docs.examples import Example, examples_of, new_module, run_example
from tests.bullworks.waiting import eventually

MAIL = {"email": "user@example.com", "subject": "Test", "body": "Hello"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One example, and a key prefix of its own on the server."""

    example: Example
    redis_url: str
    prefix: str

    def queue(self, name: str) -> Queue:
        return Queue(name, connection=self.redis_url, prefix=self.prefix)

    async def run(self, /, **names: Any) -> ModuleType:
        """The example's module after it ran with these names."""
        module = new_module(**names)
        await run_example(self.example, module, redis_url=self.redis_url)
        return module

    async def run_other(self, name: str, /, **names: Any) -> ModuleType:
        """Another example of the same page, for those that build on each other."""
        (other,) = [example for example in examples_of(self.example.page) if example.name == name]
        module = new_module(**names)
        await run_example(other, module, redis_url=self.redis_url)
        return module

    @asynccontextmanager
    async def application(self, *providers: Any, queues: tuple[str, ...]) -> AsyncIterator[Application]:
        """A running application of these providers."""
        workers = BullModule.for_root(
            queues=queues, providers=list(providers), connection=self.redis_url, prefix=self.prefix
        )
        async with await create_application(workers) as application:
            yield application

    async def runs_until_closed(self, /, **names: Any) -> None:
        """The example starts an application, which sends a mail, and ends once that is closed."""
        started: asyncio.Future[Application] = asyncio.get_running_loop().create_future()

        async def create(root: Any) -> Application:
            application = await create_application(root)
            started.set_result(application)
            return application

        running = asyncio.create_task(self.run(create_application=create, **names))
        application = await asyncio.wait_for(started, 10)
        job = await application.get(get_queue_token("email")).add("mail", MAIL)
        assert (await self.finished(job)).returnvalue == {"sent": True}
        await application.close()
        await asyncio.wait_for(running, 10)

    async def finished(self, job: Job, *, within_s: float = 10.0) -> Job:
        """The job, once it has completed or failed for good."""

        async def has_finished() -> bool:
            await job.refresh()
            return job.finished_on is not None

        await eventually(has_finished, within_s=within_s, what=f"{job} to finish")
        return job

    async def processed(self, handler: Callable[..., Any], data: Any, **opts: Any) -> Job:
        """A job that went through a real worker with this handler."""
        async with (
            self.queue("examples") as queue,
            Worker("examples", handler, connection=self.redis_url, prefix=self.prefix),
        ):
            job = await queue.add("example", data, **opts)
            return await self.finished(job)
