"""Lifecycle hooks: methods of providers that are called when the application starts and closes.

Each hook runs on all providers before the next one runs on any. On the way up leaf modules come first, and
within and between modules what is needed before what needs it; on the way down the order is reversed.

    up    on_module_init()                      everything is built
          on_application_bootstrap()            every module is initialised
          on_application_start()                for framework modules: take work from outside from now on
    down  on_application_drain()                for framework modules: take no more, finish what is running
          on_module_destroy()
          before_application_shutdown(signal)
          on_application_disconnect()           for framework modules: close queues, producers, listeners
          on_application_shutdown(signal)
          generator factories are resumed       connections and other resources

Work is drained first, while everything it may use is still open, and connections go last: a job in flight can
still add a job. A hook may be sync or async, and may leave the signal's name out of its parameters.

Singletons have them called, and the TRANSIENT instances that were made for singletons, each before its singleton; as in
Nest. Not those that a caller requested: `ModuleRef.resolve()` gives them, and forgets them.
"""

import inspect
from collections.abc import Collection, Sequence

from bullworks.arity import most_arguments
from bullworks.core.building import instances_with_parts
from bullworks.core.graph import Graph
from bullworks.core.hooks import hook_of
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.tokens import label

_INIT_HOOK = "on_module_init"
_LATER_START_HOOKS = ("on_application_bootstrap", "on_application_start")
_STOP_HOOKS = (
    ("on_application_drain", False),
    ("on_module_destroy", False),
    ("before_application_shutdown", True),
    ("on_application_disconnect", False),
    ("on_application_shutdown", True),
)


class Lifecycle:
    """Calls the hooks of one application; only instances that were initialised get stop hooks."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._initialised: list[tuple[Entry, object]] = []
        self._started: list[str] = []
        self.running_hook = "no hook"
        """Which hook is running, for the message about one that never ends."""

    async def start(self) -> None:
        """Call the start hooks; stops at the first error."""
        self._started.clear()
        for entry, instance in instances_with_parts(self._graph):
            await self._init(entry, instance)
        for hook in _LATER_START_HOOKS:
            for entry, instance in self._initialised:  # grows where a hook loads a module
                await self._call(entry, instance, hook)
            self._started.append(hook)

    async def join(self, nodes: Collection[ModuleNode]) -> None:
        """Call the start hooks of modules that were loaded later, as far as the others have had them.

        After a failure the stop hooks of those that were initialised are called.
        """
        known = {id(instance) for _, instance in self._initialised}
        joined: list[tuple[Entry, object]] = []
        try:
            for entry, instance in instances_with_parts(self._graph):
                if entry.node in nodes and id(instance) not in known:
                    joined.append(await self._init(entry, instance))
            for hook in tuple(self._started):
                for entry, instance in joined:
                    await self._call(entry, instance, hook)
        except BaseException as failure:
            gone = {id(instance) for _, instance in joined}
            self._initialised[:] = [each for each in self._initialised if id(each[1]) not in gone]
            errors: list[Exception] = []
            await self._stop(joined, None, errors)
            for error in errors:
                failure.add_note(f"and while stopping what had been initialised: {error!r}")
            raise

    async def stop(self, signal: str | None, errors: list[Exception]) -> None:
        """Call the stop hooks of all initialised instances; an error goes to `errors`, and the others still run."""
        await self._stop(self._initialised, signal, errors)
        self._initialised.clear()

    async def _init(self, entry: Entry, instance: object) -> tuple[Entry, object]:
        await self._call(entry, instance, _INIT_HOOK)
        self._initialised.append((entry, instance))
        return entry, instance

    async def _stop(
        self, instances: Sequence[tuple[Entry, object]], signal: str | None, errors: list[Exception]
    ) -> None:
        for hook, takes_signal in _STOP_HOOKS:
            for entry, instance in reversed(instances):
                try:
                    await self._call(entry, instance, hook, *([signal] if takes_signal else []))
                except Exception as error:  # noqa: BLE001 - the others must get their stop hook as well
                    errors.append(error)

    async def _call(self, entry: Entry, instance: object, hook: str, *arguments: object) -> None:
        method = hook_of(instance, hook)
        if method is None:
            return
        self.running_hook = f"{label(entry.token)}.{hook}()"
        try:
            result = method(*arguments[: most_arguments(method, len(arguments))]) if arguments else method()
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            error.add_note(f"in {self.running_hook} of {' > '.join(self._graph.path(entry.node))}")
            raise
