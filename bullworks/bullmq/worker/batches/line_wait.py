"""LineWait: waits until enough jobs are in line, or the first of them has waited for long enough. It takes none."""

import asyncio

from bullworks.bullmq.options.batch import Batch
from bullworks.bullmq.scripts.worker import Marker, WorkerScripts
from bullworks.bullmq.worker.batches.intake import PatientIntake
from bullworks.bullmq.worker.marker_wait import WorkWait

# The line is looked at so often while some jobs are in it, but not enough: a tenth of the wait, within these.
_SHORTEST_S, _LONGEST_S = 0.01, 0.25


class LineWait(WorkWait):
    """A WorkWait for workers whose batches have a least size.

    Args:
        wait: how an empty line is waited at.
        scripts: count the line.
        intake: tells whether the last look was of use: what is in line may not be taken, as where the queue is paused.
    """

    def __init__(self, wait: WorkWait, scripts: WorkerScripts, intake: PatientIntake, batch: Batch) -> None:
        self._wait = wait
        self._scripts = scripts
        self._intake = intake
        self._least = batch.min_size
        self._longest_s = batch.max_wait_ms / 1000
        self._pause_s = min(max(self._longest_s / 10, _SHORTEST_S), _LONGEST_S)

    async def until_marked(self, due_ms: int | None) -> Marker | None:
        """Wait until a batch is to be asked for. Returns and raises as MarkerWait does."""
        marker = None if self._intake.found_some else await self._wait.until_marked(due_ms)
        loop = asyncio.get_running_loop()
        since_s: float | None = None
        while self._intake.is_open:
            jobs, due_ms = await self._scripts.count_line()
            if jobs >= self._least:
                break
            if jobs == 0:
                since_s = None
                marker = await self._wait.until_marked(due_ms)
                continue
            if marker is not None:
                # Nothing is taken yet, and another worker may want them.
                await self._wait.give_back(marker)
                marker = None
            since_s = loop.time() if since_s is None else since_s
            left_s = since_s + self._longest_s - loop.time()
            if left_s <= 0:
                break
            await asyncio.sleep(min(self._pause_s, left_s))
        return marker

    async def give_back(self, marker: Marker) -> None:
        """Put a marker back for another worker."""
        await self._wait.give_back(marker)
