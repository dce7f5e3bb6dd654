"""When workers start and stop, and what is still open while they do."""

import asyncio
import gc
import os
import signal
import weakref
from typing import Annotated, Any

import pytest

from bullworks.bullmq import Job, Queue
from bullworks.core import Shutdown, create_application, provide
from bullworks.workers import BullModule, InjectQueue, WorkerHost, get_queue_token, on_worker_event, processor
from bullworks.workers.tokens import CONNECTION
from tests.bullworks.waiting import eventually
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.test_processing import finished


class Log(list[str]):
    """What happened, in order."""


async def test_no_job_starts_before_every_bootstrap_hook_has_run(run: Any, workers: Any) -> None:
    log = Log()
    done = asyncio.Event()

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            log.append("job")
            done.set()

    class Late:
        def __init__(self, email_queue: Annotated[Queue, InjectQueue("email")]) -> None:
            self.email_queue = email_queue

        async def on_module_init(self) -> None:
            await self.email_queue.add("x")
            log.append("init")

        async def on_application_bootstrap(self) -> None:
            for _ in range(50):
                await self.email_queue.get_job_counts()
            log.append("bootstrap")

    async with run(EmailWorker, Late):
        await asyncio.wait_for(done.wait(), 10)
    assert log == ["init", "bootstrap", "job"]


async def test_a_job_in_flight_finds_everything_open_and_can_still_add_jobs(run: Any) -> None:
    log = Log()
    started = asyncio.Event()

    class Db:
        is_open = True

        def on_module_destroy(self) -> None:
            log.append("db closed")
            self.is_open = False

    @processor("email")
    class EmailWorker(WorkerHost):
        def __init__(self, db: Db, other: Annotated[Queue, InjectQueue("other")]) -> None:
            self.db, self.other = db, other

        async def process(self, job: Job) -> str:
            started.set()
            await closing.wait()
            await self.other.add("follow-up")
            log.append(f"job done, db open: {self.db.is_open}")
            return "ok"

    closing = asyncio.Event()
    app = await run(EmailWorker, Db, queues=("email", "other"))
    job = await queue_of(app).add("x")
    other = queue_of(app, "other")
    await asyncio.wait_for(started.wait(), 10)
    ending = asyncio.ensure_future(app.close("SIGTERM"))
    await asyncio.sleep(0)
    closing.set()
    await asyncio.wait_for(ending, 10)
    assert log == ["job done, db open: True", "db closed"]
    async with Queue("email", connection=other.connection.endpoint, prefix=other.keys.prefix) as look:
        stored = await look.get_job(job.id)
        assert stored is not None
        assert stored.returnvalue == "ok"
    async with Queue("other", connection=other.connection.endpoint, prefix=other.keys.prefix) as look:
        assert (await look.get_job_counts())["waiting"] == 1


async def test_the_shared_connection_is_closed_after_the_last_hook(run: Any) -> None:
    log = Log()

    class Last:
        def __init__(self, email_queue: Annotated[Queue, InjectQueue("email")]) -> None:
            self.email_queue = email_queue

        async def on_application_shutdown(self) -> None:
            await self.email_queue.add("bye")
            log.append("said bye")

    async with run(Last) as app:
        connection = await app.resolve(CONNECTION)
        assert connection.is_connected
    assert log == ["said bye"]
    assert not connection.is_connected


async def test_jobs_that_outlast_the_grace_time_are_handed_back(run: Any, redis_url: str, key_prefix: str) -> None:
    started = asyncio.Event()

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            started.set()
            await asyncio.Event().wait()

    async with run(EmailWorker, shutdown_grace=50) as app:
        job = await queue_of(app).add("x")
        await asyncio.wait_for(started.wait(), 10)
    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        stored = await queue.get_job(job.id)
        assert stored is not None
        assert (await stored.get_state(), stored.attempts_made) == ("waiting", 0)


