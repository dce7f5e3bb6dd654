"""What guards, interceptors, pipes and filters cost a job, in processor time, without Redis.

A handler that returns at once is called as a worker's slot calls it: bare, and with several of a kind around it. The
same of what adds jobs, where storing returns at once; the first has the price of the call in it, however many jobs it
adds. With none there is nothing to measure: the worker calls the very method, which is checked here, and a queue's
`adding` is None.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, NamedTuple, cast

from bullworks.bullmq import Job, JobToAdd, Queue
from bullworks.core import ModuleRef
from bullworks.testing import QueueHarness
from bullworks.workers import AddContext, CallHandler, JobContext, WorkerHost, catch, processor
from bullworks.workers.enhancers.adding import AddPlaces, AddSide
from bullworks.workers.enhancers.enhancing import Enhancing
from bullworks.workers.enhancers.kinds import FILTER, GUARD, INTERCEPTOR, PIPE, Kind
from bullworks.workers.enhancers.placing import Placed
from bullworks.workers.processor import PROCESSOR

LIMIT_US = 2.0
"""What one enhancer may cost a job."""
_AROUND = 10


@catch()
class Passing:
    """All four kinds at once, none of which does anything."""

    async def can_activate(self, _context: JobContext) -> bool:
        return True

    async def intercept(self, _context: JobContext, call: CallHandler) -> Any:
        return await call.handle()

    async def transform(self, value: Any, _context: JobContext) -> Any:
        return value

    async def catch(self, error: Exception, _context: JobContext) -> None: ...

    async def can_add(self, _context: AddContext) -> bool:
        return True

    async def intercept_add(self, _contexts: Sequence[AddContext], call: CallHandler) -> None:
        await call.handle()

    async def transform_add(self, value: Any, _context: AddContext) -> Any:
        return value

    async def catch_add(self, error: Exception, _contexts: Sequence[AddContext]) -> None: ...


@processor("bench")
class Handler(WorkerHost):
    async def process(self, _job: Job) -> Any:
        return None


class Cost(NamedTuple):
    """Processor time of one job, microseconds."""

    side: str
    kind: str
    first_us: float
    each_us: float


def _places(kind: Kind, count: int) -> list[Placed]:
    return [Placed(kind, "Passing", Passing(), None) for _ in range(count)]


async def _process(kind: Kind, count: int, queue: Queue[Any]) -> Callable[[], Awaitable[Any]]:
    def no_request(_: object) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    handle = Handler().process
    places = _places(kind, count)
    handler: Any = await Enhancing(Handler, vars(Handler)[PROCESSOR], lambda _: places, queue, no_request).around(
        handle
    )
    if not places and handler is not handle:
        raise AssertionError("with no enhancers the worker is to call the very method")
    job: Job[Any, Any] = Job.stub({"n": 1})
    return lambda: handler(job)


async def _add(kind: Kind, count: int, _: Queue[Any]) -> Callable[[], Awaitable[Any]]:
    async def store() -> None: ...

    if not count:
        return store
    side = AddSide(lambda: AddPlaces(_places(kind, count), {}), cast(ModuleRef, None))
    jobs = [JobToAdd("bench", "x", {"n": 1}, {})]
    return lambda: side.around(jobs, store)


async def _us(call: Callable[[], Awaitable[Any]], calls: int, rounds: int) -> float:
    """Of one call; the median of some rounds."""
    taken = []
    for _ in range(rounds):
        before = time.process_time()
        for _ in range(calls):
            await call()
        taken.append((time.process_time() - before) / calls * 1e6)
    return statistics.median(taken)


async def measure(calls: int, rounds: int) -> list[Cost]:
    """All kinds on both sides: the first of a kind, and each further one."""
    costs = []
    async with QueueHarness("bench") as harness:
        for side, make in (("process", _process), ("add", _add)):
            for kind in (GUARD, INTERCEPTOR, PIPE, FILTER):
                bare, one, more = [
                    await _us(await make(kind, count, harness.queue), calls, rounds) for count in (0, 1, _AROUND)
                ]
                costs.append(Cost(side, kind.name, one - bare, (more - one) / (_AROUND - 1)))
    return costs


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--calls", type=int, default=20_000, help="jobs a round")
    arguments.add_argument("--rounds", type=int, default=7)
    given = arguments.parse_args()
    print("side      kind          the first, us   each further, us")
    for cost in asyncio.run(measure(given.calls, given.rounds)):
        over = "" if cost.each_us < LIMIT_US else f"   over {LIMIT_US} us"
        print(f"{cost.side:<9} {cost.kind:<12} {cost.first_us:>14.2f} {cost.each_us:>18.2f}{over}")


if __name__ == "__main__":
    main()
