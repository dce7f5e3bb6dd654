"""What goes from one process to the other, and what cannot."""

from __future__ import annotations

import asyncio
import functools
import pickle
import sys
import types
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, Job, ProcessDiedError, ProcessPool, ProcessStartError, UnpicklableError
from bullworks.bullmq.process_pool.address import address_of, find
from bullworks.bullmq.process_pool.conversation import Conversation
from bullworks.bullmq.process_pool.failure import Failure
from bullworks.bullmq.process_pool.messages import Abort, Answer, Assignment, Call, Ended, Watch, encode, receive
from tests.bullworks.bullmq.process_pool import handlers
from tests.bullworks.waiting import eventually


class ScriptedProcess:
    """A process that says what is written here, and takes what can be pickled."""

    def __init__(self, *says: Any) -> None:
        self.says: asyncio.Queue[Any] = asyncio.Queue()
        for message in says:
            self.says.put_nowait(message)
        self.heard: list[Any] = []

    async def send(self, message: Any) -> None:
        pickle.dumps(message)
        self.heard.append(message)

    async def receive(self) -> Any:
        return await self.says.get()


class OddJob(Job):
    """Its state cannot be sent."""

    __slots__ = ()

    async def get_state(self) -> Any:
        return lambda: None

    async def remove(self, *, remove_children: bool = True) -> None:
        await asyncio.Event().wait()


async def test_a_run_is_told_all_of_its_job_and_ends_with_its_own_end() -> None:
    job = Job.stub({"n": 1}, name="resize", id="j-1")
    process = ScriptedProcess(Ended(6, b"0"), Watch(6), Ended(7, b"1"))
    assert await Conversation(process, 7, job).hold() == Ended(7, b"1")
    (assignment,) = process.heard
    assert isinstance(assignment, Assignment)
    assert (assignment.run, assignment.job_id, assignment.name, assignment.queue_name) == (7, "j-1", "resize", "stub")
    assert assignment.fields[b"data"] == b'{"n":1}'
    assert not job.offer_signal().is_watched


async def test_a_process_that_ends_first_gives_no_end() -> None:
    assert await Conversation(ScriptedProcess(None), 1, Job.stub()).hold() is None


async def test_an_answer_carries_what_the_call_has_changed_and_nothing_twice() -> None:
    job = Job.stub({"n": 1})
    process = ScriptedProcess(Call(1, 1, "update_data", ({"n": 2},), {}), Call(1, 2, "log", ("row",), {}))
    talk = asyncio.ensure_future(Conversation(process, 1, job).hold())
    await eventually(lambda: len(process.heard) == 3)
    process.says.put_nowait(Ended(1, b"null"))
    await talk
    first, second = process.heard[1:]
    assert (first.number, first.state.fields) == (1, {b"data": b'{"n":2}'})
    assert (second.result, second.state.fields) == (1, {})


async def test_what_a_method_returns_and_cannot_be_sent_is_an_error_there() -> None:
    process = ScriptedProcess(Call(1, 1, "get_state", (), {}))
    talk = asyncio.ensure_future(Conversation(process, 1, OddJob.stub()).hold())
    await eventually(lambda: len(process.heard) == 2)
    answer = process.heard[1]
    assert isinstance(answer, Answer)
    assert answer.failure is not None
    # Pickle's verb differs between versions of Python.
    assert "local object 'OddJob.get_state.<locals>.<lambda>'" in answer.failure.text
    process.says.put_nowait(Ended(1, b"null"))
    await talk


async def test_calls_that_are_still_under_way_end_with_the_run() -> None:
    process = ScriptedProcess(Call(1, 1, "remove", (), {}), Ended(1, b"null"))
    await asyncio.wait_for(Conversation(process, 1, OddJob.stub()).hold(), 5)
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("process-call")] == []


async def test_a_reason_that_cannot_be_sent_is_told_in_words() -> None:
    job = Job.stub()
    process = ScriptedProcess(Watch(1))
    talk = asyncio.ensure_future(Conversation(process, 1, job).hold())
    await eventually(lambda: job.offer_signal().is_watched)
    job.signal.abort(handlers.OddError("this", "that"))
    await eventually(lambda: len(process.heard) == 2)
    assert process.heard[1].run == 1
    job = Job.stub()
    job.signal.abort(ValueError(lambda: None))
    unsendable = ScriptedProcess(Watch(1))
    telling = asyncio.ensure_future(Conversation(unsendable, 1, job).hold())
    await eventually(lambda: len(unsendable.heard) == 2)
    assert isinstance(unsendable.heard[1], Abort)
    assert str(unsendable.heard[1].reason).startswith("<function")
    for one, its_talk in ((process, talk), (unsendable, telling)):
        one.says.put_nowait(Ended(1, b"null"))
        await its_talk


