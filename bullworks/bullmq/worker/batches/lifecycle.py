"""BatchLifecycle: the parts of a worker whose handler is called with many jobs."""

from typing import cast

from bullworks.bullmq.options.batch import Batch
from bullworks.bullmq.worker.batches.batches import Batches
from bullworks.bullmq.worker.batches.handler import BatchHandler
from bullworks.bullmq.worker.batches.intake import BatchIntake, PatientIntake
from bullworks.bullmq.worker.batches.line_wait import LineWait
from bullworks.bullmq.worker.intake import Intake
from bullworks.bullmq.worker.job_sink import JobSink
from bullworks.bullmq.worker.lifecycle import JobLifecycle
from bullworks.bullmq.worker.marker_wait import WorkWait
from bullworks.bullmq.worker.processor import Processor
from bullworks.bullmq.worker.runner import Runner


class BatchLifecycle(JobLifecycle):
    """A JobLifecycle with Batches between its Runner and the others.

    Each job has a slot of the Runner, in which it waits for its part in a batch.
    """

    _batches: Batches
    _intake: BatchIntake

    def start(self) -> None:
        """Have all parts at work; jobs are taken once the intake is open."""
        self._batches.start()
        super().start()

    def set_concurrency(self, concurrency: int) -> None:
        """Run so many batches at once from now on."""
        self._batches.set_concurrency(concurrency)
        super().set_concurrency(concurrency * self._batch.size)

    async def close(self) -> None:
        """End all parts."""
        await super().close()
        await self._batches.close()

    def intake_changed(self) -> None:
        """Have the other parts look, and start batches that wait for nobody any more."""
        super().intake_changed()
        self._batches.look()

    @property
    def _batch(self) -> Batch:
        return cast(Batch, self._opts.batch)  # without one, the engine makes a JobLifecycle

    def _new_intake(self) -> Intake:
        opts, batch = self._opts, self._batch
        if batch.min_size > 1:
            self._intake = PatientIntake(
                opts.places,
                batch.size,
                isolates=opts.isolate_stalled,
                longest_limit_ms=opts.maximum_rate_limit_delay_ms,
                watcher=self,
            )
        else:
            self._intake = BatchIntake(
                opts.places,
                isolates=opts.isolate_stalled,
                longest_limit_ms=opts.maximum_rate_limit_delay_ms,
                watcher=self,
            )
        return self._intake

    def _new_wait(self, wait: WorkWait) -> WorkWait:
        if isinstance(self._intake, PatientIntake):
            return LineWait(wait, self._worker_scripts, self._intake, self._batch)
        return wait

    def _new_runner(self, processor: Processor, jobs: JobSink) -> Runner:
        self._batches = Batches(
            BatchHandler.of(processor),
            self._batch,
            jobs,
            self._intake,
            queue_name=self._queue_name,
            concurrency=self._opts.concurrency,
            timeout_ms=self._opts.timeout_ms,
            tracing=self._scripts.tracing,
        )
        return self._runner_of(self._batches.processor, self._batches, timeout_ms=None)
