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

from bullworks.arity import most_arguments
from bullworks.core.building import instances_with_parts
from bullworks.core.graph import Graph
from bullworks.core.hooks import hook_of
from bullworks.core.node import Entry
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
        self.running_hook = "no hook"
        """Which hook is running, for the message about one that never ends."""

    async def start(self) -> None:
        """Call the start hooks; stops at the first error."""
        for entry, instance in instances_with_parts(self._graph):
            await self._call(entry, instance, _INIT_HOOK)
            self._initialised.append((entry, instance))
        for hook in _LATER_START_HOOKS:
            for entry, instance in self._initialised:
                await self._call(entry, instance, hook)

    async def stop(self, signal: str | None, errors: list[Exception]) -> None:
        """Call the stop hooks of all initialised instances; an error goes to `errors`, and the others still run."""
        for hook, takes_signal in _STOP_HOOKS:
            for entry, instance in reversed(self._initialised):
                try:
                    await self._call(entry, instance, hook, *([signal] if takes_signal else []))
                except Exception as error:  # noqa: BLE001 - the others must get their stop hook as well
                    errors.append(error)
        self._initialised.clear()

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
