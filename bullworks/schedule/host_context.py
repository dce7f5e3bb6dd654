"""HostContext: what the application around a schedule gives it. BullModule provides them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from bullworks.core import Token
from bullworks.redis import PipelinedConnection

Runs = Literal["all", "distributed", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostContext:
    """The application around a schedule. Without one, all crons run, and none is distributed.

    Args:
        is_selected: whether this process runs the crons of a class.
        connect: the connection to keep records on, made if need be; not the scheduler's to close.
        uses_redis: whether the application has that connection anyway.
        shutdown_grace_ms: how long callbacks may keep running at the end.
        runs: all: whatever is selected; distributed: of that only the crons that the fleet shares; none: nothing.
    """

    is_selected: Callable[[type[Any]], bool]
    connect: Callable[[], Awaitable[PipelinedConnection]]
    uses_redis: Callable[[], bool]
    shutdown_grace_ms: int
    runs: Runs = "all"


HOST_CONTEXT: Token[HostContext] = Token("schedule:host_context")
"""Provided by whatever surrounds the schedule."""
