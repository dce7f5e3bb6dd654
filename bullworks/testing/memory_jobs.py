"""MemoryJobs: the jobs of a harness's queue, and the moves between their states, by a clock that stands still."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Any

from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.wire import codec, payload
from bullworks.testing.errors import NotSimulatedError
from bullworks.testing.line import Line
from bullworks.testing.recorded_event import RecordedEvent

Hash = dict[bytes, bytes]

STATES = ("wait", "prioritized", "delayed", "active", "completed", "failed")
_WAITING = ("wait", "prioritized")


@dataclass(slots=True)
class MemoryJob:
    """One job, kept also when the queue has removed it.

    Attributes:
        state: the name of its line; None once it was removed.
    """

    id: str
    fields: Hash
    state: str | None = None
    token: str | None = None
    logs: list[str] = field(default_factory=list)
    deduplication_id: str | None = None

    def number(self, name: bytes) -> int:
        """A field of its hash; 0 where it has none."""
        return int(self.fields.get(name, b"0"))


class MemoryJobs:
    """Knows lines, attempts and retention; everything about handlers, options and their encoding is the engine's.

    Attributes:
        now_ms: its clock; whoever owns it moves it on.
        all: every job that was ever added, in order.
        events: what happened.
        on_ended: told of each job that completed or failed for good, and which.
    """

    def __init__(self, queue_name: str, now_ms: int) -> None:
        self.now_ms = now_ms
        self.all: dict[str, MemoryJob] = {}
        self.lines = {state: Line() for state in STATES}
        self.events: list[RecordedEvent] = []
        self.on_ended: Callable[[MemoryJob, str], None] | None = None
        self.is_paused = False
        self.limited_until_ms = 0
        self._queue_name = queue_name
        self._numbers = 0
        self._order = 0
        self._owners: dict[str, tuple[str, int | None]] = {}

    def add(self, new: NewJob) -> str:
        """Its id, or that of the job that stands for it.

        Raises:
            NotSimulatedError: it has a parent, or deduplicates otherwise than by id and ttl.
        """
        opts = new.opts
        if opts.parent is not None or new.waits_for_children:
            raise NotSimulatedError(self._queue_name, "parents and children of jobs")
        self._numbers += 1
        job_id = new.id or str(self._numbers)
        if self.find(job_id) is not None:
            self.tell("duplicated", job_id)
            return job_id
        deduplication = opts.deduplication
        if deduplication is not None:
            if deduplication.to_script().keys() - {"id", "ttl"}:
                raise NotSimulatedError(self._queue_name, "deduplication other than by id and ttl")
            owner = self.owner_of(deduplication.id)
            if owner is not None:
                self.tell("deduplicated", owner, deduplication_id=deduplication.id, deduplicated_job_id=job_id)
                return owner
            ttl_ms = deduplication.ttl_ms
            self._owners[deduplication.id] = (job_id, None if ttl_ms is None else self.now_ms + ttl_ms)
        job = MemoryJob(job_id, new.fields(self.now_ms))
        job.deduplication_id = None if deduplication is None else deduplication.id
        self.all.pop(job_id, None)  # of an earlier job with this id, which was removed
        self.all[job_id] = job
        self.tell("added", job_id, name=new.name)
        if opts.delay_ms > 0:
            self.delay(job, job.number(codec.TIMESTAMP) + opts.delay_ms)
        else:
            self.enqueue(job, at_head=opts.lifo)
        return job_id

    def take(self, want: int, token: str) -> list[MemoryJob]:
        """The next jobs, active from now on."""
        self._wake_due()
        taken: list[MemoryJob] = []
        while len(taken) < want and self._may_take():
            job = self.all[self._next_line().pop()]
            job.token = token
            job.fields[codec.PROCESSED_ON] = b"%d" % self.now_ms
            job.fields[codec.ATTEMPTS_STARTED] = b"%d" % (job.number(codec.ATTEMPTS_STARTED) + 1)
            self._put(job, "active", self._next())
            self.tell("active", job.id, prev="waiting")
            taken.append(job)
        return taken

    def finish(self, outcome: Outcome) -> int:
        """Move an active job on. Returns a code as lua/advance.lua has it; where it is not 0, nothing was changed."""
        job = self.find(outcome.job.id)
        refused = -1 if job is None else self._refusal(job, outcome.token)
        if job is None or refused:
            return refused
        if outcome.kind == "wait_for_children":
            return 1  # there are none
        job.token = None
        match outcome.kind:
            case "complete" | "fail":
                self._end(job, outcome)
            case "delay":
                job.fields.update(outcome.fields)
                self.delay(job, self.now_ms + int(outcome.extra))
            case "postpone":
                delay_ms = max(int(outcome.extra) - self.now_ms, 0)
                job.fields[codec.DELAY] = b"%d" % delay_ms
                self.delay(job, self.now_ms + delay_ms)
            case _:
                self._put_back(job, outcome)
        return 0

    def find(self, job_id: str) -> MemoryJob | None:
        """The job, as long as it is there."""
        job = self.all.get(job_id)
        return job if job is not None and job.state is not None else None

    def there(self, job_id: str, operation: str) -> MemoryJob:
        """The job. Raises JobNotFoundError."""
        job = self.find(job_id)
        if job is None:
            raise outcome_error(-1, job_id, operation)
        return job

    def in_state(self, job_id: str, state: str, operation: str) -> MemoryJob:
        """The job. Raises JobNotFoundError, JobStateError."""
        job = self.there(job_id, operation)
        if job.state != state:
            raise outcome_error(-3, job_id, operation, needed=state)
        return job

    def enqueue(self, job: MemoryJob, *, at_head: bool = False, prev: str | None = None, tells: bool = True) -> None:
        """Let it wait, at the end of its line or at the head; a priority goes before `lifo`, as in BullMQ."""
        order, priority = self._next(), job.number(codec.PRIORITY)
        if priority:
            self._put(job, "prioritized", priority, order)
        else:
            self._put(job, "wait", -order if at_head else order)
        if tells:
            self.tell("waiting", job.id, **({} if prev is None else {"prev": prev}))

    def delay(self, job: MemoryJob, due_ms: int) -> None:
        """Let it wait for its time."""
        self._put(job, "delayed", due_ms, self._next())
        self.tell("delayed", job.id, delay=due_ms)

    def promote(self, job: MemoryJob) -> None:
        """Let a delayed job wait for nothing but its turn."""
        job.fields[codec.DELAY] = b"0"
        self.enqueue(job, prev="delayed")

    def remove(self, job: MemoryJob) -> None:
        """Let the queue forget it."""
        self._leave(job)
        job.state = None
        if job.deduplication_id is not None and self.owner_of(job.deduplication_id) == job.id:
            del self._owners[job.deduplication_id]

    def progress(self, job: MemoryJob, progress: bytes) -> None:
        """Store what its handler reports, as JSON."""
        job.fields[codec.PROGRESS] = progress
        self.tell("progress", job.id, data=payload.decode(progress))

    def owner_of(self, deduplication_id: str) -> str | None:
        """The job that stands for a deduplication id."""
        owner, until_ms = self._owners.get(deduplication_id, ("", None))
        if not owner or (until_ms is not None and until_ms <= self.now_ms):
            return None
        return owner

    def disown(self, deduplication_id: str) -> None:
        """Let further jobs with the id be added."""
        self._owners.pop(deduplication_id, None)

    @property
    def has_due(self) -> bool:
        """Whether a job may be taken now."""
        return self._first_due_ms() <= self.now_ms

    def next_due_ms(self) -> int | None:
        """When a job may be taken that may not be taken now; None: never, as things are."""
        due_ms = self._first_due_ms()
        return int(due_ms) if self.now_ms < due_ms < inf else None

    def tell(self, event: str, job_id: str | None = None, /, **args: Any) -> None:
        """Record an event."""
        of_job = {} if job_id is None else {"job_id": job_id}
        self.events.append(RecordedEvent(event, of_job | args, self.now_ms))

    def _refusal(self, job: MemoryJob, token: str) -> int:
        if job.token is None:
            return -2
        return 0 if job.token == token else -6

    def _end(self, job: MemoryJob, outcome: Outcome) -> None:
        state = "completed" if outcome.kind == "complete" else "failed"
        job.fields.update(outcome.fields)
        job.fields[codec.FINISHED_ON] = b"%d" % self.now_ms
        self._put(job, state, self.now_ms, self._next())
        if job.deduplication_id is not None and self._owners.get(job.deduplication_id) == (job.id, None):
            del self._owners[job.deduplication_id]
        self._retain(job, state, outcome.retention)
        if state == "completed":
            returned = payload.decode(job.fields[codec.RETURN_VALUE])
            self.tell("completed", job.id, returnvalue=returned, prev="active")
        else:
            self.tell("failed", job.id, failed_reason=_text(job.fields[codec.FAILED_REASON]), prev="active")
            if outcome.extra == "1":
                self.tell("retries_exhausted", job.id, attempts_made=job.number(codec.ATTEMPTS_MADE))
        if not any(self.lines[line] for line in (*_WAITING, "active")):
            self.tell("drained")
        if self.on_ended is not None:
            self.on_ended(job, state)

    def _put_back(self, job: MemoryJob, outcome: Outcome) -> None:
        if outcome.kind == "retry":
            job.fields.update(outcome.fields)
            self.enqueue(job, at_head=outcome.extra == "1", prev="active")
            return
        if outcome.kind == "release":
            job.fields[codec.ATTEMPTS_STARTED] = b"%d" % (job.number(codec.ATTEMPTS_STARTED) - 1)
        self.to_head(job)
        self.tell("waiting", job.id, prev="active")

    def to_head(self, job: MemoryJob) -> None:
        """Let it be the next of its line."""
        priority = job.number(codec.PRIORITY)
        if priority:
            self._put(job, "prioritized", priority, -self._next())
        else:
            self._put(job, "wait", -self._next())

    def _retain(self, job: MemoryJob, state: str, retention: str) -> None:
        """As lua/lib/retention.lua: '' all, 'N' the newest, 'N/AGE/LIMIT'."""
        count, age_s, limit = [int(part) if part else None for part in (*retention.split("/"), "", "")[:3]]
        line = self.lines[state]
        doomed: list[str] = [job.id] if count == 0 else []
        if count != 0 and age_s is not None:
            doomed += line.until(self.now_ms - age_s * 1000)[: limit or 1_000]
        for job_id in doomed:
            self.remove(self.all[job_id])
        while count and len(line) > count:
            self.remove(self.all[next(iter(line))])

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

    def _put(self, job: MemoryJob, state: str, *key: int) -> None:
        self._leave(job)
        job.state = state
        self.lines[state].add(job.id, key)

    def _leave(self, job: MemoryJob) -> None:
        if job.state is not None:
            self.lines[job.state].remove(job.id)

    def _next(self) -> int:
        self._order += 1
        return self._order


def flat(fields: Hash) -> list[bytes]:
    """As Redis sends a hash: name, value, name, value."""
    return [part for pair in fields.items() for part in pair]


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "replace")


def ordered(ids: Iterable[str], start: int, end: int, *, asc: bool) -> list[str]:
    """A page, both ends included, as Redis counts them: -1 is the last."""
    in_order = list(ids)
    if not asc:
        in_order.reverse()
    return in_order[start : end + 1 or None]
