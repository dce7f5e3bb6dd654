"""JobWaits: every order in which an ending, its event and a look at the job can come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bullworks.bullmq import EventsClosedError
from bullworks.bullmq.events import waiting as job_waits
from bullworks.bullmq.events.event_id import BEFORE_ALL, EventId
from bullworks.bullmq.events.waiting import EndingSnapshot, JobEnding, JobWaits
from bullworks.bullmq.wire.event_codec import StreamEvent
from bullworks.redis.errors import ConnectionLostError
from bullworks.redis.server_error import ServerError
from tests.bullworks.waiting import eventually

DONE = JobEnding("completed", b'"done"')
FAILED = JobEnding("failed", b"boom")
GONE = JobEnding("removed", b"")


class Job:
    """A job whose looks are answered by the test, one after the other."""

    def __init__(self, waits: JobWaits) -> None:
        self._answers: asyncio.Queue[EndingSnapshot | Exception] = asyncio.Queue()
        self.looks = 0
        self.waiting = asyncio.create_task(waits.ending("j", self._look))

    async def _look(self, job_id: str) -> EndingSnapshot:
        assert job_id == "j"
        self.looks += 1
        answer = await self._answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until_looking(self, times: int = 1) -> None:
        await eventually(lambda: self.looks == times and self._answers.empty())

    def see(self, ending: JobEnding | None, newest: int = 0) -> None:
        self._answers.put_nowait(EndingSnapshot(ending, EventId(newest, 0)))

    def fail(self, error: Exception) -> None:
        self._answers.put_nowait(error)

    async def has_ended(self) -> JobEnding:
        return await asyncio.wait_for(self.waiting, 5)

    async def still_waits(self) -> bool:
        for _ in range(10):
            await asyncio.sleep(0)
        return not self.waiting.done()


@pytest.fixture
def waits() -> JobWaits:
    return JobWaits("q")


@pytest.fixture
async def job(waits: JobWaits) -> AsyncIterator[Job]:
    job = Job(waits)
    await job.until_looking()
    yield job
    job.waiting.cancel()
    await asyncio.gather(job.waiting, return_exceptions=True)


def told(event_id: int, name: str, value: str = "", job_id: str = "j") -> StreamEvent:
    field = {"completed": b"returnvalue", "failed": b"failedReason"}.get(name, b"prev")
    return StreamEvent(b"%d-0" % event_id, name.encode(), {b"jobId": job_id.encode(), field: value.encode()})


@pytest.mark.parametrize("ending", [DONE, FAILED])
async def test_a_job_that_had_ended_before_needs_no_event(ending: JobEnding, job: Job, waits: JobWaits) -> None:
    job.see(ending)
    assert await job.has_ended() == ending
    assert len(waits) == 0


@pytest.mark.parametrize(
    ("event", "ending"),
    [(told(6, "completed", '"done"'), DONE), (told(6, "failed", "boom"), FAILED), (told(6, "removed"), GONE)],
)
async def test_an_event_after_the_look_ends_the_wait(
    event: StreamEvent, ending: JobEnding, job: Job, waits: JobWaits
) -> None:
    job.see(None, newest=5)
    assert await job.still_waits()
    waits.heard(event)
    assert await job.has_ended() == ending
    assert job.looks == 1


async def test_an_event_that_comes_while_the_look_is_under_way_counts(job: Job, waits: JobWaits) -> None:
    """The look was answered before the job ended, the event overtook the answer."""
    waits.heard(told(6, "completed", '"done"'))
    assert await job.still_waits()
    job.see(None, newest=5)
    assert await job.has_ended() == DONE


async def test_events_from_before_the_look_are_of_an_earlier_life(job: Job, waits: JobWaits) -> None:
    """It had failed, was retried, and is waited for by means of a reader that lags behind."""
    waits.heard(told(3, "failed", "old"))
    job.see(None, newest=5)
    assert await job.still_waits()
    waits.heard(told(4, "failed", "old"))
    waits.heard(told(5, "removed"))
    assert await job.still_waits()
    waits.heard(told(6, "completed", '"done"'))
    assert await job.has_ended() == DONE


async def test_events_of_other_jobs_and_other_kinds_do_not_count(job: Job, waits: JobWaits) -> None:
    job.see(None)
    assert await job.still_waits()
    waits.heard(told(6, "completed", "1", job_id="jj"))
    waits.heard(told(6, "active"))
    waits.heard(StreamEvent(b"6-0", b"completed", {}))
    waits.heard(StreamEvent(b"6-0", b"my-completed", {b"jobId": b"j"}))
    assert await job.still_waits()


async def test_a_missing_job_may_have_an_event_under_way(job: Job, waits: JobWaits) -> None:
    """It completed and was removed at once, and the reader has not come so far."""
    job.see(GONE, newest=6)
    waits.reached(EventId(5, 0), 0)
    assert await job.still_waits()
    waits.heard(told(6, "completed", '"done"'))
    waits.heard(told(7, "removed"))
    waits.reached(EventId(7, 0), 0)
    assert await job.has_ended() == DONE


async def test_a_missing_job_of_which_nothing_was_told_is_gone(job: Job, waits: JobWaits) -> None:
    job.see(GONE, newest=6)
    assert await job.still_waits()
    waits.reached(EventId(6, 0), 0)
    assert await job.has_ended() == GONE


async def test_a_reader_that_is_further_on_is_not_waited_for(waits: JobWaits) -> None:
    waits.reached(EventId(9, 0), 0)
    job = Job(waits)
    job.see(GONE, newest=9)
    assert await job.has_ended() == GONE


@pytest.mark.parametrize(
    "disturb",
    [
        lambda waits: waits.look_again(),
        lambda waits: waits.heard(StreamEvent(b"6-0", b"cleaned", {b"count": b"5"})),
        lambda waits: waits.reached(EventId(6, 0), job_waits.LOOK_EVERY_S + 1),
    ],
    ids=["missed events", "cleaned", "time"],
)
async def test_where_events_do_not_tell_the_job_is_looked_at(
    disturb: Callable[[JobWaits], None], job: Job, waits: JobWaits
) -> None:
    waits.reached(BEFORE_ALL, 0)
    job.see(None, newest=5)
    assert await job.still_waits()
    disturb(waits)
    await job.until_looking(2)
    job.see(FAILED, newest=6)
    assert await job.has_ended() == FAILED


async def test_events_missed_while_it_looks_make_it_look_again(job: Job, waits: JobWaits) -> None:
    waits.look_again()
    job.see(None, newest=5)
    await job.until_looking(2)
    job.see(DONE)
    assert await job.has_ended() == DONE


async def test_a_connection_that_breaks_is_tried_again(job: Job) -> None:
    job.fail(ConnectionLostError("redis://x", "closed"))
    job.fail(ServerError("LOADING Redis is loading the dataset in memory"))
    job.see(DONE)
    assert await job.has_ended() == DONE
    assert job.looks == 3


async def test_one_that_stays_broken_is_told(job: Job, waits: JobWaits) -> None:
    for _ in range(3):
        job.fail(ConnectionLostError("redis://x", "closed"))
    with pytest.raises(ConnectionLostError):
        await job.has_ended()
    assert len(waits) == 0


async def test_an_error_that_will_not_pass_is_told_at_once(job: Job) -> None:
    job.fail(ServerError("WRONGTYPE q:j is a list, not a hash"))
    with pytest.raises(ServerError, match="WRONGTYPE"):
        await job.has_ended()
    assert job.looks == 1


async def test_closing_ends_every_wait(job: Job, waits: JobWaits) -> None:
    job.see(None)
    assert await job.still_waits()
    waits.close()
    with pytest.raises(EventsClosedError, match="closed while job j was waited for"):
        await job.has_ended()
    late = Job(waits)
    with pytest.raises(EventsClosedError):
        await late.has_ended()
    assert late.looks == 0


async def test_closing_ends_the_wait_for_the_reader_too(job: Job, waits: JobWaits) -> None:
    job.see(GONE, newest=6)
    assert await job.still_waits()
    waits.close()
    assert await job.has_ended() == GONE


async def test_who_gives_up_leaves_nothing_behind(job: Job, waits: JobWaits) -> None:
    other = Job(waits)
    await other.until_looking()
    for one in (job, other):
        one.see(None, newest=5)
    assert await job.still_waits()
    assert len(waits) == 2
    job.waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job.waiting
    assert len(waits) == 1
    waits.heard(told(6, "failed", "boom"))
    assert await other.has_ended() == FAILED
    assert len(waits) == 0
