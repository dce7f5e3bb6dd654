"""Listeners to what happens in a queue, whoever does it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from unittest.mock import create_autospec

import pytest

from bullworks.bullmq import InvalidOptionError, Job, JobSpec, Queue, QueueEventsProducer, Worker
from bullworks.core import Scope, create_application, injectable
from bullworks.workers import (
    BullModule,
    HostScopeError,
    InjectQueue,
    ListenerClassError,
    NoQueueEventsError,
    QueueEventsHost,
    UnknownQueueError,
    UnknownQueueEventError,
    WorkerHost,
    on_queue_event,
    processor,
    queue_events_listener,
)
from tests.bullworks.waiting import eventually
from tests.bullworks.workers.conftest import queue_of

Heard = list[tuple[Any, ...]]


class Notes:
    """What was heard, in order."""

    def __init__(self) -> None:
        self.heard: Heard = []


@queue_events_listener("email")
class EmailListener(QueueEventsHost):
    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    @on_queue_event("added")
    def on_added(self, args: dict[str, Any], event_id: str) -> None:
        self.notes.heard.append(("added", args["job_id"], event_id))

    @on_queue_event("completed")
    @on_queue_event("failed")
    async def on_end(self, args: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        self.notes.heard.append(("end", args["job_id"]))


@pytest.fixture
async def elsewhere(redis_url: str, key_prefix: str) -> AsyncIterator[Queue]:
    """The queue, as another process uses it."""
    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        yield queue


async def clients(queue: Queue) -> int:
    """How many connections listen to the queue's events."""
    name = queue.keys.events_client_name()
    return sum(
        f"name={name} " in line for line in (await queue.connection.execute("CLIENT", "LIST")).decode().splitlines()
    )


async def test_events_of_the_whole_fleet_are_heard(run: Callable[..., Any], elsewhere: Queue) -> None:
    async def process(job: Job) -> None:
        if job.data == "bad":
            raise ValueError("bad address")

    async with run(EmailListener, Notes) as app:
        heard = app.get(Notes).heard
        async with Worker("email", process, connection=elsewhere.connection, prefix=elsewhere.keys.prefix):
            good, bad = await elsewhere.add("x", "good"), await elsewhere.add("x", "bad")
            await eventually(lambda: len(heard) == 4, what=f"four events in {heard}")
    assert {event[:2] for event in heard} == {("added", good.id), ("added", bad.id), ("end", good.id), ("end", bad.id)}
    assert all("-" in event[2] for event in heard if event[0] == "added")


async def test_a_listener_runs_where_no_worker_does(run: Any, elsewhere: Queue) -> None:
    async with run(EmailListener, Notes, workers_enabled=False) as app:
        job = await elsewhere.add("x")
        await eventually(lambda: [event[1] for event in app.get(Notes).heard] == [job.id])


async def test_listeners_of_one_queue_share_a_connection_unless_they_begin_elsewhere(
    run: Any, elsewhere: Queue
) -> None:
    first = await elsewhere.add("x")

    @queue_events_listener("email")
    class SecondListener(QueueEventsHost): ...

    @queue_events_listener("email", last_event_id="0")
    class FromTheBeginning(EmailListener): ...

    async with run(EmailListener, SecondListener, FromTheBeginning, Notes) as app:
        assert app.get(EmailListener).queue_events is app.get(SecondListener).queue_events
        assert app.get(FromTheBeginning).queue_events is not app.get(EmailListener).queue_events
        assert await clients(elsewhere) == 2
        await eventually(lambda: [event[1] for event in app.get(Notes).heard] == [first.id])
    await eventually(lambda: clients_gone(elsewhere))


async def clients_gone(queue: Queue) -> bool:
    return await clients(queue) == 0


async def test_a_listener_goes_on_where_it_was(run: Any, elsewhere: Queue) -> None:
    """Given a listener that stores how far it got, when jobs are added while it is away, then it hears of them."""
    stored: list[str] = []

    @queue_events_listener("email")
    class Resuming(EmailListener):
        async def load_last_event_id(self) -> str | None:
            return stored[-1] if stored else None

        def before_application_shutdown(self) -> None:
            stored.append(self.queue_events.last_event_id)

    async with run(Resuming, Notes) as app:
        await elsewhere.add("first")
        await eventually(lambda: len(app.get(Notes).heard) == 1)
    missed = await elsewhere.add("missed")
    async with run(Resuming, Notes) as app:
        await eventually(lambda: [event[1] for event in app.get(Notes).heard] == [missed.id])


async def test_a_place_that_cannot_be_used_fails_the_start_and_is_told_from_where_it_came(run: Any) -> None:
    @queue_events_listener("email")
    class Lost(QueueEventsHost):
        async def load_last_event_id(self) -> str:
            return "yesterday"

    with pytest.raises(InvalidOptionError, match="last_event_id: must be an event's id") as caught:
        await run(Lost)
    assert "it came from load_last_event_id() of BullModule > Lost" in caught.value.__notes__


