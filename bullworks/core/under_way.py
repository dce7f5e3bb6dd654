"""Which providers the running code is in the midst of building: one that asks for itself would never end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bullworks.core.errors import BuildCircleError
from bullworks.core.graph import Graph
from bullworks.core.node import Entry
from bullworks.core.scope import Scope
from bullworks.core.tokens import label
from bullworks.core.watched import PARTS, Parts

# With the task: one that a factory leaves running has a copy of this, and may well wait for the factory.
_UNDER_WAY: ContextVar[tuple[tuple[Entry, "asyncio.Task[object] | None"], ...]] = ContextVar("under_way", default=())


@contextmanager
def under_way(entry: Entry, graph: Graph, parts: Parts | None = None) -> Iterator[Parts]:
    """For as long as an entry is built. An error that its constructor or factory raises says whose it was.

    Args:
        parts: what was made for it so far, where its building was begun before.

    Yields:
        the TRANSIENT instances that are made for it; none are noted unless it is a singleton.

    Raises:
        BuildCircleError: it is under way already: its constructor or factory asked for what needs it.
    """
    outer, task = _UNDER_WAY.get(), _current_task()
    if (entry, task) in outer:
        raise BuildCircleError(label(entry.token), label(outer[-1][0].token))
    parts = parts or Parts(is_open=entry.scope is Scope.SINGLETON)
    marked, collected = _UNDER_WAY.set((*outer, (entry, task))), PARTS.set(parts)
    try:
        yield parts
    except Exception as error:
        parts.is_open = False
        error.add_note(f"while building {label(entry.token)} of {' > '.join(graph.path(entry.node))}")
        raise
    finally:
        PARTS.reset(collected)
        _UNDER_WAY.reset(marked)


def _current_task() -> "asyncio.Task[object] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # there is no event loop here
        return None
