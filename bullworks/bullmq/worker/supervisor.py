"""Supervisor: makes the long-lived tasks of one worker, and is told where one cannot be kept alive."""

from collections.abc import Callable, Coroutine
from typing import Any

from bullworks.redis.background import Background, BackgroundEndedError


class Supervisor:
    """Watches one worker's parts: none may end unnoticed while the worker runs.

    Args:
        queue_name: of the worker, for names and the log.
        on_given_up: told of a part that ended over and over; the worker can only be closed then.
    """

    def __init__(self, queue_name: str, on_given_up: Callable[[BackgroundEndedError], None]) -> None:
        self.queue_name = queue_name
        self._on_given_up = on_given_up

    def background(self, part: str, run: Callable[[], Coroutine[Any, Any, None]]) -> Background:
        """Create a background task for the named part; the caller starts and closes it."""
        return Background(f"{part}:{self.queue_name}", run, on_given_up=self._on_given_up)
