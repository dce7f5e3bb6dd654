"""What an override on a provider means for the objects that exist already."""

import warnings

from dependency_injector import providers

from bullworks.core.errors import OverrideTooLateWarning, RecipeInUseError
from bullworks.core.graph import Graph
from bullworks.core.node import Entry
from bullworks.core.tokens import label
from bullworks.core.watched import WatchedContextLocal, WatchedLink


class EntryWatch:
    """Carries an override of one entry to those who were built with it."""

    def __init__(self, entry: Entry, graph: Graph) -> None:
        self._entry = entry
        self._graph = graph

    def before_override(self) -> None:
        """Refuse what would reach nobody.

        Raises:
            RecipeInUseError: the container is a recipe, and an open application has a copy of its own.
        """
        if self._graph.open_copies:
            raise RecipeInUseError(label(self._entry.token), self._graph.root.spec.name)

    def after_override(self) -> None:
        """Have the consumers built again, or warn that they can no longer be."""
        self._graph.changed()
        kept = self._rebuild_consumers()
        if kept:
            warnings.warn(
                f"{label(self._entry.token)} was overridden after {', '.join(kept)} had been built; "
                "override before the application starts",
                OverrideTooLateWarning,
                stacklevel=3,  # the caller of provider.override()
            )

    def after_reset(self) -> None:
        """Have the consumers built again where that is possible."""
        self._graph.changed()
        self._rebuild_consumers()

    def after_forget(self) -> None:
        """The next build makes the instance anew; one of a running application stays what it is."""
        if not self._graph.is_running:
            self._entry.is_built, self._entry.instance, self._entry.parts = False, None, ()

    def _rebuild_consumers(self) -> list[str]:
        """Forget what was built with the entry; the names of those that must stay."""
        if self._graph.is_running:
            consumers = self._graph.dependents(self._entry)
            return [label(consumer.token) for consumer in consumers if consumer.is_built]
        forgotten = {entry: forget(entry) for entry in (self._entry, *self._graph.dependents(self._entry))}
        return [label(entry.token) for entry, gone in forgotten.items() if not gone and entry is not self._entry]


def forget(entry: Entry) -> bool:
    """Let the next call make a new instance; False if there is one that has to be closed first."""
    provider = entry.provider
    if isinstance(provider, providers.BaseResource) and provider.initialized:
        return False
    if isinstance(provider, WatchedContextLocal):
        provider.forget()
    elif isinstance(provider, providers.BaseSingleton):
        provider.reset()
    elif isinstance(provider, WatchedLink):
        provider.unsettle()
    entry.is_built, entry.instance, entry.parts = False, None, ()
    return True
