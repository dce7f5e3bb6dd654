"""What every adapter in Python says to the runner, and how it counts: the standard library only.

The runner writes one order a line to stdin, a JSON object; the adapter answers on stdout with lines that begin with
`@bench ` and hold a JSON object with the key `say`. Lines that begin otherwise are somebody's logging.

    hello   once, at the start: `versions` of what matters
    ready   the warm-up is over; measuring begins
    done    `seconds`, `cpu_s`, `rss_mb` and, where jobs were timed, `late_ms`: one number a job

A producer carries out orders until stdin ends. A worker gets one order, `work`, and ends by itself.
"""

import asyncio
import itertools
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

PAYLOAD = {"email": "user@example.com", "subject": "Welcome!", "body": "Thank you for registering"}
PRIORITIES = 1_000  # how many different ones prioritised jobs have
_CHUNK_JOBS = 1_000
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What to do; `warm` jobs come before the `jobs` that count."""

    do: str
    url: str
    queue: str
    jobs: int
    warm: int = 0
    concurrency: int = 1
    keep: bool = False
    handler_ms: int = 0
    gap_ms: int = 0
    prioritised: bool = False
    burn_us: int = 0
    """CPU a handler burns, once the warm-up is over."""
    stays: bool = False
    """A worker goes on until stdin ends, not until all is counted."""


@dataclass(frozen=True, slots=True)
class Producer:
    """How a peer adds: one job with these data and this priority, and a list of them where the peer has a way."""

    add: Callable[[dict[str, Any], int], Awaitable[Any]]
    add_many: Callable[[list[tuple[dict[str, Any], int]]], Awaitable[Any]] | None = None


def say(what: str, **facts: Any) -> None:
    sys.stdout.write("@bench " + json.dumps({"say": what, **facts}) + "\n")
    sys.stdout.flush()


def hello(*packages: str) -> None:
    """Tell the versions of these packages and of the interpreter."""
    say("hello", versions={"python": sys.version.split()[0], **{name: version(name) for name in packages}})


def read_order() -> Order | None:
    """The next order; none when the runner has closed stdin."""
    line = sys.stdin.readline()
    return Order(**json.loads(line)) if line.strip() else None


def cpu_s() -> float:
    """CPU of this process and of its children that have ended."""
    # os.times() counts in steps of 10 ms
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_rss_mb() -> float:
    """The most memory this process has held; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform == "linux" else 1024 * 1024)


class Meter:
    """Counts jobs as handlers start, and tells the runner when counting begins and ends. Threads may share it."""

    def __init__(self, order: Order, finish: Callable[[], None]) -> None:
        self._warm, self._last = order.warm, order.warm + order.jobs
        self._finish = finish
        # next() of it is one step of the interpreter: no lock
        self._numbers = itertools.count(1)
        self._late_ms: list[float] = []
        self._begun_s = time.perf_counter()
        self._begun_cpu_s = cpu_s()

    def job(self, data: dict[str, Any]) -> bool:
        """A handler has started with these data; whether the warm-up is over."""
        number = next(self._numbers)
        sent_ns = data.get("sent_ns")
        if sent_ns is not None:
            self._late_ms.append((time.time_ns() - sent_ns) / 1e6)
        if number == self._warm:
            say("ready")
            self._begun_cpu_s = cpu_s()
            self._begun_s = time.perf_counter()
        elif number == self._last:
            seconds, used_s = time.perf_counter() - self._begun_s, cpu_s() - self._begun_cpu_s
            say("done", seconds=seconds, cpu_s=used_s, rss_mb=peak_rss_mb(), late_ms=self._late_ms)
            self._finish()
        return number > self._warm


def work_async(
    work: Callable[[Order, Callable[[dict[str, Any]], Awaitable[None]], asyncio.Event], Coroutine[Any, Any, None]],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Carry out the one order of a worker; `work` gets a handler and an event that is set when all is counted."""
    order = read_order()
    if order is None:
        return

    async def main() -> None:
        done = asyncio.Event()
        meter = Meter(order, (lambda: None) if order.stays else done.set)
        if order.stays:
            _when_stdin_ends(asyncio.get_running_loop(), done)
        handler_s = order.handler_ms / 1000

        async def handle(data: dict[str, Any]) -> None:
            if meter.job(data) and order.burn_us:
                _burn(order.burn_us)
            if handler_s:
                await asyncio.sleep(handler_s)

        await work(order, handle, done)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


def _when_stdin_ends(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(done.set)

    threading.Thread(target=wait, name="until stdin ends", daemon=True).start()


def _burn(us: int) -> None:
    until_ns = time.thread_time_ns() + us * 1_000
    while time.thread_time_ns() < until_ns:
        pass


def work_in_threads(work: Callable[[Order, Callable[[dict[str, Any]], None]], None]) -> None:
    """The same for a peer whose handlers are plain functions; the process ends as soon as all is counted."""
    order = read_order()
    if order is None:
        return
    ended = threading.Event()
    meter = Meter(order, ended.set)
    handler_s = order.handler_ms / 1000

    def handle(data: dict[str, Any]) -> None:
        meter.job(data)
        if handler_s:
            time.sleep(handler_s)

    # such workers own the main thread and catch signals
    threading.Thread(target=lambda: (ended.wait(), os._exit(0)), daemon=True).start()
    work(order, handle)


def produce(
    connect: Callable[[Order], AbstractAsyncContextManager[Producer]],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Carry out a producer's orders until there are no more."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        while (order := read_order()) is not None:
            runner.run(_carry_out(order, connect))


async def _carry_out(order: Order, connect: Callable[[Order], AbstractAsyncContextManager[Producer]]) -> None:
    steps = {"fill": _fill, "bulk": _fill, "add": _one_by_one, "pace": _paced}
    async with connect(order) as producer:
        step = steps[order.do]
        await step(producer, order, order.warm)
        say("ready")
        begun_s, begun_cpu_s = time.perf_counter(), cpu_s()
        await step(producer, order, order.jobs)
        say("done", seconds=time.perf_counter() - begun_s, cpu_s=cpu_s() - begun_cpu_s, rss_mb=peak_rss_mb())


def _priority(order: Order, number: int) -> int:
    return number % PRIORITIES + 1 if order.prioritised else 0


async def _fill(producer: Producer, order: Order, jobs: int) -> None:
    """As fast as the peer can: in bulk, or else many adds at once."""
    if producer.add_many is not None:
        for begin in range(0, jobs, _CHUNK_JOBS):
            numbers = range(begin, min(begin + _CHUNK_JOBS, jobs))
            await producer.add_many([(PAYLOAD, _priority(order, number)) for number in numbers])
        return
    for begin in range(0, jobs, _AT_ONCE):
        numbers = range(begin, min(begin + _AT_ONCE, jobs))
        await asyncio.gather(*(producer.add(PAYLOAD, _priority(order, number)) for number in numbers))


async def _one_by_one(producer: Producer, order: Order, jobs: int) -> None:
    for number in range(jobs):
        await producer.add(PAYLOAD, _priority(order, number))


async def _paced(producer: Producer, order: Order, jobs: int) -> None:
    """One every `gap_ms`, each with the time at which it was sent; never two at once to catch up."""
    for _ in range(jobs):
        await asyncio.sleep(order.gap_ms / 1000)
        await producer.add({**PAYLOAD, "sent_ns": time.time_ns()}, 0)


def ignore(data: dict[str, Any]) -> None:
    """The function of a producer's task, which never runs."""


def uvloop_loop() -> asyncio.AbstractEventLoop:
    """For the adapters whose environment has it."""
    import uvloop  # the environments of some peers only

    return uvloop.new_event_loop()
