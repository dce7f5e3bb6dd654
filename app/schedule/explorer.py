"""Finds the methods that are scheduled in an application."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.core import Discovery
from app.schedule.cron import CRON, CronMark
from app.schedule.errors import JobSetupError
from app.schedule.interval import INTERVAL, IntervalMark
from app.schedule.timeout import TIMEOUT, TimeoutMark

Mark = CronMark | IntervalMark | TimeoutMark


@dataclass(frozen=True, slots=True)
class FoundMark:
    """A decorator above a method of some provider's class.

    Args:
        cls: the provider's class.
        instance: the provider; None where it is not built.
        method: the method's name.
    """

    cls: type[Any]
    instance: object
    method: str
    mark: Mark

    @property
    def where(self) -> str:
        """The method, as messages name it."""
        return f"{self.cls.__name__}.{self.method}"

    def problem(self, error: type[JobSetupError], text: str) -> JobSetupError:
        """What is wrong with it, as an error."""
        return error(self.where, str(self.mark), text)


def found_marks(discovery: Discovery) -> Iterator[FoundMark]:
    """Every decorated method of every provider, whether or not it is built; of one instance, once."""
    seen: set[int] = set()
    for provider in discovery.providers():
        if provider.made_from is None:
            continue
        instance = provider.instance if provider.is_built else None
        if instance is not None:
            # another token for what was seen already
            if id(instance) in seen:
                continue
            seen.add(id(instance))
        for method, mark in marks_of(provider.made_from):
            yield FoundMark(provider.made_from, instance, method, mark)


def marks_of(cls: type[Any]) -> list[tuple[str, Mark]]:
    """The decorated methods of a class, those of base classes included; a method that is overridden counts alone."""
    seen: set[str] = set()
    found: list[tuple[str, Mark]] = []
    for base in cls.__mro__:
        for name, member in vars(base).items():
            if name in seen:
                continue
            seen.add(name)
            function = getattr(member, "__func__", member)
            for kind in (CRON, INTERVAL, TIMEOUT):
                # decorators are written from the bottom up
                marks = vars(function).get(kind, ()) if hasattr(function, "__dict__") else ()
                found.extend((name, mark) for mark in reversed(marks))
    return found
