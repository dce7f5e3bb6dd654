"""Random histories of a queue on a real server: each job is always where it should be, and nowhere else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bullworks.bullmq import JobLockedError, JobStateError, Queue
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.bullmq.keyspace import Keyspace

T = TypeVar("T")

PLACES = ("wait", "prioritized", "delayed", "active", "completed", "failed", "paused", "waiting-children")
STATES = {"waiting": "wait"}
NOT_JOBS = {"id", "meta", "events", "marker", "pc", *PLACES}
picks = st.integers(0, 1000)


class History(RuleBasedStateMachine):
    """A user's and a worker's doings, and, beside them, where each job must then be."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._queue: Queue = Queue("q", connection=url, prefix=f"history-{uuid.uuid4().hex[:8]}")
        self._keyspace = Keyspace(self._queue)
        self._hand = HandWorker(self._queue)
        self._is_paused = False
        self._where: dict[str, str] = {}
        self._opts: dict[str, dict[str, Any]] = {}
        self._held: str | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(10):
                return await coroutine

        return self._runner.run(bounded())

    def pick(self, number: int) -> str:
        return sorted(self._where)[number % len(self._where)]

    def line_of(self, job_id: str) -> str:
        return "prioritized" if self._opts[job_id].get("priority") else "waiting"

    @initialize()
    def start(self) -> None:
        self.run(self._queue.wait_until_ready())

    @rule(
        opts=st.fixed_dictionaries(
            {},
            optional={"priority": st.integers(0, 3), "delay": st.sampled_from([0, 10_000_000]), "lifo": st.booleans()},
        )
    )
    def add(self, opts: dict[str, Any]) -> None:
        job = self.run(self._queue.add("a", None, **opts))
        assert job.id not in self._where
        self._opts[job.id] = opts
        self._where[job.id] = "delayed" if opts.get("delay") else self.line_of(job.id)

    @precondition(lambda self: self._held is None)
    @rule()
    def take(self) -> None:
        ready = {job_id for job_id, state in self._where.items() if state in {"waiting", "prioritized"}}
        # A worker that slept took the marker as it woke.
        self.run(self._keyspace.command("ZPOPMIN", self._keyspace.key("marker")))
        taken = self.run(self._hand.take())
        assert (taken is None) == (self._is_paused or not ready)
        if taken is not None:
            assert taken in ready
            # What has no priority goes first, and then the lowest number.
            assert self.rank(taken) == min(self.rank(job_id) for job_id in ready)
            self._held, self._where[taken] = taken, "active"

    def rank(self, job_id: str) -> int:
        return int(self._opts[job_id].get("priority", 0))

    @precondition(lambda self: self._held is not None)
    @rule(succeeds=st.booleans())
    def finish(self, succeeds: bool) -> None:
        assert self._held is not None
        self.run(self._hand.complete({"ok": True}) if succeeds else self._hand.fail())
        self._where[self._held] = "completed" if succeeds else "failed"
        self._held = None

    @precondition(lambda self: self._where)
    @rule(number=picks, state=st.sampled_from(["failed", "completed"]))
    def retry(self, number: int, state: Any) -> None:
        job = self.run(self._queue.get_job(self.pick(number)))
        assert job is not None
        try:
            self.run(job.retry(state))
        except JobStateError:
            assert self._where[job.id] != state
        else:
            assert self._where[job.id] == state
            self._where[job.id] = self.line_of(job.id)

    @precondition(lambda self: self._where)
    @rule(number=picks)
    def promote(self, number: int) -> None:
        job = self.run(self._queue.get_job(self.pick(number)))
        assert job is not None
        try:
            self.run(job.promote())
        except JobStateError:
            assert self._where[job.id] != "delayed"
        else:
            assert self._where[job.id] == "delayed"
            self._where[job.id] = self.line_of(job.id)

    @precondition(lambda self: self._where)
    @rule(number=picks)
    def remove(self, number: int) -> None:
        job = self.run(self._queue.get_job(self.pick(number)))
        assert job is not None
        try:
            self.run(job.remove())
        except JobLockedError:
            assert job.id == self._held
        else:
            assert job.id != self._held
            del self._where[job.id]

    @rule(
        state=st.sampled_from(["waiting", "prioritized", "delayed", "active", "completed", "failed"]),
        limit=st.integers(0, 3),
    )
    def clean(self, state: Any, limit: int) -> None:
        removed = self.run(self._queue.clean(0, state, limit))
        there = {job_id for job_id, place in self._where.items() if place == state and job_id != self._held}
        assert set(removed) <= there
        assert len(removed) == min(limit or len(there), len(there))
        for job_id in removed:
            del self._where[job_id]

    @rule(delayed=st.booleans())
    def drain(self, delayed: bool) -> None:
        self.run(self._queue.drain(delayed))
        drained = {"waiting", "prioritized", "delayed"} if delayed else {"waiting", "prioritized"}
        self._where = {job_id: state for job_id, state in self._where.items() if state not in drained}

    @rule(state=st.sampled_from(["failed", "completed"]))
    def retry_all(self, state: Any) -> None:
        there = [job_id for job_id, place in self._where.items() if place == state]
        assert self.run(self._queue.retry_jobs(state)) == len(there)
        for job_id in there:
            self._where[job_id] = self.line_of(job_id)

    @rule()
    def pause(self) -> None:
        self.run(self._queue.pause())
        self._is_paused = True

    @rule()
    def resume(self) -> None:
        self.run(self._queue.resume())
        self._is_paused = False

    @invariant()
    def each_job_is_in_one_place_and_nothing_is_left_of_the_others(self) -> None:
        self.run(self._look())

    async def _look(self) -> None:
        expected: dict[str, set[str]] = {place: set() for place in PLACES}
        for job_id, state in self._where.items():
            expected[STATES.get(state, state)].add(job_id)
        places = await asyncio.gather(*(self._keyspace.ids(place) for place in PLACES))
        for place, ids in zip(PLACES, places, strict=True):
            assert len(ids) == len(set(ids)), place
            assert set(ids) == expected[place], place
        locks = {f"{self._held}:lock"} if self._held else set()
        assert set(await self._keyspace.keys()) - NOT_JOBS == set(self._where) | locks
        # With work and nobody to be told otherwise, a sleeping worker must have something to wake to.
        if not self._is_paused and (expected["wait"] or expected["prioritized"]):
            assert "0" in await self._keyspace.ids("marker")

    def teardown(self) -> None:
        self.run(self._queue.obliterate(force=True))
        self.run(self._queue.close())
        self._runner.close()


# Its steps look at all keys there are: among those that the other tests leave on the shared server that would take a
# minute, so it has a database of its own there.
DATABASE = 9


def test_no_history_loses_doubles_or_strands_a_job(redis_url: str) -> None:
    own_url = f"{redis_url.rpartition('/')[0]}/{DATABASE}"
    run_state_machine_as_test(
        lambda: History(own_url),
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
