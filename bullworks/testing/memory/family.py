"""MemoryFamily: parents and children over the queues of several harnesses; in Redis, lua/lib/family.lua."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bullworks.bullmq import FinishedState
from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.options.parent import ChildFailure
from bullworks.bullmq.wire import codec, payload
from bullworks.bullmq.wire.job_options import CHILD_FAILURES
from bullworks.testing.errors import NoHarnessError
from bullworks.testing.memory.job import PREFIX, Children, MemoryJob
from bullworks.testing.memory.lines import MemoryLines

_ENDED = ("completed", "failed")


@dataclass(frozen=True, slots=True)
class _Place:
    """A job that is, or will be, in a queue."""

    queue: MemoryLines
    id: str

    @property
    def job(self) -> MemoryJob | None:
        return self.queue.find(self.id)

    @property
    def children(self) -> Children:
        """Its children; looking makes no difference."""
        return self.queue.children.get(self.id, Children())

    @property
    def key(self) -> str:
        return self.queue.keys.of(self.id)


class MemoryFamily:
    """The queues whose jobs may be each other's parents and children.

    A queue is known by its name: whatever prefix a parent's key has, its own is meant.
    """

    def __init__(self, *queues: MemoryLines) -> None:
        self._queues = {queue.keys.name: queue for queue in queues}

    def has(self, key: str) -> bool:
        """Whether a job with this key exists. Raises NoHarnessError if its queue has no harness."""
        return self._place(key).job is not None

    def adopt(self, parent_key: str, child_key: str) -> None:
        """Let a parent, which may be added a moment later, wait for a child."""
        parent = self._place(parent_key)
        parent.queue.children.setdefault(parent.id, Children()).unprocessed[child_key] = None

    def disown(self, parent_key: str, child_key: str) -> None:
        """Detach a child that was not added from its parent, without releasing the parent."""
        self._place(parent_key).children.settle(child_key)

    def release_if_alone(self, key: str) -> None:
        """Release a parent that has no child to wait for."""
        _release_if_alone(self._place(key))

    def completed(self, child_key: str, child: MemoryJob) -> None:
        """Record that a child completed, which may release its parent."""
        parent = self._parent_of(child)
        if parent is not None and parent.children.settle(child_key):
            parent.children.processed[child_key] = child.fields[codec.RETURN_VALUE]
            _release_if_alone(parent)

    def failed(self, child_key: str, child: MemoryJob) -> None:
        """Record that a child failed for good; its options decide what happens to the parent."""
        parent, policy = self._parent_of(child), _policy_of(child)
        if parent is None or not policy or not parent.children.settle(child_key):
            return
        if "fail_parent" in policy:
            parent.children.failed[child_key] = None
            if parent.job is not None:
                parent.queue.fail_unrun(parent.job, f"child {child_key} failed")
            return
        if "remove_dependency" not in policy:
            parent.children.ignored[child_key] = child.fields[codec.FAILED_REASON]
        if "continue_parent" in policy:
            _release(parent)
        else:
            _release_if_alone(parent)

    def removed(self, child_key: str, child: MemoryJob) -> None:
        """Record that a child was removed, so its parent no longer waits for it."""
        parent = self._parent_of(child)
        if parent is not None and parent.children.settle(child_key):
            _release_if_alone(parent)

    def reprocessed(self, child_key: str, child: MemoryJob, state: FinishedState) -> None:
        """Record that a finished child runs again; its parent waits for it, unless the parent has continued."""
        parent = self._parent_of(child)
        if parent is not None and parent.job is not None:
            parent.children.reopen(child_key, state)

    def part(self, child_key: str, child: MemoryJob) -> bool | None:
        """Detach a child from its parent. Returns whether the parent waited for it; None if it has no parent."""
        parent = self._parent_of(child)
        if parent is None or parent.job is None:
            return None
        waited = child_key in parent.children.unprocessed
        self.removed(child_key, child)
        del child.fields[codec.PARENT_KEY], child.fields[codec.PARENT]
        return waited

    def remove(self, queue: MemoryLines, job: MemoryJob, *, children: bool) -> None:
        """Remove a job, with `children` all its descendants too.

        Raises:
            JobLockedError: one of them runs.
        """
        tree = list(self._tree(_Place(queue, job.id))) if children else [(0, _Place(queue, job.id))]
        for _, place in tree:
            if place.job is not None and place.job.token is not None:
                raise outcome_error(-10, job.id, "remove")
        self._remove_all(tree)

    def tree(self, queue: MemoryLines, job_id: str) -> list[tuple[MemoryLines, MemoryJob]]:
        """The job and all below it that are still there, each with its queue and before its children."""
        places = [place for _, place in self._tree(_Place(queue, job_id))]
        return [(place.queue, place.job) for place in places if place.job is not None]

    def remove_unprocessed(self, queue: MemoryLines, job_id: str) -> int:
        """Remove the descendants that are neither finished nor active. Returns how many."""
        below = list(self._tree(_Place(queue, job_id)))[1:]
        doomed = [(depth, place) for depth, place in below if _may_go(place)]
        self._remove_all(doomed)
        return len(doomed)

    def drain(self, queue: MemoryLines, job: MemoryJob) -> None:
        """Remove a job that is part of a bulk removal.

        A parent in that queue whose last child goes so has nothing left to run for, and goes too, up to the root.
        """
        queue.remove(job)
        key, parent = queue.keys.of(job.id), self._parent_of(job)
        while parent is not None:
            if parent.queue is not queue:
                self.removed(key, job)
                return
            settled, waiting = parent.children.settle(key), parent.job
            if not settled or parent.children.unprocessed or waiting is None or waiting.state != "waiting-children":
                return
            queue.remove(waiting)
            job, key, parent = waiting, parent.key, self._parent_of(waiting)

    def _tree(self, root: _Place) -> Iterator[tuple[int, _Place]]:
        """The job and all below it that are still there, each before its children, with its depth."""
        seen = {root.key}

        def below(place: _Place, depth: int) -> Iterator[tuple[int, _Place]]:
            yield depth, place
            for key in place.children.keys:
                child = self._place(key)
                if key not in seen and child.job is not None:
                    seen.add(key)
                    yield from below(child, depth + 1)

        return below(root, 0)

    def _remove_all(self, tree: Sequence[tuple[int, _Place]]) -> None:
        """Each leaves its parent before the jobs below it go, and goes itself after them."""
        going: list[tuple[int, _Place]] = []
        for depth, place in tree:
            while going and going[-1][0] >= depth:
                _remove(going.pop()[1])
            if place.job is not None:
                self.removed(place.key, place.job)
            going.append((depth, place))
        while going:
            _remove(going.pop()[1])

    def _place(self, key: str) -> _Place:
        keys, job_id = QueueKeys.of_job(key, PREFIX)
        if keys.name not in self._queues:
            raise NoHarnessError(f"the job {key}", (keys.name,), tuple(self._queues))
        return _Place(self._queues[keys.name], job_id)

    def _parent_of(self, child: MemoryJob) -> _Place | None:
        parent_key = child.text(codec.PARENT_KEY)
        return self._place(parent_key) if parent_key else None


def _policy_of(child: MemoryJob) -> set[ChildFailure]:
    """How the parent takes the child's failure; empty: it waits."""
    parent: dict[str, Any] = payload.decode(child.fields.get(codec.PARENT, b"{}"))
    return {policy for policy, stored in CHILD_FAILURES.items() if stored in parent}


def _release(parent: _Place) -> None:
    if parent.job is not None:
        parent.queue.release(parent.job)


def _release_if_alone(parent: _Place) -> None:
    if not parent.children.unprocessed:
        _release(parent)


def _may_go(place: _Place) -> bool:
    return place.job is not None and place.job.token is None and place.job.state not in _ENDED


def _remove(place: _Place) -> None:
    job = place.job
    if job is not None:
        state = job.state
        place.queue.remove(job)
        place.queue.tell("removed", job.id, prev=state)