async def test_an_event_method_that_raises_is_logged_and_harms_nothing(
    run: Any, elsewhere: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    @queue_events_listener("email")
    class Failing(EmailListener):
        @on_queue_event("added")
        def on_added_too(self) -> None:
            raise RuntimeError("a bug in the listener")

    async with run(Failing, Notes) as app:
        for _ in range(2):
            await elsewhere.add("x")
        await eventually(lambda: len(app.get(Notes).heard) == 2)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [(record.__dict__["queue"], record.__dict__["event"]) for record in errors] == [("email", "added")] * 2


async def test_events_of_your_own_are_heard(run: Any, elsewhere: Queue) -> None:
    @queue_events_listener("email")
    class Custom(QueueEventsHost):
        def __init__(self, notes: Notes) -> None:
            self.notes = notes

        @on_queue_event("bounced", custom=True)
        def on_bounced(self, args: dict[str, Any]) -> None:
            self.notes.heard.append(("bounced", args))

    async with run(Custom, Notes) as app:
        async with QueueEventsProducer(
            "email", connection=elsewhere.connection, prefix=elsewhere.keys.prefix
        ) as producer:
            await producer.publish_event({"event_name": "bounced", "to": "you"})
        await eventually(lambda: app.get(Notes).heard == [("bounced", {"to": "you"})])


async def test_a_job_that_is_drained_at_the_end_is_still_heard_of(run: Any) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            started.set()
            await go_on.wait()

    class Last:
        def __init__(self, notes: Notes) -> None:
            self.notes = notes
            self.seen: Heard = []

        def on_module_destroy(self) -> None:
            self.seen = list(self.notes.heard)

    app = await run(EmailListener, EmailWorker, Notes, Last)
    job, last = await queue_of(app).add("x"), app.get(Last)
    await asyncio.wait_for(started.wait(), 10)
    # more than are read at once, so that the end is not among those that have come
    await queue_of(app).add_bulk([JobSpec("later", delay=60_000)] * 2_000)
    ending = asyncio.ensure_future(app.close())
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait_for(ending, 10)
    assert ("end", job.id) in last.seen


async def test_with_its_queue_replaced_a_listener_needs_no_redis(no_network: None) -> None:
    root = BullModule.for_root(connection="redis://127.0.0.1:1", queues=("email",), providers=[EmailListener, Notes])
    app = create_application(root)
    app.container.email_queue.override(create_autospec(Queue, instance=True))
    async with app:
        with pytest.raises(NoQueueEventsError, match="EmailListener has no queue events yet"):
            _ = app.get(EmailListener).queue_events


async def test_a_listener_to_a_queue_that_nobody_registered_fails_the_start(run: Any) -> None:
    @queue_events_listener("emial")
    class Misspelt(QueueEventsHost): ...

    with pytest.raises(UnknownQueueError, match=r"Misspelt listens to the queue 'emial', which no .* mean 'email'"):
        await run(Misspelt)


async def test_a_listener_that_is_not_built_at_the_start_is_refused(run: Any) -> None:
    listener = injectable(scope=Scope.TRANSIENT)(queue_events_listener("email")(type("Odd", (QueueEventsHost,), {})))
    with pytest.raises(HostScopeError, match="a listener is a singleton that is built at the start"):
        await run(listener)


def test_a_listener_that_is_no_host_is_refused() -> None:
    with pytest.raises(ListenerClassError) as caught:
        queue_events_listener("email")(Notes)
    assert str(caught.value) == (
        '@queue_events_listener("email") on Notes, which has no QueueEventsHost among its bases; '
        "write `class Notes(QueueEventsHost):`"
    )


@pytest.mark.parametrize(
    ("event", "advice"),
    [
        ("complete", "did you mean 'completed'"),
        ("waiting-children", "did you mean 'waiting_children'"),
        ("xyz", "there are: active, added"),
    ],
)
def test_an_unknown_event_is_refused_with_the_near_name(event: str, advice: str) -> None:
    with pytest.raises(
        UnknownQueueEventError, match=f"no such event, but for one of your own, with custom=True; {advice}"
    ):
        on_queue_event(event)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"last_event_id": "x"}, "last_event_id"), ({"blocking_timeout": 0}, "blocking_timeout")],
)
def test_an_option_that_cannot_be_used_is_refused(options: Any, message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        queue_events_listener("email", **options)
    with pytest.raises(InvalidOptionError, match="queue name"):
        queue_events_listener("a:b")


async def test_a_host_of_both_kinds_processes_and_hears(run: Any) -> None:
    @processor("email")
    @queue_events_listener("email")
    class Both(WorkerHost, QueueEventsHost):
        def __init__(self, notes: Notes, email_queue: Annotated[Queue, InjectQueue("email")]) -> None:
            self.notes, self.email_queue = notes, email_queue

        async def process(self, job: Job) -> str:
            return "ok"

        @on_queue_event("completed")
        def on_completed(self, args: dict[str, Any]) -> None:
            self.notes.heard.append(("completed", args["returnvalue"]))

    async with run(Both, Notes) as app:
        await app.get(Both).email_queue.add("x")
        await eventually(lambda: app.get(Notes).heard == [("completed", "ok")])
