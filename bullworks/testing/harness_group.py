"""HarnessGroup: several queues that are worked off together, as in one application."""

from typing import Any

from bullworks.bullmq import Duration, checked_ms
from bullworks.testing.errors import RunawayError
from bullworks.testing.harness import QueueHarness

_MOST_ROUNDS = 10_000


class HarnessGroup:
    """Runs several harnesses until all are idle: jobs that one queue adds to another run too.

        orders, lines = QueueHarness("orders", ship), QueueHarness("lines", pack)
        await HarnessFlowProducer(orders, lines).add(flow)
        await HarnessGroup(orders, lines).drain_all()

    All raise as the methods of QueueHarness do.

    Args:
        harnesses: in the order in which they are looked at.
    """

    def __init__(self, *harnesses: QueueHarness[Any]) -> None:
        self.harnesses = harnesses
        self._queues = [harness.in_memory.memory_scripts.jobs for harness in harnesses]

    async def drain(self) -> None:
        """Run every due job, and the jobs that these add, until none is due; the clocks stand still."""
        for _ in range(_MOST_ROUNDS):
            for harness in self.harnesses:
                await harness.drain()
            if not any(queue.has_due for queue in self._queues):
                return
        raise RunawayError(self._names, _MOST_ROUNDS)

    async def advance(self, duration: Duration) -> None:
        """Advance all clocks: run each job that comes due, at its time, in order."""
        left_ms = checked_ms("duration", duration)
        await self.drain()
        while (step_ms := self._next_due_in_ms()) is not None and step_ms <= left_ms:
            await self._step(step_ms)
            left_ms -= step_ms
        await self._step(left_ms)

    async def drain_all(self) -> None:
        """Advance all clocks until no job is left to run, through every delay and backoff."""
        await self.drain()
        for _ in range(_MOST_ROUNDS):
            step_ms = self._next_due_in_ms()
            if step_ms is None:
                return
            await self._step(step_ms)
        raise RunawayError(self._names, _MOST_ROUNDS)

    async def _step(self, step_ms: int) -> None:
        """Advance all clocks before any job runs: it may add to a queue whose time is the same."""
        for queue in self._queues:
            queue.now_ms += step_ms
        await self.drain()

    def _next_due_in_ms(self) -> int | None:
        """How long from now the next job may be taken; None means never, as things are."""
        waits_ms = [due_ms - queue.now_ms for queue in self._queues if (due_ms := queue.next_due_ms()) is not None]
        return min(waits_ms, default=None)

    @property
    def _names(self) -> str:
        return " and ".join(harness.queue_name for harness in self.harnesses)
