"""Which workers this process runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ALL = "all"


@dataclass(frozen=True, slots=True)
class Selection:
    """WORKERS_ENABLED and ENABLED_WORKERS as a predicate over worker names.

    Args:
        is_enabled: whether any worker runs.
        names: those that do; None for all.
    """

    is_enabled: bool = True
    names: frozenset[str] | None = None

    @classmethod
    def of(cls, is_enabled: bool, names: str | Sequence[str]) -> "Selection":  # noqa: FBT001 - the setting's own value
        """Parse `all`, `ticker,candles`, or a sequence of names."""
        listed = names.split(",") if isinstance(names, str) else names
        stripped = frozenset(name.strip() for name in listed) - {""}
        return cls(is_enabled, None if stripped == {ALL} else stripped)

    def is_selected(self, worker: str) -> bool:
        """Whether this process runs the worker of this name."""
        return self.is_enabled and (self.names is None or worker in self.names)

    def unknown(self, known: Iterable[str]) -> list[str]:
        """List the selected names that no worker has."""
        return sorted((self.names or frozenset()) - set(known))
