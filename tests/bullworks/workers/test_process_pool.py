"""`@processor(process_pool=)`: the jobs of a host run in processes that have hosts of their own."""

import os
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, ProcessStartError, SyncJob
from bullworks.workers import ProcessPoolError, UnknownQueueError, WorkerHost, processor
from tests.bullworks.bullmq.process_pool.processes import is_running
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.in_processes import (
    Events,
    LocalFactoryWorker,
    Mail,
    MailingWorker,
    MisbuiltWorker,
    NamedWorker,
    NeedyWorker,
    PlainWorker,
    make_other,
)
from tests.bullworks.workers.test_processing import finished

pytestmark = pytest.mark.process


async def test_named_methods_run_in_processes_too(run: Any) -> None:
    async with run(NamedWorker) as app:
        queue = queue_of(app)
        assert (await finished(await queue.add("double", 21))).returnvalue == 42
        assert (await finished(await queue.add("pid"))).returnvalue != os.getpid()
        unknown = await finished(await queue.add("triple", 1))
    assert unknown.failed_reason == "no handler for jobs named 'triple'; there are: double, pid"


async def test_a_factory_builds_the_host_in_the_process_and_events_go_to_the_service_s_own(run: Any) -> None:
    async with run(MailingWorker, Mail, Events) as app:
        job = await finished(await queue_of(app).add("x"))
        assert job.returnvalue == "the process's own"
        assert app.get(Events) == [("the service's own", 1)]


async def test_jobs_run_in_processes_with_progress_and_logs_and_in_new_ones_after_another_start(run: Any) -> None:
    app = run(PlainWorker)
    pids = {os.getpid()}
    for _ in range(2):
        async with app:
            job = await finished(await queue_of(app).add("x", "hello"))
            assert (job.progress, await job.logs()) == (50, ["a line"])
            assert app.get(PlainWorker).worker.concurrency == 2
        assert job.returnvalue is not None
        assert job.returnvalue["data"] == "hello"
        assert not is_running(job.returnvalue["pid"])
        pids.add(job.returnvalue["pid"])
    assert len(pids) == 3


async def test_a_worker_that_is_not_enabled_has_no_processes(run: Any) -> None:
    async with run(MisbuiltWorker, enabled_workers=()) as app:
        assert await queue_of(app).add("x")


async def test_a_constructor_that_asks_for_something_needs_a_factory(run: Any) -> None:
    with pytest.raises(ProcessPoolError) as caught:
        await run(NeedyWorker, Mail, Events)
    assert str(caught.value) == (
        "NeedyWorker has a process_pool, and its constructor asks for mail, events, which is in this process only; "
        "give it process_factory=, a function at the top of a module that builds one in each process"
    )


async def test_a_class_that_no_process_finds_is_refused_with_whatever_else_is_wrong(run: Any) -> None:
    @processor("emial", process_pool=2)
    class Inner(WorkerHost):
        def process(self, job: SyncJob) -> None: ...

    with pytest.raises(ExceptionGroup) as caught:
        await run(Inner)
    unknown, unfindable = caught.value.exceptions
    assert isinstance(unknown, UnknownQueueError)
    assert isinstance(unfindable, ProcessPoolError)
    assert "Inner has a process_pool, and its processes could not build one: the class: test_a_class" in str(unfindable)
    assert "is defined inside a function, where no other process finds it" in str(unfindable)


async def test_a_factory_that_no_process_finds_is_refused(run: Any) -> None:
    with pytest.raises(ProcessPoolError, match=r"could not build one: process_factory: <lambda> is defined inside a"):
        await run(LocalFactoryWorker)


async def test_a_factory_that_builds_something_else_fails_the_start(run: Any) -> None:
    with pytest.raises(
        ProcessStartError, match="MisbuiltWorker has a process_pool, and its process_factory returned <"
    ):
        await run(MisbuiltWorker)


@pytest.mark.parametrize("size", [0, True, "2"])
def test_a_pool_of_no_size_is_refused(size: Any) -> None:
    with pytest.raises(InvalidOptionError, match="process_pool: must be a whole number >= 1"):
        processor("email", process_pool=size)


def test_a_factory_without_processes_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match=r"process_factory: goes with process_pool= only"):
        processor("email", process_factory=make_other)
