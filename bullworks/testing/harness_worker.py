"""HarnessWorker: what a host gets as `self.worker` while a harness runs its jobs."""

from typing import Any

from typing_extensions import Unpack

from bullworks.bullmq import Worker, WorkerOptions
from bullworks.bullmq.wire.keyring import Keyring
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.bullmq.worker.engine import Engine
from bullworks.bullmq.worker.processor import Processor
from bullworks.testing.harness_engine import HarnessEngine
from bullworks.testing.harness_queue import HarnessQueue
from bullworks.testing.memory.jobs import MemoryJobs


class HarnessWorker(Worker[Any, Any]):
    """A Worker whose engine is a HarnessEngine. It is never started: `work_off` runs what is due, and returns.

    Args:
        errors: takes what handlers raise.
        most_runs: attempts in one call of `work_off`.
    """

    def __init__(
        self,
        queue: HarnessQueue[Any],
        jobs: MemoryJobs,
        processor: Processor,
        *,
        errors: list[BaseException],
        most_runs: int,
        **options: Unpack[WorkerOptions],
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._errors = errors
        self._most_runs = most_runs
        super().__init__(
            queue.name,
            processor,
            connection=queue.connection,
            prefix=queue.keys.prefix,
            data_type=queue.data_type,
            result_type=queue.result_type,
            **options,
        )

    async def work_off(self) -> None:
        """Run jobs, up to `concurrency` at once, until none is due.

        Raises:
            RunawayError: there is no end to it.
            NotSimulatedError: a handler asked for what a harness does not do.
        """
        await self._memory_engine.work_off()

    def look_again(self) -> None:
        """Run the job that a handler waits for, if there is a free slot."""
        self._memory_engine.look_again()

    def _payload_types(self, data_type: Any, result_type: Any, encryption: Keyring | None) -> PayloadTypes | None:  # noqa: ARG002
        return PayloadTypes.of(data_type, result_type)  # in memory nothing is sealed

    def _new_engine(self, processor: Processor) -> Engine:
        self._memory_engine = HarnessEngine(
            self,
            self._queue,
            self._jobs,
            processor=processor,
            reporter=self._reporter,
            errors=self._errors,
            most_runs=self._most_runs,
        )
        return self._memory_engine
