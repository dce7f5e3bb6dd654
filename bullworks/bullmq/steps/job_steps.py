"""JobSteps: what a handler does once, however often its job is tried, and what it waits for in between."""

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar, TypeVarTuple, overload

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.errors import DelayedError
from bullworks.bullmq.job.fields import D, R
from bullworks.bullmq.job.moves import JobMoves
from bullworks.bullmq.options import checks
from bullworks.bullmq.steps.errors import SignalTimeoutError
from bullworks.bullmq.steps.journal import StepJournal, type_of
from bullworks.bullmq.wire.payload_type import PayloadType
from bullworks.bullmq.wire.step_codec import (
    FINISHED,
    TIMED_OUT,
    StepKind,
    StepMark,
    decode_marks,
    mark_field,
    position_of,
    signal_field,
)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Items = Iterable[T] | AsyncIterable[T]

# What a wait holds whose signal was there before it.
_WAS_THERE = b"kept"


class JobSteps(JobMoves[D, R]):
    """The methods of Job by which its handler remembers. All need the job's lock, and raise as JobMoves does, and:

    StepError: a name is used twice in a run, or is too long, or there are too many, or what a step came to cannot
        be kept.
    """

    __slots__ = ()

    @property
    def journal(self) -> StepJournal:
        """The steps of this run."""
        if self._journal is None:
            self._journal = StepJournal(self.id, self._fields)
        return self._journal

    @property
    def steps(self) -> list[StepMark]:
        """The steps, cursors, sleeps and waits that the job is known to have come to, in order, as of the last read."""
        return list(decode_marks(self._fields).values())

    @overload
    async def step(self, name: str, fn: Callable[[*Ts], Awaitable[T]], *args: *Ts, result_type: Any = None) -> T: ...

    @overload
    async def step(self, name: str, fn: Callable[[*Ts], T], *args: *Ts, result_type: Any = None) -> T: ...

    async def step(self, name: str, fn: Callable[[*Ts], Any], *args: *Ts, result_type: Any = None) -> Any:
        """Call `fn(*args)` and keep what it returns; an attempt that comes here again gets that, without the call.

        At least once: after a crash between the call and its checkpoint it is called again. Once this has returned,
        never, unless somebody retries the job from here or from an earlier step.

        Args:
            name: of the step, 1 .. 200 characters, once in a run. Steps go by name, so code may change around them.
            fn: a coroutine function, or a plain one, which runs on the event loop.
            result_type: what it returns, as Queue's `result_type`; default: any JSON, at most 64 KiB. The first run
                gets it as later ones do: decoded.
        """
        types = type_of(result_type)
        found = self.journal.begin("step", name)
        if found is not None:
            return self.journal.decode(name, found.value, types)
        value = fn(*args)
        if inspect.isawaitable(value):
            value = await value
        return await self._keep_result(name, value, types)

    async def cursor(
        self, name: str, items: Items[T] | Callable[[int], Items[T]], *, every: int = 1
    ) -> AsyncIterator[T]:
        """Go through `items`, and remember how far: the next attempt goes on behind the last item that was done.

        An item is done when the next one is asked for. At least once: up to `every` items may come again after a crash.
        `break` leaves the item at hand undone.

        Args:
            name: as of `step`.
            items: in the same order in each attempt: done ones are skipped. Or a function that returns them, given how
                many to leave out.
            every: how many items one checkpoint is for, >= 1. Each is a trip to Redis.
        """
        checks.whole("every", every, 1)
        done, is_over = position_of(self.journal.begin("cursor", name))
        if is_over:
            return
        skipped = 0 if callable(items) else done
        async for item in _each(items(done) if callable(items) else items):
            if skipped:
                skipped -= 1
                continue
            yield item
            done += 1
            if done % every == 0:
                await self._keep("cursor", name, b"%d" % done)
        await self._keep("cursor", name, b"%d" % done + FINISHED)

    async def sleep(self, name: str, duration: Duration) -> None:
        """Put the job off for `duration`, with no slot held and no attempt spent; the next run goes on behind this.

        It raises DelayedError, which the handler must let pass. `promote()` ends the sleep, Node's too.

        Args:
            name: as of `step`.
            duration: ms or a timedelta; of Redis's clock.
        """
        duration_ms = checked_ms("duration", duration)
        if self.journal.begin("sleep", name) is None:
            await self.suspend(mark_field("sleep", name), self.journal.next_number, duration_ms)
            raise DelayedError(f"the job sleeps: {name}")

    async def wait_for(self, signal: str, *, timeout: Duration | None = None, data_type: Any = None) -> Any:
        """Wait for `queue.signal(job_id, signal, data)`, with no slot held and no attempt spent; returns the data.

        A signal that came before is not missed. Until it comes this raises DelayedError, which the handler must let
        pass. The wait survives restarts; a job that is promoted without its signal waits on.

        Args:
            signal: its name, 1 .. 200 characters; used once in a run, as the name of a step.
            timeout: how long at most, ms or a timedelta, from the first time on; None for ever.
            data_type: what the data is, as Queue's `data_type`; default: any JSON.

        Raises:
            SignalTimeoutError: it did not come in time. So it stays: a signal that comes then is refused as late.
        """
        timeout_ms = None if timeout is None else checked_ms("timeout", timeout)
        types, field = type_of(data_type), signal_field(signal)
        found = self.journal.begin("wait", signal)
        if found is not None and found.value == TIMED_OUT:
            raise SignalTimeoutError(self.id, signal)
        if self.stored(field) is None:
            mark = mark_field("wait", signal)
            number = self.journal.next_number if found is None else found.number
            if await self.suspend(mark, number, timeout_ms, signal=field):
                raise DelayedError(f"the job waits for its signal {signal}")
        data = self.stored(field)
        if data is None:
            raise SignalTimeoutError(self.id, signal)
        if found is None:
            await self._keep("wait", signal, _WAS_THERE)
        return self.journal.decode(signal, data, types)

    async def _keep_result(self, name: str, value: Any, types: PayloadType[Any] | None) -> Any:
        encoded = self.journal.encode(name, value, types)
        await self._keep("step", name, encoded)
        return self.journal.decode(name, encoded, types)

    async def _keep(self, kind: StepKind, name: str, value: bytes) -> None:
        await self.store_mark(*self.journal.next_mark(kind, name, value))


async def _each(items: Items[T]) -> AsyncIterator[T]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
