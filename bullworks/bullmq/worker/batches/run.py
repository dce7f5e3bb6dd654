"""BatchRun: one call of a handler with many jobs, and what came of each."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from types import TracebackType
from typing import Any

from bullworks.bullmq.errors import BatchOutcomesError, JobTimeoutError
from bullworks.bullmq.job.job import Job


class Seat:
    """One job's part in a batch, from when it joins until its outcome is known or it has left.

    Attributes:
        settled: done once the outcome is known.
        run: the call that it takes part in; None: that has not begun.
    """

    __slots__ = ("_error", "_result", "_traceback", "job", "run", "settled")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.run: BatchRun | None = None
        self._result: Any = None
        self._error: BaseException | None = None
        self._traceback: TracebackType | None = None

    def settle(self, outcome: Any) -> None:
        """Set what came of the job: an exception means that it failed with it. One that has left is passed over."""
        if self.settled.done():
            return
        if isinstance(outcome, BaseException):
            self._error, self._traceback = outcome, outcome.__traceback__
        else:
            self._result = outcome
        self.settled.set_result(None)

    def outcome(self) -> Any:
        """Return the job's result, or raise the error with which it failed."""
        if self._error is not None:
            # Many jobs may fail with one error: each shows where it was raised, and not the way of the others.
            raise self._error.with_traceback(self._traceback)
        return self._result


class BatchRun:
    """A running call of a handler; the handler is cancelled once all its jobs have left.

    Args:
        seats: of its jobs, in order.
        call: calls the handler with them.
        ended: told once the handler has ended and nobody's part is open any more.
        places: how many of the worker's places it takes.

    Attributes:
        open_jobs: those whose attempts go on.
    """

    def __init__(
        self,
        seats: Sequence[Seat],
        call: "Callable[[BatchRun], Coroutine[Any, Any, None]]",
        ended: "Callable[[BatchRun], None]",
        *,
        places: int,
    ) -> None:
        self.seats = seats
        self.places = places
        self.open_jobs = {seat.job for seat in seats}
        self._call = call
        self._ended = ended
        self._staying = len(seats)
        self._is_stopped = False
        self._is_over = False
        self.task: asyncio.Task[None] | None = None
        for seat in seats:
            seat.run = self

    @property
    def jobs(self) -> list[Job]:
        """The jobs that the handler is called with."""
        return [seat.job for seat in self.seats]

    def start(self, name: str, context: Context) -> None:
        """Call the handler in a task of its own."""
        self.task = asyncio.get_running_loop().create_task(self._call(self), name=name, context=context)
        self.task.add_done_callback(lambda _: self._look())

    def settle_all(self, returned: object) -> None:
        """Set what came of each job.

        Args:
            returned: of the handler: None means that all have completed with no result; a list has a result or an
                exception for each. An exception means that all have failed with it.
        """
        jobs = len(self.seats)
        if returned is None or isinstance(returned, BaseException):
            outcomes: Sequence[Any] = [returned] * jobs
        elif isinstance(returned, list | tuple) and len(returned) == jobs:
            outcomes = returned
        else:
            outcomes = [BatchOutcomesError(jobs, _described(returned))] * jobs
        for seat, outcome in zip(self.seats, outcomes, strict=True):
            seat.settle(outcome)

    def time_out(self, timeout_ms: int) -> None:
        """Fail each job: the handler took longer than it may."""
        for seat in self.seats:
            seat.settle(JobTimeoutError(seat.job.id, timeout_ms))

    def close_job(self, job: Job) -> None:
        """The job's attempt is over, or it joins another batch."""
        self.open_jobs.discard(job)
        self._look()

    async def leave(self, *, can_stop: bool) -> None:
        """A job leaves; the last one has the handler stopped, and waits for its end as others that left just now do."""
        self._staying -= 1
        # Where all are cancelled at once, as when a worker closes, none is handed back before the handler has ended.
        await asyncio.sleep(0)
        if self._staying == 0 and can_stop and self.task is not None:
            if not self._is_stopped:
                self._is_stopped = True
                self.task.cancel()
            await asyncio.wait((self.task,))

    def _look(self) -> None:
        if not self._is_over and not self.open_jobs and self.task is not None and self.task.done():
            self._is_over = True
            self._ended(self)


def _described(returned: object) -> str:
    if isinstance(returned, list | tuple):
        return f"a {type(returned).__name__} of {len(returned)}"
    return f"{returned!r:.80}"
