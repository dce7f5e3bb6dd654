"""Locks under faults: no two hold one at a time while both may believe so, and no fence falls.

The faults are drawn; a failing run is drawn again with LOCK_SEED, and goes on for longer with LOCK_SECONDS.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from bullworks.locks.lock_scripts import ACQUIRE, EXTEND, RELEASE
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.lock_history import Hold, Write, holds_of, problems_of, writes_of
from tests.bullworks.reliability.lock_process import LockProcess
from tests.bullworks.reliability.proxy import FaultProxy, runs
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

PROCESSES = 3

Fault = Callable[[], Awaitable[None]]


@dataclass
class Party:
    """The processes that want the lock.

    Args:
        url: of the server, or of the proxy before it.
        folder: for what they note.
        seed: of what they do.
        plant: a mistake, see LockProcess.
    """

    url: str
    folder: Path
    seed: int
    plant: str | None = None
    processes: list[LockProcess] = field(default_factory=list)
    started: int = 0

    @property
    def ledger(self) -> Ledger:
        """What they noted so far."""
        return Ledger(self.folder / "ledger")

    def start(self) -> None:
        """One more."""
        self.started += 1
        seed = self.seed * 100 + self.started
        self.processes.append(LockProcess(self.url, self.folder, "protected", seed=seed, plant=self.plant))

    async def __aenter__(self) -> Self:
        for _ in range(PROCESSES):
            self.start()
        await self.is_whole()
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()

    async def is_whole(self) -> None:
        """Until all that were started have connected: a process whose first connection breaks ends."""
        await eventually(lambda: len(self.ledger.ids("ready")) == self.started, within_s=30, what=self.log())

    async def goes_round(self) -> None:
        """Until every process could have had the lock once more: nothing is stuck."""
        before = len(self.ledger.ids("granted"))
        await eventually(lambda: len(self.ledger.ids("granted")) >= before + PROCESSES, within_s=15, what=self.log())
        assert all(process.process.poll() is None for process in self.processes), self.log()

    def log(self) -> str:
        """The ends of what they printed."""
        return "\n".join(process.log[-1_000:] for process in self.processes)


@pytest.fixture
def seed() -> int:
    """Printed, so that a failure shows it."""
    seed = int(os.environ.get("LOCK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    print(f"LOCK_SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    return seed


class Faults:
    """What is done to the processes, the way to Redis and Redis itself."""

    def __init__(self, draw: random.Random, proxy: FaultProxy, server: RedisServer, party: Party) -> None:
        self._draw = draw
        self._proxy = proxy
        self._server = server
        self._party = party
        self.done: Counter[str] = Counter()

    async def cut(self) -> None:
        """All connections break."""
        self._proxy.cut()

    async def lose_replies(self) -> None:
        """Redis does it, and nobody hears of it."""
        for script in (ACQUIRE, RELEASE, EXTEND):
            self._proxy.lose_reply(runs(script.sha), times=self._draw.randint(0, 2))

    async def delay(self) -> None:
        """Everything takes longer than some leases last."""
        self._proxy.delay_s = self._draw.choice((0.02, 0.06))
        await asyncio.sleep(0.3)
        self._proxy.delay_s = 0.0

    async def black_hole(self) -> None:
        """Nothing comes through, and then everything at once."""
        self._proxy.black_hole()
        await asyncio.sleep(self._draw.uniform(0.05, 0.5))
        self._proxy.heal()

    async def pause(self) -> None:
        """A process stands still, also while it holds the lock."""
        process = self._draw.choice(self._party.processes)
        process.pause()
        await asyncio.sleep(self._draw.uniform(0.1, 0.6))
        process.resume()

    async def kill(self) -> None:
        """A process is gone, also while it holds the lock or waits for it; another comes."""
        process = self._draw.choice(self._party.processes)
        self._party.processes.remove(process)
        process.kill()
        self._party.start()
        await self._party.is_whole()

    async def restart(self) -> None:
        """Redis is killed, and comes back with what it had acknowledged."""
        self._server.kill()
        await asyncio.to_thread(self._server.start)

    async def run(self, for_s: float) -> None:
        """Faults one after the other, each kind at least once."""
        kinds: list[Fault] = [self.cut, self.lose_replies, self.delay, self.black_hole, self.pause, self.kill]
        kinds.append(self.restart)
        self._draw.shuffle(kinds)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + for_s
        while loop.time() < until_s or kinds:
            fault = kinds.pop() if kinds else self._draw.choice((self.cut, self.lose_replies, self.pause))
            self.done[fault.__name__] += 1
            await fault()
            await asyncio.sleep(self._draw.uniform(0.05, 0.4))


@pytest.mark.timeout(90)
async def test_no_two_hold_the_lock_and_no_fence_falls_whatever_breaks(
    own_server: RedisServer, proxy: FaultProxy, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    async with Party(proxy.url, tmp_path, seed) as party:
        faults = Faults(draw, proxy, own_server, party)
        await faults.run(for_s=int(os.environ.get("LOCK_SECONDS", "3")))
        await party.goes_round()
    holds, writes = holds_of(party.ledger), writes_of(party.ledger)
    refused = sum(not write.accepted for write in writes)
    print(f"{len(holds)} holds, {len(writes)} writes, {refused} refused, {dict(faults.done)}")  # noqa: T201 - as above
    assert problems_of(holds, writes) == []
    assert len(holds) > PROCESSES


@pytest.mark.timeout(90)
async def test_a_release_that_deletes_whatever_is_there_is_found(
    own_server: RedisServer, tmp_path: Path, seed: int
) -> None:
    """A planted mistake, the usual one: who comes too late deletes another's lock, and a third gets in."""
    async with Party(own_server.url, tmp_path, seed, plant="del") as party:
        await eventually(
            lambda: any("both held it" in problem for problem in problems_of(holds_of(party.ledger))),
            within_s=20,
            what="an overlap",
        )


