"""Steps and signals: the typed methods for their scripts."""

import asyncio
from typing import Literal

from bullworks.bullmq.errors import outcome_error
from bullworks.bullmq.scripts.caller import ScriptCaller, load
from bullworks.bullmq.steps.errors import CheckpointLostError, TooManySignalsError
from bullworks.bullmq.wire.step_codec import StepMark, decode_marks, mark_field, own_fields, signal_field
from bullworks.redis import persist

CHECKPOINT = load("checkpoint")
SIGNAL_JOB = load("signal_job")

SignalOutcome = Literal["kept", "woken", "repeated", "late"]
"""What came of a signal: it is kept, for a job that does not wait for it yet, or that it has woken; or it is dropped,
as there was one of its name, or as the wait had timed out."""

_OUTCOMES: dict[int, SignalOutcome] = {0: "kept", 1: "woken", 2: "repeated", 3: "late"}
_FULL = -13

PATIENCE_S = 10.0
"""How long a checkpoint or a suspension is tried while Redis is away."""

# More than the steps that a job may have, so that those leave room for its signals.
_MOST_FIELDS = 1_200


class StepScripts(ScriptCaller):
    """The scripts of Job.step, Job.cursor and Queue.signal."""

    __slots__ = ()

    async def checkpoint(self, job_id: str, token: str, field: bytes, text: bytes) -> None:
        """Store a step's mark, while the job is `token`'s; repeated while Redis is away for a moment.

        Raises:
            CheckpointLostError: Redis was away for longer.
        """
        until_s = asyncio.get_running_loop().time() + PATIENCE_S
        try:
            code = await persist(lambda: self._run(CHECKPOINT, job_id, token, field, text), until_s)
        except TimeoutError as error:
            raise CheckpointLostError(job_id, field.decode(), PATIENCE_S) from error
        if code < 0:
            raise outcome_error(code, job_id, "keeping a step")

    async def read_steps(self, job_id: str) -> list[StepMark]:
        """Read a job's steps, and nothing else of it; empty if it has none, or is gone."""
        key = self.keys.of(job_id)
        [names] = await self.connection.read(("HKEYS", key))
        fields = own_fields(names)
        if not fields:
            return []
        [texts] = await self.connection.read(("HMGET", key, *fields))
        found = {field: text for field, text in zip(fields, texts, strict=True) if text is not None}
        return list(decode_marks(found).values())

    async def signal_job(self, job_id: str, name: str, data: bytes) -> SignalOutcome:
        """Store a signal, and wake the job if it waits for it.

        Raises:
            TooManySignalsError: the job has too many fields.
        """
        fields = (signal_field(name), mark_field("wait", name))
        code = await self._run(SIGNAL_JOB, job_id, *fields, data, _MOST_FIELDS)
        if code == _FULL:
            raise TooManySignalsError(job_id, name, _MOST_FIELDS)
        if code < 0:
            raise outcome_error(code, job_id, "signal", needed="on its way: it has ended")
        return _OUTCOMES[code]
