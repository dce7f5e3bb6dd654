"""ProcessPool: runs handlers in processes, so that work that needs the CPU has one of its own."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Self

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.options import checks
from bullworks.bullmq.process_pool.address import address_of
from bullworks.bullmq.process_pool.child import Child
from bullworks.bullmq.process_pool.errors import ProcessStartError
from bullworks.bullmq.process_pool.messages import Setup
from bullworks.bullmq.process_pool.payloads import pickled_types
from bullworks.closing import Closing

log = logging.getLogger(__name__)

# Importing a handler may load models; past it something is stuck.
_START_MS = 60_000
# An idle process has nothing to do but to end.
_END_S = 1.0


class ProcessPool(Closing):
    """A processor for `Worker` whose handler runs in processes, as in `ProcessPool("package.module:resize", size=4)`.

    The handler gets what it would get in the worker: a SyncJob, or, if it is async, a Job; progress, logs, typed data
    and all other methods work. What it logs is logged by the worker. It shares nothing with the worker but what it
    imports. A process that dies, or is killed because its job took too long or was cancelled, fails that attempt only,
    and another takes its place. Its worker starts and closes it; give each worker its own. Processes ignore SIGINT and
    SIGTERM, and end with the worker's process however that ends.

    Args:
        handler: a function at the top of a module, or its address, "package.module:function", if its module is one that
            the worker's process does not import. Also a mapping of handlers by job name, by its address.
        size: how many processes, >= 1; how many jobs at once, too, unless the worker says otherwise.
        start_timeout: for importing the handler's module, ms or a timedelta, default 60 s.

    Raises:
        InvalidOptionError: a process could not find the handler, or an option is out of range.
    """

    def __init__(self, handler: str | Callable[..., Any], *, size: int, start_timeout: Duration = _START_MS) -> None:
        self.size = checks.whole("size", size, 1)
        self._address = address_of(handler)
        self._args: tuple[Any, ...] | None = None
        self._types = pickled_types(None, None)
        self._start_timeout_s = checked_ms("start_timeout", start_timeout, least=1) / 1000
        self._children: dict[int, asyncio.Task[Child]] = {}
        self._free: asyncio.LifoQueue[int] = asyncio.LifoQueue()
        for seat in range(size):
            self._free.put_nowait(seat)
        self._processes: set[Child] = set()
        self._is_closed = False

    @classmethod
    def of_factory(
        cls, factory: str | Callable[..., Any], *args: Any, size: int, start_timeout: Duration = _START_MS
    ) -> Self:
        """Create a pool whose handlers are made in each process, by `factory(*args)`.

        Args:
            factory: as `handler`; sync or async, called once a process.
            args: whatever can be pickled.
        """
        pool = cls(factory, size=size, start_timeout=start_timeout)
        pool._args = args
        return pool

    def __repr__(self) -> str:
        return f"<ProcessPool of {self.size} for {self._address}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    def use_types(self, data_type: Any, result_type: Any) -> None:
        """Have processes decode what jobs hold, and encode what handlers return; its worker does this.

        Raises:
            InvalidOptionError: a process could not import one of the types.
        """
        self._types = pickled_types(data_type, result_type)

    @property
    def pids(self) -> list[int]:
        """The process ids of the ready and busy processes."""
        children = (_ready(task) for task in self._children.values())
        return [child.pid for child in children if child is not None and child.is_alive]

    async def start(self) -> None:
        """Start all processes, and wait until each has found its handler. Repeating does nothing.

        Raises:
            ProcessStartError: one did not; then none is left, and the next call tries again.
        """
        if self._is_closed:
            return
        try:
            await asyncio.gather(*(asyncio.shield(self._child_of(seat)) for seat in range(self.size)))
        except BaseException:
            await self._end_all()
            if not self._is_closed:  # else it is closed while it starts, and they were meant to end
                raise

    async def __call__(self, job: Job) -> Any:
        """Run the handler for a job, once a process is free; returns or raises what it does.

        Cancelling it kills the process.

        Raises:
            ProcessDiedError: the process ended before the handler did.
            ProcessStartError: there was none, and none could be started.
        """
        seat = await self._free.get()
        try:
            child = await asyncio.shield(self._child_of(seat))
            return await child.run(job)
        finally:
            self._replace_dead(seat)
            self._free.put_nowait(seat)

    async def close(self) -> None:
        """End all processes; busy ones are killed. Closing twice, or before starting, is fine."""
        self._is_closed = True
        await self._end_all()

    def _child_of(self, seat: int) -> asyncio.Task[Child]:
        """The seat's process, which may be starting; another where it has ended, or never started."""
        if self._is_closed:
            raise ProcessStartError(self._address, "its pool is closed")
        self._replace_dead(seat)
        task = self._children.get(seat)
        if task is None or (task.done() and _ready(task) is None):
            task = self._children[seat] = self._start_child()
        return task

    def _replace_dead(self, seat: int) -> None:
        child = _ready(self._children.get(seat))
        if child is None or child.is_alive or self._is_closed:
            return
        log.warning(
            "a process of %s has ended: pid %d; it is replaced",
            self._address,
            child.pid,
            extra={"handler": self._address, "pid": child.pid},
        )
        self._children[seat] = self._start_child(child)

    def _start_child(self, dead: Child | None = None) -> asyncio.Task[Child]:
        return asyncio.create_task(self._spawn(dead), name=f"process-start:{self._address}")

    async def _spawn(self, dead: Child | None) -> Child:
        if dead is not None:
            await dead.end()
        setup = Setup(self._address, self._args, logging.getLogger().getEffectiveLevel(), self._types)
        return await Child.spawn(setup, start_timeout_s=self._start_timeout_s, register=self._processes)

    async def _end_all(self) -> None:
        children, self._children = list(self._children.values()), {}
        await asyncio.gather(*(_end(child) for child in children))
        # Those whose start, or whose end, was broken off.
        await asyncio.gather(*(child.end() for child in tuple(self._processes)))


def _ready(task: asyncio.Task[Child] | None) -> Child | None:
    """The process, if it was started."""
    if task is None or not task.done() or task.cancelled() or task.exception() is not None:
        return None
    return task.result()


async def _end(task: asyncio.Task[Child]) -> None:
    task.cancel()
    await asyncio.wait((task,))
    child = _ready(task)
    if child is not None:
        await child.close(_END_S)
