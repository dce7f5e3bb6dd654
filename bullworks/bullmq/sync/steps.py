"""SyncJobSteps: steps for handlers in threads; what a step calls runs in the handler's own thread."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, Generic, TypeVar, TypeVarTuple

from bullworks.bullmq.durations import Duration
from bullworks.bullmq.job.fields import D, R
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.options import checks
from bullworks.bullmq.steps.errors import StepError
from bullworks.bullmq.steps.journal import type_of
from bullworks.bullmq.sync.loop import call
from bullworks.bullmq.wire.step_codec import FINISHED, StepMark, position_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SyncJobSteps(Generic[D, R]):
    """Blocking versions of Job's steps, as a base of SyncJob."""

    __slots__ = ()

    _job: Job[D, R]
    _loop: asyncio.AbstractEventLoop

    @property
    def steps(self) -> list[StepMark]:
        return self._job.steps

    def step(self, name: str, fn: Callable[[*Ts], T], *args: *Ts, result_type: Any = None) -> T:
        """Call a plain function in this thread and keep what it returns, blocking; see Job.step."""
        types, journal = type_of(result_type), self._job.journal
        found = journal.begin("step", name)
        if found is not None:
            done: T = journal.decode(name, found.value, types)
            return done
        value = fn(*args)
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()
            raise StepError(self._job.id, name, "is async, and its handler is not: give it a plain function")
        encoded = journal.encode(name, value, types)
        self._step_call(self._job.store_mark(*journal.next_mark("step", name, encoded)))
        kept: T = journal.decode(name, encoded, types)
        return kept

    def cursor(self, name: str, items: Iterable[T] | Callable[[int], Iterable[T]], *, every: int = 1) -> Iterator[T]:
        """Go through `items` and remember how far, blocking; see Job.cursor."""
        checks.whole("every", every, 1)
        journal = self._job.journal
        done, is_over = position_of(journal.begin("cursor", name))
        if is_over:
            return
        skipped = 0 if callable(items) else done
        for item in items(done) if callable(items) else items:
            if skipped:
                skipped -= 1
                continue
            yield item
            done += 1
            if done % every == 0:
                self._step_call(self._job.store_mark(*journal.next_mark("cursor", name, b"%d" % done)))
        self._step_call(self._job.store_mark(*journal.next_mark("cursor", name, b"%d" % done + FINISHED)))

    def sleep(self, name: str, duration: Duration) -> None:
        """Put the job off, and raise DelayedError, blocking; see Job.sleep."""
        self._step_call(self._job.sleep(name, duration))

    def wait_for(self, signal: str, *, timeout: Duration | None = None, data_type: Any = None) -> Any:
        """Wait for a signal with no slot held, blocking; see Job.wait_for."""
        return self._step_call(self._job.wait_for(signal, timeout=timeout, data_type=data_type))

    def retry_from(self, step: str) -> None:
        """Run the job again from a step on, blocking; see Job.retry_from."""
        self._step_call(self._job.retry_from(step))

    def _step_call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return call(coroutine, self._loop)
