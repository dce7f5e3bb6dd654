"""The worker of the queue `email`."""

from typing import Any

from app.modules.email.errors import InvalidMailError, MailRefusedError
from app.modules.email.mail_service import MailService
from bullworks.bullmq import Job, UnrecoverableError
from bullworks.workers import WorkerHost, processor


@processor("email", concurrency=50)
class EmailWorker(WorkerHost):
    """Sends one mail a job. The job's data holds `email`, `subject` and `body`."""

    def __init__(self, mail: MailService) -> None:
        self.mail = mail

    async def process(self, job: Job) -> Any:
        """Send a job's mail, returning `{"sent": True}`; an invalid mail fails at once, without further attempts."""
        try:
            to, subject, body = job.data["email"], job.data["subject"], job.data["body"]
        except (KeyError, TypeError) as error:
            raise UnrecoverableError("the job's data needs email, subject and body") from error
        try:
            await self.mail.send(to=to, subject=subject, body=body)
        except (InvalidMailError, MailRefusedError) as error:
            raise UnrecoverableError(str(error)) from error
        return {"sent": True}
