"""MemoryLines: where the jobs of a harness's queue are, by a clock that stands still."""

from math import inf
from typing import Any

from bullworks.bullmq.durations import LONGEST_MS
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.wire import codec
from bullworks.testing.memory.deduplication import MemoryDeduplication
from bullworks.testing.memory.groups import MemoryRounds
from bullworks.testing.memory.job import PREFIX, Children, MemoryJob
from bullworks.testing.memory.line import Line
from bullworks.testing.recorded_event import RecordedEvent

STATES = ("wait", "prioritized", "delayed", "active", "waiting-children", "completed", "failed")


class MemoryLines:
    """The lines of one queue, one for each state, and the moves between those in which jobs wait.

    Attributes:
        now_ms: its clock; its owner advances it.
        all: every job that was ever added, in order.
        children: of the jobs that have any, by their ids.
        deduplication: which job stands for which id.
        rounds: whose turn it is among the groups.
        events: what happened.
    """

    def __init__(self, queue_name: str, now_ms: int) -> None:
        self.keys = QueueKeys(PREFIX, queue_name)
        self.now_ms = now_ms
        self.all: dict[str, MemoryJob] = {}
        self.children: dict[str, Children] = {}
        self.deduplication = MemoryDeduplication()
        self.rounds = MemoryRounds()
        self.lines = {state: Line() for state in STATES}
        self.events: list[RecordedEvent] = []
        self.is_paused = False
        self.limited_until_ms = 0
        self._order = 0

    def tell(self, event: str, job_id: str | None = None, /, **args: Any) -> None:
        """Record an event."""
        of_job = {} if job_id is None else {"job_id": job_id}
        self.events.append(RecordedEvent(event, of_job | args, self.now_ms))

    def find(self, job_id: str) -> MemoryJob | None:
        """Find a job that was not removed."""
        job = self.all.get(job_id)
        return job if job is not None and job.state is not None else None

    def take(self, want: int, token: str) -> list[MemoryJob]:
        """Take the next jobs, which become active."""
        self._wake_due()
        taken: list[MemoryJob] = []
        while len(taken) < want and self._may_take():
            job = self.all[self._next_line().pop()]
            job.token = token
            job.fields[codec.PROCESSED_ON] = b"%d" % self.now_ms
            job.fields[codec.ATTEMPTS_STARTED] = b"%d" % (job.number(codec.ATTEMPTS_STARTED) + 1)
            self.put(job, "active", self.next_order())
            self.tell("active", job.id, prev="waiting")
            taken.append(job)
        return taken

    def enqueue(self, job: MemoryJob, *, at_head: bool = False, prev: str | None = None, tells: bool = True) -> None:
        """Enqueue a job at the end of its line or at the head; a priority goes before `lifo`, as in BullMQ."""
        prioritized = self.lines["prioritized"]
        self.rounds.join(job, self.all[next(iter(prioritized))] if prioritized else None)
        order, priority = self.next_order(), job.number(codec.PRIORITY)
        if priority:
            self.put(job, "prioritized", priority, order)
        else:
            self.put(job, "wait", -order if at_head else order)
        if tells:
            self.tell("waiting", job.id, **({} if prev is None else {"prev": prev}))

    def to_head(self, job: MemoryJob) -> None:
        """Move a job to the head of its line."""
        order, priority = self.next_order(), job.number(codec.PRIORITY)
        if priority:
            self.put(job, "prioritized", priority, -order)
        else:
            self.put(job, "wait", -order)

    def delay(self, job: MemoryJob, due_ms: int) -> None:
        """Delay a job."""
        self.put(job, "delayed", due_ms, self.next_order())
        self.tell("delayed", job.id, delay=due_ms)

    def promote(self, job: MemoryJob) -> None:
        """Move a delayed job to wait."""
        job.fields[codec.DELAY] = b"0"
        self.enqueue(job, prev="delayed")

    def wait_for_children(self, job: MemoryJob, since_ms: int, *, prev: str | None = None) -> None:
        """Let a parent wait for its children."""
        self.put(job, "waiting-children", since_ms, self.next_order())
        self.tell("waiting_children", job.id, **({} if prev is None else {"prev": prev}))

    def release(self, job: MemoryJob) -> None:
        """Release a parent that waited for its children, ahead of all waiting jobs or as its options say."""
        if job.state != "waiting-children":
            return
        delay_ms = job.number(codec.DELAY)
        if delay_ms > 0:
            self.delay(job, self.now_ms + delay_ms)
        else:
            self.enqueue(job, at_head=True, prev="waiting-children")

    def fail_unrun(self, job: MemoryJob, reason: str) -> None:
        """Let the next worker that takes a parent fail it without running it."""
        if job.state == "failed":
            return
        job.fields[codec.DEFERRED_FAILURE] = reason.encode()
        if job.state == "delayed":
            job.fields[codec.DELAY] = b"0"
            self.enqueue(job, at_head=True, prev="waiting-children")
        else:
            self.release(job)

    def put(self, job: MemoryJob, state: str, *key: int) -> None:
        """Move a job to a line, ordered by key."""
        self.leave(job)
        job.state = state
        self.lines[state].add(job.id, key)
        self.rounds.moved(job, state)

    def leave(self, job: MemoryJob) -> None:
        """Remove a job from its present line."""
        if job.state is not None:
            self.lines[job.state].remove(job.id)

    def remove(self, job: MemoryJob) -> None:
        """Remove a job, and free its deduplication id."""
        self.forget(job)
        self.deduplication.removed(job.deduplication_id, job.id)

    def forget(self, job: MemoryJob) -> None:
        """Remove a job; its deduplication id may outlive it."""
        self.leave(job)
        job.state = None
        self.rounds.moved(job, None)
        self.children.pop(job.id, None)

    def next_order(self) -> int:
        """Return a number that grows with each call."""
        self._order += 1
        return self._order

    @property
    def has_due(self) -> bool:
        """Whether a job can be taken now."""
        return self._first_due_ms() <= self.now_ms

    def next_due_ms(self) -> int | None:
        """When the next job can be taken, ms since the epoch; None if none will be, as things are.

        What waits for a signal with no limit is delayed as long as can be, and never comes due.
        """
        due_ms = self._first_due_ms()
        return int(due_ms) if self.now_ms < due_ms < LONGEST_MS else None

    def _wake_due(self) -> None:
        for job_id in self.lines["delayed"].until(self.now_ms):
            self.promote(self.all[job_id])

    def _first_due_ms(self) -> float:
        if self.is_paused:
            return inf
        first = self.lines["delayed"].first_key
        due_ms = self.now_ms if self._next_line() else inf if first is None else first[0]
        return max(due_ms, self.limited_until_ms)

    def _may_take(self) -> bool:
        return not self.is_paused and self.limited_until_ms <= self.now_ms and bool(self._next_line())

    def _next_line(self) -> Line:
        return self.lines["wait"] or self.lines["prioritized"]
