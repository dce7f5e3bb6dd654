"""The worker of the queue `greetings`, and the cron that adds to it."""

import logging
from typing import Any

from bullworks.bullmq import Job, UnrecoverableError
from bullworks.schedule import CronExpression, cron
from bullworks.workers import WorkerHost, processor

from app.modules.greetings import GreetingService

log = logging.getLogger(__name__)


@processor("greetings", concurrency=10)
class GreetingsWorker(WorkerHost):
    """Writes one greeting a job. The job's data holds `name`."""

    def __init__(self, greetings: GreetingService) -> None:
        self.greetings = greetings

    async def process(self, job: Job) -> Any:
        """Write the greeting of a job, returning `{"greeting": "Hello, Ada!"}`; invalid data fails without a retry."""
        try:
            name = job.data["name"]
        except (KeyError, TypeError) as error:
            raise UnrecoverableError("the job's data needs a name") from error
        greeting = self.greetings.write(name)
        log.info("job %s: greeted", job.id, extra={"job_id": job.id})
        return {"greeting": greeting}

    @cron(CronExpression.EVERY_30_SECONDS, name="greet-the-world", distributed=True)
    async def greet_the_world(self) -> None:
        """Queue a greeting to the world, in one process of the fleet each time."""
        await self.greetings.send("world")
