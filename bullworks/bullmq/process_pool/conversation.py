"""Conversation: what a worker and a process say to each other about one run."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from bullworks.bullmq.job.cancel_signal import CancelReason
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.process_pool.failure import Failure
from bullworks.bullmq.process_pool.forwarding import say
from bullworks.bullmq.process_pool.messages import Abort, Answer, Assignment, Call, Ended, Logged, ToProcess, Watch
from bullworks.bullmq.process_pool.remote_job import JobView
from bullworks.tasks import cancel_and_wait


class ProcessPipes(Protocol):
    """The pipes to a child process."""

    async def send(self, message: ToProcess) -> None: ...

    async def receive(self) -> Any: ...


class Conversation:
    """The worker's side of one handler run: calls the job's methods for the process.

    Args:
        run: its number: what has another was said by a thread of an earlier handler.
        job: the worker's own.
    """

    def __init__(self, partner: ProcessPipes, run: int, job: Job) -> None:
        self._partner = partner
        self._run = run
        self._job = job
        self._view = JobView(job)
        self._tasks: set[asyncio.Task[None]] = set()

    async def hold(self) -> Ended | None:
        """Have the process run the handler. Returns how it ended; None if the process died."""
        job = self._job
        signal = job.offer_signal()
        await self._partner.send(
            Assignment(self._run, job.id, job.token, job.prefix, job.queue_name, job.name, self._view.fields),
        )
        try:
            while (message := await self._partner.receive()) is not None:
                if isinstance(message, Logged):
                    say(message.record, job)
                elif message.run != self._run:
                    continue
                elif isinstance(message, Ended):
                    return message
                elif isinstance(message, Call):
                    self._start(self._answer(message))
                elif isinstance(message, Watch):
                    signal.is_watched = True
                    signal.add_callback(self._abort)
            return None
        finally:
            signal.remove_callback(self._abort)
            await cancel_and_wait(*self._tasks)

    def _abort(self, reason: CancelReason) -> None:
        self._start(self._tell_of(reason))

    def _start(self, saying: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(saying, name=f"process-call:{self._job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, call: Call) -> None:
        result, failure = None, None
        try:
            result = await getattr(self._job, call.method)(*call.args, **call.kwargs)
        except Exception as error:  # noqa: BLE001 - it is the handler's to see
            failure = Failure.of(error)
        state = self._view.news()
        try:
            await self._partner.send(Answer(call.number, result, failure, state))
        except Exception as error:  # noqa: BLE001 - pickle raises what it likes
            await self._partner.send(Answer(call.number, None, Failure.of(error), state))

    async def _tell_of(self, reason: CancelReason) -> None:
        try:
            await self._partner.send(Abort(self._run, reason))
        except Exception:  # noqa: BLE001 - as above
            await self._partner.send(Abort(self._run, str(reason)))
