"""Pace: how often something is tried again that fails, and how often that is told."""

import asyncio
import logging
import random

_FIRST_S = 0.05
_LONGEST_S = 1.0
# An error that lasts is logged when it begins, and then about once a minute.
_LOG_EVERY = 60


class Pace:
    """The backoff between failures of one loop; `reset` it after a success.

    Args:
        what: is tried, for the log.
        level: of the lines that tell of a failure; an error is told with its traceback.
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
        longest_s: float = min(_FIRST_S * 2.0 ** min(self._failures - 1, 10), _LONGEST_S)
        return longest_s * (0.5 + random.random() / 2)  # noqa: S311 - no secret

    async def wait(self, error: BaseException) -> None:
        await asyncio.sleep(self.next_s(error))
