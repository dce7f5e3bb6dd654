"""Chain: guards, interceptors, pipes and filters around the handler of a job, in NestJS's order."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from bullworks.bullmq import (
    DelayedError,
    Duration,
    Job,
    Queue,
    RateLimitError,
    SyncJob,
    WaitingChildrenError,
    WaitingError,
    checked_ms,
)
from bullworks.bullmq.job.job import show_data
from bullworks.core import AnyToken
from bullworks.workers.enhancers.contexts import CallHandler, JobContext
from bullworks.workers.enhancers.errors import EnhancerAnswerError, GuardRefusedError
from bullworks.workers.enhancers.hooks import Hook, Hooks, HookSource
from bullworks.workers.enhancers.verdicts import Complete, Delay, RateLimit
from bullworks.workers.tokens import JOB

Handle = Callable[[], Awaitable[Any]]
OpenRequest = Callable[[Mapping[AnyToken, object]], AbstractAsyncContextManager[None]]

# What says where a job has gone is no error, and no filter's business.
_GONE = (DelayedError, WaitingError, WaitingChildrenError, RateLimitError)


class Chain:
    """The enhancers around one handler. It is made once; a job costs what its enhancers do.

    Args:
        source: the enhancers.
        cls, method: of the handler.
        queue: of the jobs.
        request: opens a job's request, as ModuleRef.request does.
        is_per_job: the host is made for each job, so that a request is needed in any case.
    """

    def __init__(
        self,
        source: HookSource,
        cls: type[Any],
        method: str,
        queue: Queue[Any],
        request: OpenRequest,
        *,
        is_per_job: bool,
    ) -> None:
        self._source = source
        self._cls = cls
        self._method = method
        self._queue = queue
        self._request = request
        self._hooks: Hooks | None = None
        self._is_per_job = is_per_job

    async def prepare(self) -> None:
        """Build what is built once."""
        if not self._source.is_per_request:
            self._hooks = await self._source.hooks()

    async def run(self, job: Job[Any, Any], given: Job[Any, Any] | SyncJob[Any, Any], handle: Handle) -> Any:
        """One attempt; returns or raises what comes of it.

        Args:
            given: the job as its handler gets it.
            handle: runs the handler.
        """
        if self._hooks is not None and not self._is_per_job:
            return await self._attempt(self._hooks, job, handle)
        async with self._request({JOB: given}):
            hooks = self._hooks if self._hooks is not None else await self._source.hooks()
            return await self._attempt(hooks, job, handle)

    async def _attempt(self, hooks: Hooks, job: Job[Any, Any], handle: Handle) -> Any:
        context = JobContext(job, self._cls, self._method)
        try:
            for name, can_activate in hooks.guards:
                verdict = await can_activate(context)
                if verdict is not True:
                    return await self._refused(name, verdict, job)
            last = partial(_through_pipes, hooks.pipes, context, handle) if hooks.pipes else handle
            return await CallHandler(hooks.interceptors, context, last).handle()
        except Exception as error:
            if isinstance(error, _GONE):
                raise
            for caught, name, catch in hooks.filters:
                if isinstance(error, caught):
                    return await self._filtered(name, await catch(error, context), error, job)
            raise

    async def _refused(self, guard: str, verdict: object, job: Job[Any, Any]) -> Any:
        if verdict is False:
            raise GuardRefusedError(guard, job.name, job.queue_name)
        if isinstance(verdict, Complete):
            return verdict.result
        if isinstance(verdict, Delay):
            await self._delay(job, verdict.duration)
        expected = "True, False, Delay(duration) or Complete(result)"
        raise EnhancerAnswerError(f"{guard}.can_activate", repr(verdict), expected)

    async def _filtered(self, name: str, verdict: object, error: Exception, job: Job[Any, Any]) -> Any:
        if verdict is None:
            raise error
        if isinstance(verdict, Exception):
            raise verdict from error
        if isinstance(verdict, Complete):
            return verdict.result
        if isinstance(verdict, Delay):
            await self._delay(job, verdict.duration)
        if isinstance(verdict, RateLimit):
            await self._queue.rate_limit(verdict.duration)
            raise RateLimitError
        expected = "an error, Delay(duration), RateLimit(duration), Complete(result), or None: the error stands"
        raise EnhancerAnswerError(f"{name}.catch", repr(verdict), expected) from error

    async def _delay(self, job: Job[Any, Any], duration: Duration) -> None:
        now_ms = await self._queue.scripts.now_ms()
        await job.move_to_delayed(now_ms + checked_ms("duration", duration))
        raise DelayedError


async def _through_pipes(pipes: tuple[Hook, ...], context: JobContext, handle: Handle) -> Any:
    job = context.job
    given = value = job.data
    for transform in pipes:
        value = await transform(value, context)
    show_data(job, value)
    try:
        return await handle()
    finally:
        if job.data is value:  # not what the handler has stored meanwhile
            show_data(job, given)  # for an interceptor that runs the handler again, and those who hear of the job
