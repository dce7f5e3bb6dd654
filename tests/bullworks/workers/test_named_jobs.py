"""`@process`: a host's methods, by the names of the jobs."""

import threading
from typing import Any

import pytest

from bullworks.bullmq import CancelSignal, Job, SyncJob
from bullworks.workers import JobNameError, ProcessorClassError, WorkerHost, process, processor
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.test_processing import finished


class Greeting(WorkerHost):
    @process("hello")
    async def greet(self, job: Job) -> str:
        return f"hello {job.data}"


@processor("email")
class EmailWorker(Greeting):
    @process("welcome", "welcome-again")
    async def welcome(self, job: Job, signal: CancelSignal) -> str:
        return f"welcome {job.data}, {signal.aborted}"

    @process("report")
    @process("digest")
    def report(self, job: SyncJob) -> str:
        job.update_progress(50)
        return threading.current_thread().name.split("-")[0]


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("welcome", "welcome you, False"),
        ("welcome-again", "welcome you, False"),
        ("report", "bullworks"),
        ("digest", "bullworks"),
        ("hello", "hello you"),
    ],
)
async def test_each_job_goes_to_the_method_of_its_name_async_or_in_a_thread(run: Any, name: str, result: str) -> None:
    async with run(EmailWorker) as app:
        job = await finished(await queue_of(app).add(name, "you"))
        assert (job.returnvalue, job.progress) == (result, 50 if result == "bullworks" else 0)


async def test_a_job_of_an_unknown_name_fails_for_good_with_the_known_names(run: Any) -> None:
    async with run(EmailWorker) as app:
        job = await finished(await queue_of(app).add("wellcome", attempts=3))
    assert job.failed_reason == (
        "no handler for jobs named 'wellcome'; there are: digest, hello, report, welcome, welcome-again"
    )
    assert job.attempts_made == 1


async def test_a_method_that_is_overridden_processes_what_the_new_one_says(run: Any) -> None:
    @processor("email")
    class Politer(Greeting):
        @process("good-day")
        async def greet(self, job: Job) -> str:
            return "good day"

    async with run(Politer) as app:
        assert (await finished(await queue_of(app).add("good-day"))).returnvalue == "good day"
        failed = await finished(await queue_of(app).add("hello"))
        assert failed.failed_reason == "no handler for jobs named 'hello'; there are: good-day"


def test_a_host_has_either_process_or_named_methods() -> None:
    class Both(Greeting):
        async def process(self, job: Job) -> None: ...

    with pytest.raises(ProcessorClassError) as caught:
        processor("email")(Both)
    assert str(caught.value) == (
        '@processor("email") on Both, which has `process`, for all jobs, and @process methods, for hello; keep one'
    )


def test_a_name_that_two_methods_process_is_refused() -> None:
    class Twice(Greeting):
        @process("hello")
        async def other(self, job: Job) -> None: ...

    with pytest.raises(JobNameError) as caught:
        processor("email")(Twice)
    assert str(caught.value) == "@process('hello') in Twice: both other and greet process it"


def test_a_name_twice_above_one_method_is_refused() -> None:
    async def method(job: Job) -> None: ...

    with pytest.raises(JobNameError, match="names a job twice: a, b, a"):
        process("a", "b", "a")(method)
    with pytest.raises(JobNameError, match="names a job twice"):
        process("a")(process("a")(method))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), r"@process\(\): names at least one job, as in @process\(\"welcome-email\"\)"),
        (("",), "'' is not a name"),
        ((lambda job: None,), "@process: names jobs, as in"),
    ],
)
def test_without_a_name_there_is_nothing_to_process(names: Any, message: str) -> None:
    with pytest.raises(JobNameError, match=message):
        process(*names)
