"""Checks of what docs/workers.md says of jobs with a type."""

from __future__ import annotations

import pytest

from bullworks.bullmq import InvalidPayloadError, JobFailedError
from bullworks.core import create_application, module
from bullworks.workers import BullModule
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.stage import Stage

checks = Checks()


@checks("typed-jobs")
async def models_go_in_and_come_out_and_what_does_not_fit_fails(stage: Stage) -> None:
    page = await stage.run()
    root = module(imports=[BullModule.for_root(), page.EmailModule])(type("Root", (), {}))
    async with create_application(root) as application, stage.queue("email") as plain:
        service = application.get(page.UserService)
        job = await service.send_welcome_email("user@example.com")
        assert job.data == page.EmailJob(email="user@example.com")
        assert await job.wait_until_finished(ttl=10_000) == page.Receipt("user@example.com")
        with pytest.raises(InvalidPayloadError, match=r"\$\.email"):
            await service.email_queue.add("welcome-email", {})
        other = await plain.add("welcome-email", {}, attempts=3)
        reason = r"the job's data: \$\.email does not fit EmailJob: Field required"
        with pytest.raises(JobFailedError, match=reason):
            await other.wait_until_finished(ttl=10_000)
        await other.refresh()
        assert other.attempts_made == 1
        stored = await plain.get_job(job.id)
        assert stored is not None
        assert stored.data == {"email": "user@example.com", "subject": "Welcome!"}
