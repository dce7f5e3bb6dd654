"""Which providers the running code is in the midst of building: one that asks for itself would never end."""

import asyncio
from contextvars import ContextVar
from types import TracebackType

from bullworks.core.errors import BuildCircleError
from bullworks.core.graph import Graph
from bullworks.core.node import Entry
from bullworks.core.scope import Scope
from bullworks.core.tokens import label
from bullworks.core.watched import PARTS, TransientInstances

# With the task: one that a factory leaves running has a copy of this, and may well wait for the factory.
_UNDER_WAY: ContextVar[tuple[tuple[Entry, "asyncio.Task[object] | None"], ...]] = ContextVar("under_way", default=())


class under_way:  # noqa: N801 - a context manager, entered for each job: a class, since a generator takes twice as long
    """Marks an entry as being built, to detect cycles. An error of its constructor or factory names the entry.

    Entered, it gives the TRANSIENT instances that are made for the entry; none are noted unless it is a singleton.

    Args:
        parts: what was made for it so far, where its building was begun before.

    Raises:
        BuildCircleError: it is under way already: its constructor or factory asked for what needs it.
    """

    __slots__ = ("_collected", "_entry", "_graph", "_marked", "_parts")

    def __init__(self, entry: Entry, graph: Graph, parts: TransientInstances | None = None) -> None:
        self._entry = entry
        self._graph = graph
        self._parts = parts or TransientInstances(is_open=entry.scope is Scope.SINGLETON)

    def __enter__(self) -> TransientInstances:
        outer, mark = _UNDER_WAY.get(), (self._entry, _current_task())
        if mark in outer:
            raise BuildCircleError(label(self._entry.token), label(outer[-1][0].token))
        self._marked, self._collected = _UNDER_WAY.set((*outer, mark)), PARTS.set(self._parts)
        return self._parts

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        PARTS.reset(self._collected)
        _UNDER_WAY.reset(self._marked)
        if isinstance(error, Exception):
            self._parts.is_open = False
            error.add_note(
                f"while building {label(self._entry.token)} of {' > '.join(self._graph.path(self._entry.node))}"
            )


def _current_task() -> "asyncio.Task[object] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # there is no event loop here
        return None