async def test_a_second_signal_hands_running_jobs_back_at_once(run: Any, redis_url: str, key_prefix: str) -> None:
    started = asyncio.Event()

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            started.set()
            await asyncio.Event().wait()

    class Seen:
        def __init__(self, shutdown: Shutdown) -> None:
            self.shutdown = shutdown

    async with run(EmailWorker, Seen, shutdown_grace=60_000) as app:
        app.enable_shutdown_hooks(end_process=False)
        job = await queue_of(app).add("x")
        await asyncio.wait_for(started.wait(), 10)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(app.wait_for_shutdown(), 5) == "SIGTERM"
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(app.close(), 10)
        assert app.get(Seen).shutdown.forced.is_set()
    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        stored = await queue.get_job(job.id)
        assert stored is not None
        assert (await stored.get_state(), stored.attempts_made) == ("waiting", 0)


async def test_two_signals_before_the_workers_are_drained_leave_no_grace(
    run: Any, redis_url: str, key_prefix: str
) -> None:
    started = asyncio.Event()

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            started.set()
            await asyncio.Event().wait()

    async with run(EmailWorker, shutdown_grace=60_000) as app:
        app.enable_shutdown_hooks(end_process=False)
        await queue_of(app).add("x")
        await asyncio.wait_for(started.wait(), 10)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(app.wait_for_shutdown(), 5)
        await asyncio.wait_for(app.close(), 10)
    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        assert (await queue.get_job_counts())["waiting"] == 1


async def test_a_worker_is_told_that_it_closes_and_of_no_pause(run: Any) -> None:
    log = Log()

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None: ...

        @on_worker_event("paused")
        def on_paused(self) -> None:
            log.append("paused")

        @on_worker_event("closing")
        def on_closing(self) -> None:
            log.append("closing")

        @on_worker_event("closed")
        def on_closed(self) -> None:
            log.append("closed")

    async with run(EmailWorker) as app:
        await finished(await queue_of(app).add("x"))
    assert log == ["closing", "closed"]


async def test_an_application_starts_again_with_new_workers(run: Any) -> None:
    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> str:
            return "ok"

    app = run(EmailWorker)
    workers = []
    for _ in range(3):
        async with app:
            workers.append(app.get(EmailWorker).worker)
            assert (await finished(await queue_of(app).add("x"))).returnvalue == "ok"
    assert len({id(worker) for worker in workers}) == 3


async def test_a_failed_start_closes_the_workers_that_had_started(run: Any) -> None:
    kept: list[Any] = []

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None: ...

        def on_application_bootstrap(self) -> None:
            kept.append(self.worker)

    class Fails:
        async def on_application_start(self) -> None:
            await eventually(lambda: kept[0].is_running, what="the worker to run")
            raise RuntimeError("no")

    app = run(EmailWorker, Fails)
    with pytest.raises(RuntimeError, match="no"):
        await app
    assert not kept[0].is_running


async def test_a_queue_made_by_a_factory_of_the_user_s_is_closed_before_the_last_hook(
    redis_url: str, key_prefix: str
) -> None:
    seen: list[bool] = []

    class Last:
        def __init__(self, email_queue: Annotated[Queue, InjectQueue("email")]) -> None:
            self.email_queue = email_queue

        def before_application_shutdown(self) -> None:
            seen.append(self.email_queue.connection.is_connected)

        def on_application_shutdown(self) -> None:
            seen.append(self.email_queue.connection.is_connected)

    own = provide(get_queue_token("email"), use_factory=lambda: Queue("email", connection=redis_url, prefix=key_prefix))
    async with create_application(BullModule.for_root(connection=redis_url, providers=[own, Last])):
        pass
    assert seen == [True, False]


async def test_a_closed_application_lets_go_of_hosts_and_queues(run: Any) -> None:
    done = asyncio.Event()

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> None:
            done.set()

        @on_worker_event("completed")
        def on_completed(self, job: Job) -> None: ...

    async with run(EmailWorker) as app:
        await queue_of(app).add("welcome", {})
        await asyncio.wait_for(done.wait(), 5)
        made = [weakref.ref(app.get(EmailWorker)), weakref.ref(queue_of(app)), weakref.ref(app.get(EmailWorker).worker)]
    await asyncio.sleep(0)
    gc.collect()
    assert [each() for each in made] == [None, None, None]


async def test_names_of_queues_that_differ_in_signs_only_may_stand_side_by_side(
    run: Any,
) -> None:
    names = ("mail-out", "mail_out", "mail out", "日本")
    async with run(queues=names) as app:
        assert [queue_of(app, name).name for name in names] == list(names)
