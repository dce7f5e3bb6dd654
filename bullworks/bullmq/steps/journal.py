"""StepJournal: which steps of a job are done, which names this run has used, and how much more may be kept."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError, InvalidPayloadError
from bullworks.bullmq.options import checks
from bullworks.bullmq.steps.errors import StepError
from bullworks.bullmq.wire import payload
from bullworks.bullmq.wire.payload_type import PayloadType
from bullworks.bullmq.wire.step_codec import StepKind, StepMark, decode_marks, encode_mark, mark_field

# Whoever takes the job reads all of them, at each attempt.
MOST_STEPS = 1_000
LARGEST_STEP_BYTES = 64 * 1024
LARGEST_STEPS_BYTES = 1024 * 1024
LONGEST_NAME = 200


class StepJournal:
    """The steps of one run of a job.

    Args:
        fields: the job's hash, as it was taken.
    """

    __slots__ = ("_bytes", "_job_id", "_last", "_marks", "_used")

    def __init__(self, job_id: str, fields: Mapping[bytes, bytes]) -> None:
        self._job_id = job_id
        self._marks = decode_marks(fields)
        self._used: set[str] = set()
        self._bytes = sum(len(mark.value) for mark in self._marks.values())
        self._last = max((mark.number for mark in self._marks.values()), default=0)

    def begin(self, kind: StepKind, name: str) -> StepMark | None:
        """Use a name in this run. Returns what is kept of it; None means it is not done yet.

        Raises:
            StepError: this run has used the name before, or the job has too many steps.
            InvalidOptionError: the name is not a text, or too long.
        """
        if len(checks.text("step", name)) > LONGEST_NAME:
            raise StepError(self._job_id, name[:40], f"has a name of more than {LONGEST_NAME} characters")
        if name in self._used:
            raise StepError(
                self._job_id, name, "is used twice in one run; steps go by name, so add what differs: f'mail-{number}'"
            )
        self._used.add(name)
        field = mark_field(kind, name)
        found = self._marks.get(field)
        if found is None and len(self._marks) >= MOST_STEPS:
            raise StepError(
                self._job_id,
                name,
                f"is one more than the {MOST_STEPS} that a job may have; use a cursor, or child jobs",
            )
        return found

    def encode(self, name: str, value: Any, result_type: PayloadType[Any] | None) -> bytes:
        """Encode what a step came to.

        Raises:
            StepError: it is not JSON, or not of its type, or too large.
        """
        try:
            if result_type is not None:
                value = result_type.plain(value)
            encoded = payload.encode(value, limit_bytes=LARGEST_STEP_BYTES)
        except InvalidPayloadError as error:
            raise StepError(self._job_id, name, f"was done, but its result cannot be kept: {error}") from error
        if self._bytes + len(encoded) > LARGEST_STEPS_BYTES:
            raise StepError(
                self._job_id,
                name,
                f"was done, but its result cannot be kept: all of the job's would be more than {LARGEST_STEPS_BYTES} "
                "bytes of JSON; keep large results elsewhere, and return where",
            )
        return encoded

    def decode(self, name: str, encoded: bytes, result_type: PayloadType[Any] | None) -> Any:
        """Decode what a step came to. Raises StepError: it is not of the type."""
        try:
            return payload.decode(encoded) if result_type is None else result_type.decode(encoded)
        except ValueError as error:
            raise StepError(
                self._job_id, name, f"was done by other code, and what it came to cannot be used: {error}"
            ) from error

    def next_mark(self, kind: StepKind, name: str, value: bytes) -> tuple[bytes, bytes]:
        """Note a mark as written. Returns its field, and what that holds: an earlier one keeps its number."""
        field = mark_field(kind, name)
        earlier = self._marks.get(field)
        if earlier is None:
            self._last += 1
        number = self._last if earlier is None else earlier.number
        self._bytes += len(value) - (0 if earlier is None else len(earlier.value))
        self._marks[field] = StepMark(kind, name, number, value)
        return field, encode_mark(number, value)

    @property
    def next_number(self) -> int:
        """The number of the next new mark."""
        return self._last + 1


@lru_cache(maxsize=256)
def type_of(result_type: Any) -> PayloadType[Any] | None:
    """Build the type of a step's result or a signal's data; None means any JSON.

    Raises:
        InvalidOptionError: it cannot be checked, or has encrypted fields, which would lie there in the clear.
    """
    if result_type is None:
        return None
    built = PayloadType[Any]("result_type", result_type)
    if built.has_encrypted:
        raise InvalidOptionError("result_type", f"{built.name} has encrypted fields; keep the data, and return its id")
    return built