async def test_a_message_that_breaks_off_is_the_end() -> None:
    for cut in (2, 10):
        stream = asyncio.StreamReader()
        stream.feed_data(encode(Ended(1, b"[]"))[:cut])
        stream.feed_eof()
        assert await receive(stream) is None


async def test_what_cannot_be_sent_is_an_error_of_the_call() -> None:
    async with ProcessPool(f"{handlers.__name__}:HANDLERS", size=1) as pool:
        refused = await pool(Job.stub(name="put_function"))
        assert refused.startswith("job.update_data() from a process: its arguments cannot be pickled: ")
        assert await pool(Job.stub(name="ask_state")) == "active"
        assert await pool(OddJob.stub(name="ask_state")) in {"PicklingError", "AttributeError"}


async def test_what_a_process_logs_before_its_first_and_after_its_last_job_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with ProcessPool.of_factory(handlers.make_talking, size=1):
        assert caplog.messages == ["made"]
    assert caplog.messages == ["made", "the end"]
    assert not hasattr(caplog.records[0], "job_id")


async def test_an_interpreter_that_cannot_be_started_fails_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ProcessStartError, match=r"handlers:pid: .*No such file or directory"):
        await ProcessPool(handlers.pid, size=1).start()


def test_an_error_whose_class_is_not_here_comes_in_words() -> None:
    failure = Failure(b"no pickle at all", "ModelError", "", "the trace", is_unrecoverable=False)
    error = failure.to_error()
    assert isinstance(error, UnpicklableError)
    assert (str(error), str(error.__cause__)) == ("ModelError", "in the process:\nthe trace")
    other = Failure(pickle.dumps("no error"), "ModelError", "no model", "", is_unrecoverable=False).to_error()
    assert (type(other), str(other)) == (UnpicklableError, "no model")


@pytest.mark.parametrize(
    ("exit_code", "how"), [(0, "ended with exit code 0"), (-11, "killed by SIGSEGV"), (-250, "killed by signal 250")]
)
def test_how_a_process_ended_is_said(exit_code: int, how: str) -> None:
    assert how in str(ProcessDiedError("j-1", 4711, exit_code))


def test_an_address_leads_to_what_it_was_made_of() -> None:
    for thing in (handlers.pid, handlers.Methods, handlers.Methods.static, handlers.Methods.of_class):
        assert find(address_of(thing)) == thing


def test_a_handler_that_no_other_process_finds_is_refused_at_once() -> None:
    def inner(job: Any) -> None: ...

    for handler, reason in (
        (inner, "is defined inside a function, where no other process finds it; move it to module level"),
        (lambda job: None, "is defined inside a function"),
        (handlers.Methods().of_instance, "so a process would get something else: .* a method of an instance"),
        (functools.partial(handlers.pid), "must be a function of a module, not functools.partial"),
        ("handlers", "must be an address as in \"package.module:function\", not 'handlers'"),
        ("a b:c", "must be an address"),
    ):
        with pytest.raises(InvalidOptionError, match=f"handler: .*{reason}"):
            ProcessPool(handler, size=1)


@pytest.mark.parametrize("size", [0, True, "4"])
def test_a_size_that_is_no_number_of_processes_is_refused(size: Any) -> None:
    with pytest.raises(InvalidOptionError, match="size: must be a whole number >= 1"):
        ProcessPool(handlers.pid, size=size)


def test_a_function_of_the_program_itself_is_found_if_that_was_started_as_a_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = types.ModuleType("__main__")
    exec("def work(job): ...", program.__dict__)
    monkeypatch.setitem(sys.modules, "__main__", program)
    with pytest.raises(InvalidOptionError, match="work is in the script that was started, which no other process impo"):
        address_of(program.work)
    program.__spec__ = types.SimpleNamespace(name="package.program")  # type: ignore[assignment]
    assert address_of(program.work) == "package.program:work"