@pytest.mark.timeout(90)
async def test_redis_that_lost_everything_still_gives_higher_fences(tmp_path: Path, seed: int) -> None:
    """Without persistence a restart frees every lock, so two may hold one; what it protects still knows who is late."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with RedisServer(folder) as server:
        async with Party(server.url, tmp_path, seed) as party:
            for _ in range(3):
                await party.goes_round()
                server.kill()
                await asyncio.to_thread(server.start)
            await party.goes_round()
    problems = problems_of(holds_of(party.ledger), writes_of(party.ledger))
    assert [problem for problem in problems if "both held it" not in problem] == []


# The checker itself.


def test_holds_one_after_the_other_are_fine() -> None:
    holds = [Hold("a", 1, 0.0, 1.0), Hold("b", 2, 1.0, 2.0), Hold("a", 5, 2.5, 3.0)]
    assert problems_of(holds, [Write(1, True), Write(2, True), Write(1, False), Write(5, True)]) == []


def test_an_overlap_is_found_also_with_one_that_began_long_ago() -> None:
    holds = [Hold("a", 1, 0.0, 9.0), Hold("b", 2, 9.0, 9.1), Hold("c", 3, 8.0, 8.1)]
    assert problems_of(holds) == ["a and c both held it for 100.0 ms", "the fence 2 came after 3"]


@pytest.mark.parametrize(
    ("fences", "problem"), [((2, 1), "the fence 1 came after 2"), ((1, 1), "the fence 1 was given twice")]
)
def test_a_fence_that_does_not_grow_is_found(fences: tuple[int, int], problem: str) -> None:
    holds = [Hold("a", fences[0], 0.0, 1.0), Hold("b", fences[1], 1.0, 2.0)]
    assert problem in problems_of(holds)


def test_who_learnt_of_its_lock_too_late_to_believe_in_it_overlaps_nobody() -> None:
    assert problems_of([Hold("a", 1, 3.0, 1.0), Hold("b", 2, 2.0, 4.0)]) == []


def test_a_late_write_that_was_taken_is_found() -> None:
    assert problems_of([], [Write(2, True), Write(1, True)]) == ["a write with the fence 1 came after one with 2"]


def test_the_ledger_s_lines_become_holds(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    for what, line in [
        ("granted", '["a", 1, 10.0]'),
        ("until", '["a", 1, 10.5]'),
        ("accepted", "1"),
        ("until", '["a", 1, 11.0]'),
        ("ended", '["a", 1, 12.0]'),
        ("granted", '["b", 2, 12.5]'),
        ("until", '["b", 2, 13.0]'),
        ("refused", "1"),
        ("ended", '["b", 2, 12.7]'),
    ]:
        ledger.note(what, line)
    ledger.close()
    assert holds_of(ledger) == [Hold("a", 1, 10.0, 11.0), Hold("b", 2, 12.5, 12.7)]
    assert writes_of(ledger) == [Write(1, True), Write(1, False)]
