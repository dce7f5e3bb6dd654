"""What a handler in a process can do, and what comes back from it. The jobs are stubs: no Redis is needed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bullworks.bullmq import InvalidPayloadError, Job, UnrecoverableError
from bullworks.bullmq.process_pool.errors import ProcessDiedError, ProcessStartError, UnpicklableError
from bullworks.bullmq.process_pool.pool import ProcessPool
from tests.bullworks.bullmq.process_pool import handlers
from tests.bullworks.bullmq.process_pool.processes import is_running
from tests.bullworks.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ProcessPool]:
    """One process that has all handlers, for tests that leave it as it was."""
    async with ProcessPool(f"{handlers.__name__}:HANDLERS", size=1) as pool:
        yield pool


@pytest.mark.parametrize("name", ["pid", "async_pid"])
async def test_a_handler_runs_in_another_process(shared: ProcessPool, name: str) -> None:
    assert [await shared(Job.stub(name=name))] == shared.pids != [os.getpid()]


async def test_a_mapping_of_handlers_has_none_for_another_name(shared: ProcessPool) -> None:
    with pytest.raises(UnrecoverableError, match=r"no handler for jobs named 'other'; there are: ask_state, async_pid"):
        await shared(Job.stub(name="other"))


@pytest.mark.parametrize(("name", "progress"), [("use_job", {"step": 1}), ("use_async_job", 7)])
async def test_a_handler_uses_its_job_and_the_workers_own_job_is_changed(
    shared: ProcessPool, name: str, progress: Any
) -> None:
    job = Job.stub({"n": 1}, name=name, id="j-1", opts={"attempts": 3})
    heard: list[Any] = []
    job.on_progress = lambda told, progress: heard.append((told is job, progress))
    result = await shared(job)
    assert result[0] == job.data == {"n": 1, "seen": True}
    assert result[1:] == [progress, ["one", "two"], "j-1", name, "stub:stub", 3]
    assert heard == [(True, progress)]
    assert (job.progress, await job.logs()) == (progress, ["one", "two"])


async def test_what_the_job_refuses_is_raised_in_the_handler(shared: ProcessPool) -> None:
    answer = await shared(Job.stub(name="put_nothing"))
    assert answer == (
        "InvalidPayloadError: $ is a object, which JSON cannot hold; convert it to str, int, list or dict"
        " | InvalidPayloadError: $ is nan, which JSON cannot hold"
    )


async def test_an_error_comes_back_as_it_is_with_the_trace_of_the_process(shared: ProcessPool) -> None:
    with pytest.raises(handlers.CodedError, match="code 7") as caught:
        await shared(Job.stub("coded", name="fail"))
    assert caught.value.code == 7
    assert "in fail\n    raise error" in str(caught.value.__cause__)


async def test_an_error_that_cannot_be_sent_comes_back_in_words(shared: ProcessPool) -> None:
    for asked, text in (("odd", "this and that"), ("holds job", "<SyncJob stub 'fail' of queue 'stub'>")):
        with pytest.raises(UnpicklableError) as caught:
            await shared(Job.stub(asked, name="fail"))
        assert str(caught.value) == text
        assert not isinstance(caught.value, UnrecoverableError)
        assert "Traceback" in str(caught.value.__cause__)
    assert caught.value.kind == "ValueError"


@pytest.mark.parametrize("asked", ["end", "odd end"])
async def test_an_unrecoverable_error_stays_one(shared: ProcessPool, asked: str) -> None:
    with pytest.raises(UnrecoverableError):
        await shared(Job.stub(asked, name="fail"))


async def test_a_handler_that_exits_has_failed_and_its_process_goes_on(shared: ProcessPool) -> None:
    before = shared.pids
    with pytest.raises(SystemExit):
        await shared(Job.stub("exit", name="fail"))
    assert await shared(Job.stub(name="pid")) == before[0]
    assert shared.pids == before


async def test_a_result_that_is_no_json_is_refused_with_its_path(shared: ProcessPool) -> None:
    with pytest.raises(InvalidPayloadError, match=r"^\$\.when is a object"):
        await shared(Job.stub(name="return_object"))


async def test_a_process_that_dies_fails_at_most_its_attempt_and_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    async with ProcessPool(handlers.die, size=1) as pool:
        (idle,) = pool.pids
        os.kill(idle, 9)
        await eventually(lambda: not pool.pids)
        died = [idle]
        for how, end in (("killed", "was killed by SIGKILL"), ("exits", "ended with exit code 3")):
            with pytest.raises(ProcessDiedError, match=f"job stub: its process .* {end}") as caught:
                await pool(Job.stub(how))
            died.append(caught.value.pid)
        assert await pool(Job.stub(attempts_made=1)) == "second"
        assert len({*died, *pool.pids}) == 4
    for pid in died:
        assert f"a process of tests.bullworks.bullmq.process_pool.handlers:die has ended: pid {pid}" in caplog.text


async def test_a_cancelled_run_kills_its_process_with_what_that_started(tmp_path: Path) -> None:
    note = tmp_path / "note"
    async with ProcessPool(handlers.note_and_hog, size=1) as pool:
        running = asyncio.ensure_future(pool(Job.stub(str(note))))
        await eventually(note.exists)
        process, program = (int(number) for number in note.read_text().split())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not is_running(process)
        await eventually(lambda: not is_running(program))


async def test_jobs_run_side_by_side_and_more_wait_for_a_free_process(tmp_path: Path) -> None:
    notes = [tmp_path / str(number) for number in range(3)]
    async with ProcessPool(handlers.note_and_wait, size=2) as pool:
        runs = [asyncio.ensure_future(pool(Job.stub(str(note)))) for note in notes]
        await eventually(lambda: notes[0].exists() and notes[1].exists())
        assert not notes[2].exists()
        for note in notes:
            Path(f"{note}.go").touch()
        assert await asyncio.gather(*runs) == ["done"] * 3
    assert len({note.read_text() for note in notes}) == 2


async def test_a_run_that_is_cancelled_while_it_waits_for_a_process_leaves_the_pool_as_it_was(
    shared: ProcessPool, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    first = asyncio.ensure_future(shared(Job.stub(str(note), name="note_and_wait")))
    await eventually(note.exists)
    waiting = asyncio.ensure_future(shared(Job.stub(name="pid")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    Path(f"{note}.go").touch()
    assert await first == "done"
    assert [await shared(Job.stub(name="pid"))] == shared.pids


@pytest.mark.parametrize("name", ["watch", "async_watch"])
async def test_a_handler_that_watches_its_signal_is_told_of_the_cancellation(
    shared: ProcessPool, name: str, tmp_path: Path
) -> None:
    job = Job.stub(str(tmp_path / "note"), name=name)
    running = asyncio.ensure_future(shared(job))
    await eventually((tmp_path / "note").exists)
    await eventually(lambda: job.offer_signal().is_watched)
    job.signal.abort("enough")
    assert await asyncio.wait_for(running, 10) == "told: enough"


async def test_a_job_that_was_cancelled_before_it_was_watched_is_told_at_once(
    shared: ProcessPool, tmp_path: Path
) -> None:
    job = Job.stub(str(tmp_path / "note"), name="watch")
    job.signal.abort(None)
    assert await shared(job) == "told: None"


async def test_what_a_handler_logs_is_logged_by_the_worker_with_its_job(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    async with ProcessPool(handlers.say, size=1) as pool:
        await pool(Job.stub(id="j-1"))
    (said, wrong) = [record for record in caplog.records if record.name == "tests.in_process"]
    facts = said.__dict__
    assert said.getMessage() == "in process one"
    assert (facts["queue"], facts["job_id"], facts["color"]) == ("stub", "j-1", "red")
    assert facts["odd"].startswith("<object object")
    assert said.process != os.getpid()
    assert "ValueError: inner" in (wrong.exc_text or "")
    assert capfd.readouterr().err == "this goes to stderr\n"


async def test_context_variables_do_not_leak_from_one_job_to_the_next(shared: ProcessPool) -> None:
    for name in ("leave_context", "leave_async_context"):
        assert [await shared(Job.stub(name=name, id=str(number))) for number in range(2)] == ["nothing", "nothing"]


async def test_a_job_that_is_used_after_its_handler_has_returned_is_refused(
    shared: ProcessPool, tmp_path: Path
) -> None:
    go = str(tmp_path / "go")
    first = Job.stub("first", name="use_job_late", opts={"job_id": go})
    second = Job.stub(go, name="use_job_late")
    assert await shared(first) == "returned"
    assert await shared(second) == (
        "job.update_progress(): the job's handler has returned, and the process may run another"
    )
    assert (first.progress, second.progress) == (0, 0)


async def test_processes_ignore_what_a_terminal_or_an_init_system_says_to_all(shared: ProcessPool) -> None:
    assert await shared(Job.stub(name="ignore_terminal")) == "alive"


async def test_programs_that_a_handler_starts_do_not_ignore_it(shared: ProcessPool) -> None:
    assert await shared(Job.stub(name="programs_are_terminable")) == -15


@pytest.mark.parametrize("factory", [handlers.make_adder, handlers.make_async_adder])
async def test_a_factory_makes_the_handler_once_in_each_process(factory: Any) -> None:
    async with ProcessPool.of_factory(factory, 10, size=1) as pool:
        assert [await pool(Job.stub(number)) for number in (1, 2)] == [11, 13]


@pytest.mark.parametrize(
    ("module", "size", "reason"),
    [("missing", 2, "ModuleNotFoundError: No module named"), ("broken", 1, "ImportError: the model is missing")],
)
async def test_a_handler_that_a_process_cannot_have_fails_the_start_and_leaves_no_process(
    module: str, size: int, reason: str
) -> None:
    address = f"tests.bullworks.bullmq.process_pool.{module}:x"
    pool = ProcessPool(address, size=size)
    with pytest.raises(ProcessStartError, match=f"no process runs {address}: {reason}"):
        await pool.start()
    assert pool.pids == []
    await pool.close()


async def test_a_factory_that_returns_no_handler_fails_the_start() -> None:
    with pytest.raises(ProcessStartError, match="processor: must be a function of a job, not None"):
        await ProcessPool.of_factory(handlers.make_nothing, size=1).start()


async def test_a_process_that_is_not_ready_in_time_fails_the_start() -> None:
    with pytest.raises(ProcessStartError, match=r"it was not ready within 0\.001 s"):
        await ProcessPool(handlers.pid, size=1, start_timeout=1).start()


async def test_a_process_that_ends_while_it_starts_fails_the_start() -> None:
    with pytest.raises(ProcessStartError, match="it exited with code 4; see its output"):
        await ProcessPool.of_factory("os:_exit", 4, size=1).start()


async def test_closing_ends_all_processes_those_at_work_included(tmp_path: Path) -> None:
    note = tmp_path / "note"
    pool = ProcessPool(handlers.note_and_spin, size=2)
    await pool.start()
    await pool.start()
    pids = pool.pids
    running = asyncio.ensure_future(pool(Job.stub(str(note))))
    await eventually(note.exists)
    assert len(pids) == 2
    await asyncio.wait_for(pool.close(), 5)
    await pool.close()
    assert [pid for pid in pids if is_running(pid)] == []
    with pytest.raises(ProcessDiedError, match="SIGKILL"):
        await running
    with pytest.raises(ProcessStartError, match="its pool is closed"):
        await pool(Job.stub())


async def test_a_pool_that_is_closed_while_it_starts_ends_quietly() -> None:
    pool = ProcessPool(handlers.pid, size=2)
    starting = asyncio.ensure_future(pool.start())
    await asyncio.sleep(0.01)
    await asyncio.wait_for(pool.close(), 5)
    await asyncio.wait_for(starting, 5)
    await pool.start()
    assert pool.pids == []


async def test_a_pool_that_never_started_is_closed() -> None:
    pool = ProcessPool(handlers.pid, size=3)
    await pool.close()
    assert repr(pool) == "<ProcessPool of 3 for tests.bullworks.bullmq.process_pool.handlers:pid>"


async def test_a_process_whose_worker_hangs_up_ends_itself_amid_its_job(tmp_path: Path) -> None:
    """As where there is no life line: the pipes end while the handler computes."""
    note = tmp_path / "note"
    async with ProcessPool(handlers.note_and_spin, size=1) as pool:
        running = asyncio.ensure_future(pool(Job.stub(str(note))))
        await eventually(note.exists)
        pool._children[0].result()._to.close()
        with pytest.raises(ProcessDiedError, match="was killed by SIGKILL"):
            await asyncio.wait_for(running, 10)
