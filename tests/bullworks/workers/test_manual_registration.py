"""`manual_registration`: workers wait until somebody says so."""

from typing import Any

import pytest

from bullworks.bullmq import Job
from bullworks.core import ApplicationStateError, create_application
from bullworks.workers import (
    BullModule,
    BullOptions,
    NoWorkerError,
    QueueEventsHost,
    UnknownQueueError,
    WorkerHost,
    WorkersRegistrar,
    on_queue_event,
    processor,
    queue_events_listener,
)
from tests.bullworks.waiting import eventually
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.test_processing import finished


@processor("email")
class EmailWorker(WorkerHost):
    async def process(self, job: Job) -> str:
        return "sent"


@queue_events_listener("email")
class Heard(QueueEventsHost):
    def __init__(self) -> None:
        self.completed: list[str] = []

    @on_queue_event("completed")
    def on_completed(self, args: dict[str, Any]) -> None:
        self.completed.append(args["job_id"])


class WarmUp:
    """Registers as soon as the application is initialised, before the workers' own module perhaps."""

    def __init__(self, registrar: WorkersRegistrar) -> None:
        self.registrar = registrar

    async def on_module_init(self) -> None:
        await self.registrar.register()


async def test_workers_and_listeners_start_when_they_are_registered(run: Any) -> None:
    async with run(EmailWorker, Heard, manual_registration=True) as app:
        job = await queue_of(app).add("x")
        with pytest.raises(NoWorkerError):
            _ = app.get(EmailWorker).worker
        await app.get(WorkersRegistrar).register()
        assert (await finished(job)).returnvalue == "sent"
        await eventually(lambda: app.get(Heard).completed == [job.id], what="the event to be heard")
        worker = app.get(EmailWorker).worker
        await app.get(WorkersRegistrar).register()
        assert app.get(EmailWorker).worker is worker
    assert not worker.is_running


async def test_registered_during_the_start_they_take_jobs_after_it(run: Any) -> None:
    async with run(EmailWorker, WarmUp, manual_registration=True) as app:
        assert (await finished(await queue_of(app).add("x"))).returnvalue == "sent"


async def test_never_registered_they_never_run_and_the_application_closes(run: Any) -> None:
    async with run(EmailWorker, manual_registration=True) as app:
        job = await queue_of(app).add("x")
        assert await job.get_state() == "waiting"


async def test_without_it_registering_changes_nothing(run: Any) -> None:
    async with run(EmailWorker, WarmUp) as app:
        worker = app.get(EmailWorker).worker
        await app.get(WorkersRegistrar).register()
        assert app.get(EmailWorker).worker is worker


async def test_mistakes_still_fail_the_start(run: Any) -> None:
    with pytest.raises(UnknownQueueError):
        await run(EmailWorker, manual_registration=True, queues=("sms",))


async def test_a_closing_application_registers_nothing(run: Any) -> None:
    async with run(EmailWorker, manual_registration=True) as app:
        registrar = app.get(WorkersRegistrar)
    with pytest.raises(ApplicationStateError, match="the application is closing, no worker starts any more"):
        await registrar.register()


async def test_options_of_a_function_say_it_too(redis_url: str, key_prefix: str) -> None:
    root = BullModule.for_root_async(
        use_factory=lambda: BullOptions(connection=redis_url, prefix=key_prefix, manual_registration=True),
        queues=("email",),
        providers=[EmailWorker],
    )
    async with create_application(root) as app:
        with pytest.raises(NoWorkerError):
            _ = app.get(EmailWorker).worker
