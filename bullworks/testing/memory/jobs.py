"""MemoryJobs: the jobs of a harness's queue, from being added to being forgotten."""

from collections.abc import Callable

from bullworks.bullmq import JobOpts, JobRevokedError
from bullworks.bullmq.cancel.terms import CancelRequest
from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.job.outcome import Outcome
from bullworks.bullmq.wire import codec, payload
from bullworks.testing.errors import NotSimulatedError
from bullworks.testing.memory.family import MemoryFamily
from bullworks.testing.memory.job import Children, MemoryJob
from bullworks.testing.memory.lines import MemoryLines
from bullworks.testing.memory.steps import is_over, suspend

# As lua/lib/add.lua answers in place of an id.
# As lua/lib/finish.lua answers in place of 0.
_GONE, _NO_LOCK, _OPEN_CHILDREN, _FOREIGN_LOCK, _FAILED_CHILDREN, _NOTHING_TO_WAIT_FOR = -1, -2, -4, -6, -9, 1

_CANCELLED = JobRevokedError.CANCELLED
_TO_RUN = ("wait", "prioritized", "active")


class MemoryJobs(MemoryLines):
    """The jobs of an in-memory queue: lines, attempts and retention; handlers and encoding are the engine's.

    Attributes:
        family: the queues in which this one's jobs may have relatives; at first itself alone.
        on_ended: called with each job that completed or failed for good, and which.
        on_cancelled: called with each running job that is cancelled.
    """

    def __init__(self, queue_name: str, now_ms: int) -> None:
        super().__init__(queue_name, now_ms)
        self.family = MemoryFamily(self)
        self.on_ended: Callable[[MemoryJob, str], None] | None = None
        self.on_cancelled: Callable[[CancelRequest], None] | None = None
        self._numbers = 0

    def add(self, new: NewJob) -> str:
        """Add a job; returns its id, or that of its duplicate. The job was checked before."""
        opts = new.opts
        self._numbers += 1
        job_id = new.id or str(self._numbers)
        existing = self.find(job_id)
        if existing is not None:
            return self._keep_existing(existing, new)
        owner = self._deduplicate(opts, job_id)
        if owner is not None:
            return owner
        job = MemoryJob(job_id, new.fields(self.now_ms))
        job.deduplication_id = None if opts.deduplication is None else opts.deduplication.id
        self.all.pop(job_id, None)  # of an earlier job with this id, which was removed
        self.all[job_id] = job
        self.tell("added", job_id, name=new.name)
        timestamp_ms = job.number(codec.TIMESTAMP)
        if new.waits_for_children:
            self.wait_for_children(job, timestamp_ms)
        elif opts.delay_ms > 0:
            self.delay(job, timestamp_ms + opts.delay_ms)
        else:
            self.enqueue(job, at_head=opts.lifo)
        if opts.parent is not None:
            self.family.adopt(opts.parent.key, self.keys.of(job_id))
        return job_id

    def refuse_unsimulated(self, new: NewJob) -> None:
        """Refuse a deduplication other than by id and ttl. Raises NotSimulatedError."""
        asked = new.opts.deduplication
        if asked is not None and asked.to_script().keys() - {"id", "ttl"}:
            raise NotSimulatedError(self.keys.name, "deduplication other than by id and ttl")

    def finish(self, outcome: Outcome) -> int:
        """Finish an active job. Returns a code as lua/advance.lua does; unless it is 0, nothing changed."""
        job = self.find(outcome.job.id)
        refused = _GONE if job is None else self._refusal(job, outcome)
        if job is None or refused:
            return refused
        job.token = None
        match outcome.kind:
            case "complete" | "fail":
                self._end(job, outcome)
            case "delay":
                job.fields.update(outcome.fields)
                self.delay(job, self.now_ms + int(outcome.extra))
            case "postpone" | "suspend" | "wait_for_children" if job.text(codec.DEFERRED_FAILURE).startswith(
                _CANCELLED
            ):
                self._put_back(job, outcome)  # it waits for nothing any more
            case "postpone":
                delay_ms = max(int(outcome.extra) - self.now_ms, 0)
                job.fields[codec.DELAY] = b"%d" % delay_ms
                self.delay(job, self.now_ms + delay_ms)
            case "suspend":
                due_ms = suspend(job, outcome, self.now_ms)
                job.fields[codec.DELAY] = b"%d" % (due_ms - self.now_ms)
                self.delay(job, due_ms)
            case "wait_for_children":
                self.wait_for_children(job, self.now_ms, prev="active")
            case _:
                self._put_back(job, outcome)
        return 0

    def fail_cancelled(self, job: MemoryJob, reason: str) -> None:
        """End a job that does not run: as an attempt would, with none spent."""
        prev = "waiting" if job.state == "wait" else job.state
        if job.state == "delayed":
            job.fields[codec.DELAY] = b"0"
        job.fields.pop(codec.DEFERRED_FAILURE, None)
        job.fields |= {codec.FAILED_REASON: reason.encode(), codec.FINISHED_ON: b"%d" % self.now_ms}
        self.put(job, "failed", self.now_ms, self.next_order())
        self.deduplication.ended(job.deduplication_id, job.id)
        self.family.failed(self.keys.of(job.id), job)
        kept = codec.decode_opts(job.fields.get(codec.OPTS, b"{}")).remove_on_fail
        self._retain(job, "failed", "" if kept is None else kept.to_script())
        self.tell("failed", job.id, failed_reason=reason, prev=prev)
        if self.on_ended is not None:
            self.on_ended(job, "failed")

    def there(self, job_id: str, operation: str) -> MemoryJob:
        """Find an existing job. Raises JobNotFoundError."""
        job = self.find(job_id)
        if job is None:
            raise outcome_error(_GONE, job_id, operation)
        return job

    def in_state(self, job_id: str, state: str, operation: str) -> MemoryJob:
        """Find a job in given states. Raises JobNotFoundError, JobStateError."""
        job = self.there(job_id, operation)
        if job.state != state:
            raise outcome_error(-3, job_id, operation, needed=state)
        return job

    def progress(self, job: MemoryJob, progress: bytes) -> None:
        """Store a job's progress, as JSON."""
        job.fields[codec.PROGRESS] = progress
        self.tell("progress", job.id, data=payload.decode(progress))

    def has_other_parent(self, job_id: str, parent_key: str) -> bool:
        """Whether a job of this id is another parent's child, so that it cannot be this one's."""
        job = self.find(job_id)
        present = "" if job is None else job.text(codec.PARENT_KEY)
        return present not in {"", parent_key} and self.family.has(present)

    def _keep_existing(self, existing: MemoryJob, new: NewJob) -> str:
        """The id is taken: nothing is added, but the job that has it may become a child of the new one's parent."""
        parent = new.opts.parent
        self.tell("duplicated", existing.id)
        if parent is not None:
            key = self.keys.of(existing.id)
            existing.fields[codec.PARENT_KEY] = parent.key.encode()
            existing.fields[codec.PARENT] = codec.encode_parent(new.opts)
            self.family.adopt(parent.key, key)
            if existing.state == "completed":
                self.family.completed(key, existing)
        return existing.id

    def _deduplicate(self, opts: JobOpts, job_id: str) -> str | None:
        """The job that stands for this one; None means there is none, and this one owns its deduplication id."""
        asked = opts.deduplication
        if asked is None:
            return None
        owner = self.deduplication.owner_of(asked.id, self.now_ms)
        if owner is None:
            self.deduplication.own(asked.id, job_id, None if asked.ttl_ms is None else self.now_ms + asked.ttl_ms)
        else:
            self.tell("deduplicated", owner, deduplication_id=asked.id, deduplicated_job_id=job_id)
        return owner

    def _refusal(self, job: MemoryJob, outcome: Outcome) -> int:
        if job.token is None:
            return _NO_LOCK
        if job.token != outcome.token:
            return _FOREIGN_LOCK
        if outcome.kind == "suspend":
            return _NOTHING_TO_WAIT_FOR if is_over(job, outcome, self.now_ms) else 0
        return self._children_refusal(job, outcome)

    def _children_refusal(self, job: MemoryJob, outcome: Outcome) -> int:
        children = self.children.get(job.id, Children())
        if outcome.kind == "wait_for_children":
            if children.failed:
                return _FAILED_CHILDREN
            is_open = outcome.value in children.unprocessed if outcome.value else bool(children.unprocessed)
            return 0 if is_open else _NOTHING_TO_WAIT_FOR
        if outcome.kind == "complete" and children.unprocessed:
            return _OPEN_CHILDREN
        return _FAILED_CHILDREN if outcome.kind == "complete" and children.failed else 0

    def _end(self, job: MemoryJob, outcome: Outcome) -> None:
        state, key = "completed" if outcome.kind == "complete" else "failed", self.keys.of(job.id)
        job.fields.update(outcome.fields)
        job.fields[codec.FINISHED_ON] = b"%d" % self.now_ms
        if state == "failed":
            job.fields.pop(codec.DEFERRED_FAILURE, None)
        self.put(job, state, self.now_ms, self.next_order())
        self.deduplication.ended(job.deduplication_id, job.id)
        tell_parent = self.family.completed if state == "completed" else self.family.failed
        tell_parent(key, job)
        self._retain(job, state, outcome.retention)
        if state == "completed":
            returned = payload.decode(job.fields[codec.RETURN_VALUE])
            self.tell("completed", job.id, returnvalue=returned, prev="active")
        else:
            self.tell("failed", job.id, failed_reason=job.text(codec.FAILED_REASON), prev="active")
            if outcome.extra == "1":
                self.tell("retries_exhausted", job.id, attempts_made=job.number(codec.ATTEMPTS_MADE))
        if not any(self.lines[line] for line in _TO_RUN):
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

    def _retain(self, job: MemoryJob, state: str, retention: str) -> None:
        """As lua/lib/retention.lua: '' all, 'N' the newest, 'N/AGE/LIMIT'."""
        count, age_s, limit = [int(part) if part else None for part in (*retention.split("/"), "", "")[:3]]
        line = self.lines[state]
        doomed: list[str] = [job.id] if count == 0 else []
        if count != 0 and age_s is not None:
            doomed += line.until(self.now_ms - age_s * 1000)[: limit or 1_000]
        self._forget_all(doomed)
        if count:
            self._forget_all(list(line)[: max(len(line) - count, 0)])

    def _forget_all(self, job_ids: list[str]) -> None:
        for job_id in job_ids:
            self.family.removed(self.keys.of(job_id), self.all[job_id])
            self.forget(self.all[job_id])
