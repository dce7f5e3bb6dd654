"""Finds the methods that are scheduled in an application."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bullworks.core import Discovery, ProviderKind, marked_methods
from bullworks.schedule.decorators.cron import CRON, CronMark
from bullworks.schedule.decorators.interval import INTERVAL, IntervalMark
from bullworks.schedule.decorators.timeout import TIMEOUT, TimeoutMark
from bullworks.schedule.errors import JobSetupError

Mark = CronMark | IntervalMark | TimeoutMark


@dataclass(frozen=True, slots=True)
class FoundMark:
    """A schedule decorator found on a method of a provider's class.

    Args:
        cls: the provider's class.
        instance: the provider; None where it is not built.
        is_eager: it is, or will be, built at the start.
        method: the method's name.
    """

    cls: type[Any]
    instance: object
    is_eager: bool
    method: str
    mark: Mark

    @property
    def where(self) -> str:
        """The method's name for messages."""
        return f"{self.cls.__name__}.{self.method}"

    def problem(self, error: type[JobSetupError], text: str) -> JobSetupError:
        """Build an error about the method."""
        return error(self.where, str(self.mark), text)


def found_marks(discovery: Discovery) -> Iterator[FoundMark]:
    """Find every decorated method of every provider, built or not; once for each instance."""
    seen: set[int] = set()
    for provider in discovery.providers():
        if provider.made_from is None or provider.kind is ProviderKind.ALIAS:
            continue
        instance = provider.instance if provider.is_built else None
        if instance is not None:
            # a value that two modules provide
            if id(instance) in seen:
                continue
            seen.add(id(instance))
        for method, mark in marks_of(provider.made_from):
            yield FoundMark(provider.made_from, instance, provider.is_eager, method, mark)


def marks_of(cls: type[Any]) -> Iterator[tuple[str, Mark]]:
    """Find the decorated methods of a class, including inherited ones."""
    for kind in (CRON, INTERVAL, TIMEOUT):
        for method, marks in marked_methods(cls, kind):
            # decorators are applied from the bottom up
            for mark in reversed(marks):
                yield method, mark
