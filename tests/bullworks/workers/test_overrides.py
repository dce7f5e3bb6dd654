"""Queues and processors replaced in tests, as dependency-injector users do it, with no Redis anywhere."""

from typing import Annotated, Any
from unittest.mock import AsyncMock, Mock, create_autospec

import pytest

from bullworks.bullmq import Job, Queue
from bullworks.core import create_application, module, provide
from bullworks.workers import BullModule, InjectQueue, NoWorkerError, WorkerHost, get_queue_token, processor

pytestmark = pytest.mark.usefixtures("no_network")

NOWHERE = "redis://127.0.0.1:1/0"


class Mail:
    async def send(self, to: str) -> None:
        raise AssertionError("a real mail was sent")


@processor("email")
class EmailWorker(WorkerHost):
    def __init__(self, mail: Mail, email_queue: Annotated[Queue, InjectQueue("email")]) -> None:
        self.mail, self.email_queue = mail, email_queue

    async def process(self, job: Job) -> Any:
        await self.mail.send(job.data["to"])
        return {"sent": True}


def for_root(*providers: Any) -> Any:
    return BullModule.for_root(connection=NOWHERE, queues=("email",), providers=[EmailWorker, Mail, *providers])


async def test_a_worker_is_called_with_a_mock_and_a_stub_job() -> None:
    container = for_root()
    mail = AsyncMock(spec=Mail)
    with container.override_providers(mail=mail, email_queue=Mock(spec=Queue)):
        worker = container.build().get(EmailWorker)
        assert await worker.process(Job.stub(data={"to": "you"})) == {"sent": True}
    mail.send.assert_awaited_once_with("you")


async def test_building_opens_no_socket() -> None:
    container = await for_root().build_async()
    assert isinstance(container.get(get_queue_token("email")), Queue)


async def test_with_its_queue_overridden_a_processor_needs_no_redis_to_start() -> None:
    app = create_application(for_root())
    fake = create_autospec(Queue, instance=True)
    app.container.email_queue.override(fake)
    async with app:
        assert app.get(EmailWorker).email_queue is fake
        assert app.get(get_queue_token("email")) is fake
        with pytest.raises(NoWorkerError):
            _ = app.get(EmailWorker).worker


async def test_a_queue_provided_by_value_needs_no_redis_either() -> None:
    fake = Mock(spec=Queue)

    @module(
        imports=[BullModule.for_root(connection=NOWHERE)],
        providers=[EmailWorker, Mail, provide(get_queue_token("email"), use_value=fake)],
    )
    class App: ...

    async with create_application(App) as app:
        assert app.get(EmailWorker).email_queue is fake


async def test_an_application_without_queues_needs_no_redis() -> None:
    async with create_application(BullModule.for_root(connection=NOWHERE)) as app:
        assert app.container.workers_setup().prefix == "bull"
