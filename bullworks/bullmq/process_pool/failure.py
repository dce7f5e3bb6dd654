"""Failure: an error on its way from one process to another."""

import pickle
import traceback
from dataclasses import dataclass

from bullworks.bullmq.errors import UnrecoverableError
from bullworks.bullmq.process_pool.errors import UnpicklableError, UnpicklableUnrecoverableError
from bullworks.errors import FactError


@dataclass(eq=False)
class _InProcessError(FactError):
    """The cause of an error that came from a process: where it was raised there."""

    trace: str

    def __str__(self) -> str:
        return f"in the process:\n{self.trace}"


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception in transit between processes: pickled if possible, and as text.

    Attributes:
        pickled: the error; None means it cannot be sent.
        kind: the name of its class.
        is_unrecoverable: whether it fails the job at once.
    """

    pickled: bytes | None
    kind: str
    text: str
    trace: str
    is_unrecoverable: bool

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        return cls(
            pickled=_pickle(error),
            kind=type(error).__qualname__,
            text=str(error),
            trace="".join(traceback.format_exception(error)),
            is_unrecoverable=isinstance(error, UnrecoverableError),
        )

    def to_error(self) -> BaseException:
        """Rebuild the exception, or a substitute for it; its cause holds the original traceback."""
        error = self._unpickle()
        if error is None:
            stand_in = UnpicklableUnrecoverableError if self.is_unrecoverable else UnpicklableError
            error = stand_in(self.kind, self.text)
        error.__cause__ = _InProcessError(self.trace)
        return error

    def _unpickle(self) -> BaseException | None:
        if self.pickled is None:
            return None
        try:
            error = pickle.loads(self.pickled)  # noqa: S301 - what our own child says  # nosec B301
        except Exception:  # noqa: BLE001 - an error's class may do anything when it is made
            return None
        return error if isinstance(error, BaseException) else None


def _pickle(error: BaseException) -> bytes | None:
    """Many errors can be pickled but not unpickled: those whose arguments are not their constructor's."""
    try:
        pickled = pickle.dumps(error)
        again = pickle.loads(pickled)  # noqa: S301 - it was written a line above  # nosec B301
    except Exception:  # noqa: BLE001 - an error's class may do anything when it is made
        return None
    return pickled if type(again) is type(error) and str(again) == str(error) else None
