"""What an override on a provider means for the objects that exist already."""

import warnings

from dependency_injector import providers

from bullworks.core.errors import OverrideTooLateWarning, RecipeInUseError
from bullworks.core.graph import Graph
from bullworks.core.node import Entry
from bullworks.core.tokens import label
from bullworks.core.watched import WatchedContextLocal, WatchedLink


class EntryWatch:
    """Notifies the consumers of one entry when it is overridden."""

    def __init__(self, entry: Entry, graph: Graph) -> None:
        self._entry = entry
        self._graph = graph

    def before_override(self) -> None:
        """Refuse an override that would have no effect.

        Raises:
            RecipeInUseError: the container is a recipe, and an open application has a copy of its own.
        """
        if self._graph.open_copies:
            raise RecipeInUseError(label(self._entry.token), self._graph.root.spec.name)

    def after_override(self) -> None:
        """Rebuild the consumers, or warn that they can no longer be rebuilt."""
        self._graph.changed()
        self._graph.durable.retire()
        kept = self._rebuild_consumers()
        if kept:
            warnings.warn(
                f"{label(self._entry.token)} was overridden after {', '.join(kept)} had been built; "
                "override before the application starts",
                OverrideTooLateWarning,
                stacklevel=3,  # the caller of provider.override()
            )

    def after_reset(self) -> None:
        """Rebuild the consumers where possible."""
        self._graph.changed()
        self._graph.durable.retire()
        self._rebuild_consumers()

    def after_forget(self) -> None:
        """Discard the entry's instance, so that the next build makes a new one; a running application keeps it."""
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
    """Discard an entry's instance; False if it has one that must be closed first."""
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
