"""LazyModuleLoader: modules that join a running application when they are first needed."""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from bullworks.core.building import build_async, close_resources
from bullworks.core.container import ModuleContainer
from bullworks.core.error_text import render_duplicate
from bullworks.core.errors import ApplicationStateError
from bullworks.core.graph import Graph
from bullworks.core.linking import Linker
from bullworks.core.module_ref import ModuleRef
from bullworks.core.node import ModuleNode
from bullworks.core.problems import DuplicateExport

log = logging.getLogger(__name__)

# What is built, and the hooks that are called, while a module is loaded may load others: they do not wait for that one.
# A task that they leave running has a copy of this, which means nothing once the load has ended.
_PART_OF: ContextVar[object | None] = ContextVar("part_of", default=None)


@dataclass(frozen=True, slots=True)
class Extension:
    """Modules that were linked into a graph.

    Args:
        root: the one that was asked for.
        added: those that were not there yet; none if the root was.
        duplicates: tokens that one of them imports twice.
        undo: takes them out again.
    """

    root: ModuleNode
    added: tuple[ModuleNode, ...]
    duplicates: tuple[DuplicateExport, ...]
    undo: Callable[[], None]


Extend = Callable[[Graph, Any], Extension]
"""Links a module and what it imports into a graph. Raises WiringError, and the graph is as it was."""


class LazyModuleLoader:
    """Injectable: loads modules into the running application, each once, with all that they import.

        reports = await self.loader.load(lambda: ReportsModule)
        service = reports.get(ReportService)

    What the application has already is shared; lifecycle hooks are called as at the start, and at the end. Such a
    module is not global, and has no processors, listeners or scheduled methods: those are looked for at the start.
    """

    def __init__(self, linker: Linker, extend: Extend) -> None:
        self._linker = linker
        self._graph = linker.graph
        self._extend = extend

    async def load(self, module: Callable[[], Any] | type[Any] | ModuleContainer) -> ModuleRef:
        """Load a module, unless it is there; returns what looks things up as that module sees them.

        Args:
            module: a function, sync or async, that imports and returns the module's class, or what `for_root()`
                returned; or that itself.

        Raises:
            WiringError, SettingsError, ExceptionGroup: it does not fit in, as at the start; nothing of it stays.
            ApplicationStateError: the application does not run, or is asked to stop.
            Exception: what its factories and start hooks raise; what was built is closed.
        """
        given: Any = module if isinstance(module, type | ModuleContainer) else module()
        if isawaitable(given):
            given = await given
        outer = _PART_OF.get()
        if outer is not None and outer is self._graph.load:
            return await self._load(given)
        load = object()
        token = _PART_OF.set(load)
        try:
            async with self._graph.loading:
                self._graph.load = load
                try:
                    return await self._load(given)
                finally:
                    self._graph.load = None
        finally:
            _PART_OF.reset(token)

    async def _load(self, given: Any) -> ModuleRef:
        graph, lifecycle = self._graph, self._graph.lifecycle
        if lifecycle is None or not graph.is_running or graph.shutdown.requested.is_set():
            problem = "modules can be loaded while it runs, not before it starts and once it is asked to stop"
            raise ApplicationStateError(graph.root.spec.name, problem)
        extension = self._extend(graph, given)
        added = extension.added
        if added:
            for duplicate in extension.duplicates:
                log.warning("%s", render_duplicate(duplicate))
            try:
                await build_async(graph)
                await lifecycle.join(added)
            except BaseException as failure:
                errors: list[Exception] = []
                await close_resources(graph, errors, added)
                extension.undo()
                for error in errors:
                    failure.add_note(f"and while closing what had been built: {error!r}")
                raise
        return ModuleRef(extension.root, self._linker)
