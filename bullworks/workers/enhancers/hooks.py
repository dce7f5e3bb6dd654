"""The methods of enhancers that are called for a job, in order, bound and ready."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from bullworks.bullmq.worker.processor import is_async
from bullworks.workers.enhancers.decorators import CAUGHT
from bullworks.workers.enhancers.kinds import FILTER, GUARD, INTERCEPTOR, PIPE
from bullworks.workers.enhancers.placing import Placed

Hook = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Hooks:
    """The enhancers to call for a job, each kind in its order; filters as they are asked.

    Args:
        guards: with their names.
        filters: with the errors that they catch, and their names.
    """

    guards: tuple[tuple[str, Hook], ...]
    interceptors: tuple[Hook, ...]
    pipes: tuple[Hook, ...]
    filters: tuple[tuple[tuple[type[Exception], ...], str, Hook], ...]


class HookSource:
    """Gives the hooks of some places, for processing jobs.

    Args:
        places: global ones, then those of a class, then those of a method; those that have no part in it are left out.
    """

    def __init__(self, places: Sequence[Placed]) -> None:
        self.places = [each for each in places if each.takes_part("process")]
        self._ready: dict[int, Any] = {}
        self._hooks: Hooks | None = None

    @property
    def is_per_request(self) -> bool:
        """Whether some of them are made for each unit of work."""
        return any(each.is_per_request for each in self.places)

    async def hooks(self) -> Hooks:
        """Return the hooks of the present request, for which some may be made anew."""
        if self._hooks is not None:
            return self._hooks
        hooks = self._hooks_of([await self._enhancer(place, each) for place, each in enumerate(self.places)])
        if not self.is_per_request:
            self._hooks = hooks
        return hooks

    async def _enhancer(self, place: int, placed: Placed) -> Any:
        if placed.is_per_request:
            return await placed.resolve()
        if place not in self._ready:
            self._ready[place] = await placed.resolve()
        return self._ready[place]

    def _hooks_of(self, enhancers: Sequence[Any]) -> Hooks:
        found = [
            (each, enhancer, awaited(getattr(enhancer, each.kind.method("process"))))
            for each, enhancer in zip(self.places, enhancers, strict=True)
            if hasattr(enhancer, each.kind.method("process"))
        ]
        return Hooks(
            guards=tuple((each.name, hook) for each, _, hook in found if each.kind is GUARD),
            interceptors=tuple(hook for each, _, hook in found if each.kind is INTERCEPTOR),
            pipes=tuple(hook for each, _, hook in found if each.kind is PIPE),
            filters=tuple(
                (caught_by(each, enhancer), each.name, hook)
                for each, enhancer, hook in reversed(found)
                if each.kind is FILTER
            ),
        )


def caught_by(placed: Placed, enhancer: Any) -> tuple[type[Exception], ...]:
    """The errors that a filter is asked about; a test's mock of one has none of its own."""
    caught: tuple[type[Exception], ...] = getattr(placed.made or enhancer, CAUGHT, (Exception,))
    return caught


def awaited(method: Callable[..., Any]) -> Hook:
    """The method, to be awaited also where it is a plain one."""
    if is_async(method):
        return method

    async def call(*args: Any) -> Any:
        answer = method(*args)
        return await answer if isawaitable(answer) else answer

    return call
