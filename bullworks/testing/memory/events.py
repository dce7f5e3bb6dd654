"""MemoryEvents: what tells those who wait for a harness's jobs to finish."""

from collections.abc import Callable

from bullworks.bullmq.events.event_id import EventId
from bullworks.bullmq.events.waiting import JobWaits
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.wire import codec, event_codec
from bullworks.bullmq.wire.event_codec import StreamEvent
from bullworks.testing.memory.job import MemoryJob
from bullworks.testing.memory.jobs import MemoryJobs

_TOLD = {
    "completed": (event_codec.COMPLETED, event_codec.RETURN_VALUE, codec.RETURN_VALUE),
    "failed": (event_codec.FAILED, event_codec.FAILED_REASON, codec.FAILED_REASON),
}


class MemoryEvents:
    """The events for `Job.wait_until_finished`; in a real queue, the reader of its event stream.

    Args:
        work: has the jobs that are due run, soon: waiting for a job lets it run, or else it never would.
    """

    def __init__(self, keys: QueueKeys, jobs: MemoryJobs, work: Callable[[], None]) -> None:
        self.keys = keys
        self.waits = JobWaits(keys.name)
        self._jobs = jobs
        self._work = work
        jobs.on_ended = self._ended

    async def start(self) -> None:
        """Run the jobs that a waiter depends on."""
        self._work()

    def _ended(self, job: MemoryJob, state: str) -> None:
        position = EventId(len(self._jobs.events), 0)
        wire_name, told, field = _TOLD[state]
        fields = {event_codec.JOB_ID: job.id.encode(), told: job.fields[field]}
        self.waits.heard(StreamEvent(str(position).encode(), wire_name, fields))
