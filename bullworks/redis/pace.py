"""Pace: how often a failing operation is retried, and how often that is logged."""

import asyncio
import logging
import random

_FIRST_S = 0.05
_LONGEST_S = 1.0
# An error that lasts is logged when it begins, and then about once a minute.
_LOG_EVERY = 60


def retry_pause_s(failures: int, first_s: float, longest_s: float) -> float:
    """How long to wait before another try: doubled with each failure, and half of it random.

    The random half keeps a fleet that failed together from coming back in step.

    Args:
        failures: in a row so far, >= 1.
        first_s: the longest wait after the first of them, seconds.
        longest_s: the longest wait after many, seconds.
    """
    bound_s = min(first_s * 2.0 ** min(failures - 1, 20), longest_s)
    return bound_s * (0.5 + random.random() / 2)  # noqa: S311 - no secret


class Pace:
    """The backoff between failures of one loop; `reset` it after a success.

    Args:
        what: is tried, for the log.
        level: of the lines that log a failure; an error is logged with its traceback.
    """

    def __init__(self, log: logging.Logger, what: str, *, level: int = logging.WARNING) -> None:
        self._log = log
        self._what = what
        self._level = level
        self._failures = 0

    def reset(self) -> None:
        if self._failures:
            self._log.info("%s: works again after %d failures", self._what, self._failures)
            self._failures = 0

    def next_s(self, error: BaseException) -> float:
        """Count a failure, log it if it is time, and return how long to wait, in seconds."""
        if self._failures % _LOG_EVERY == 0:
            is_fault = self._level >= logging.ERROR and error.__traceback__ is not None
            self._log.log(self._level, "%s: %s", self._what, error, exc_info=error if is_fault else None)
        self._failures += 1
        return retry_pause_s(self._failures, _FIRST_S, _LONGEST_S)

    async def wait(self, error: BaseException) -> None:
        await asyncio.sleep(self.next_s(error))
