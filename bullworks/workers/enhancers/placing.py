"""Which enhancers stand around which jobs: those of the application, of processors' classes, and of their methods."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bullworks.core import DiscoveredProvider, RepeatableToken, Scope
from bullworks.workers.enhancers.decorators import (
    Used,
    check_enhancer,
    class_enhancers,
    enhancer_name,
    method_enhancers,
)
from bullworks.workers.enhancers.errors import EnhancerClassError, EnhancerPlaceError
from bullworks.workers.enhancers.kinds import KINDS, PIPE, Kind, Side
from bullworks.workers.errors import WorkersError

Companion = Callable[[type[Any]], DiscoveredProvider | None]


@dataclass(frozen=True, slots=True)
class Placed:
    """One enhancer at one place.

    Args:
        name: of its class, for messages.
        made: itself, or its class; None where only its factory knows, and has not run.
        provider: what gives it; None where it is given as an object.
    """

    kind: Kind
    name: str
    made: Any
    provider: DiscoveredProvider | None

    def takes_part(self, side: Side) -> bool:
        """Whether the enhancer has a method for this side; True where its class is not known yet."""
        return self.made is None or callable(getattr(self.made, self.kind.method(side), None))

    @property
    def is_per_request(self) -> bool:
        """Whether each unit of work has one of its own."""
        return self.provider is not None and self.provider.scope is Scope.REQUEST

    async def resolve(self) -> Any:
        """The enhancer, built if need be."""
        if self.provider is None:
            return self.made
        enhancer = await self.provider.resolve()
        if self.made is None:
            check_enhancer(self.kind, enhancer, self.name)
        return enhancer


def app_enhancer(provider: DiscoveredProvider) -> Placed | None:
    """Return a provider's enhancer for all jobs; None if its token is not APP_GUARD or the like."""
    kind = KINDS.get(provider.token.name) if isinstance(provider.token, RepeatableToken) else None
    if kind is None:
        return None
    made = provider.instance if provider.instance is not None else provider.made_from
    return Placed(kind, " > ".join(provider.path) if made is None else enhancer_name(made), made, provider)


def class_places(cls: type[Any], companion: Companion) -> list[Placed]:
    """Return the enhancers of a processor's class, in the order in which they are written."""
    return [_placed(used, companion) for used in class_enhancers(cls)]


def method_places(cls: type[Any], method: str, companion: Companion) -> list[Placed]:
    """Return the enhancers of one method of a processor."""
    return [_placed(used, companion) for used in method_enhancers(cls).get(method, ())]


def _placed(used: Used, companion: Companion) -> Placed:
    given, name = used.enhancer, enhancer_name(used.enhancer)
    return Placed(used.kind, name, given, companion(given) if isinstance(given, type) else None)


def app_problems(placed: Placed) -> Iterator[WorkersError]:
    """Find problems of an enhancer that is provided for all jobs, as far as its class is known."""
    if placed.made is not None and placed.provider is not None:
        try:
            check_enhancer(placed.kind, placed.made, " > ".join(placed.provider.path))
        except EnhancerClassError as error:
            yield error


def place_problems(
    cls: type[Any], path: str, methods: Sequence[str], companion: Companion
) -> Iterator[EnhancerPlaceError]:
    """Find enhancers on a class that would never run there.

    Args:
        methods: those of it that process jobs; empty: it is no processor.
    """
    marked = method_enhancers(cls)
    of_methods = [used for each in marked.values() for used in each]
    if not methods:
        decorators = _named([*class_enhancers(cls), *of_methods])
        yield EnhancerPlaceError(path, f"has {decorators}, but no @processor: they would never run")
        return
    for method, used in marked.items():
        if method not in methods:
            where = f"put it on the class or on {' or '.join(dict.fromkeys(methods))}"
            yield EnhancerPlaceError(path, f"has {_named(used)} on {method}, which processes no jobs; {where}")
    for each in (*class_enhancers(cls), *of_methods):
        if isinstance(each.enhancer, type) and companion(each.enhancer) is None:
            name = enhancer_name(each.enhancer)
            problem = f"uses {name}, which is not there: nobody could tell before it was built that it does"
            yield EnhancerPlaceError(
                path, f"{problem}; list the class itself, or provide(), not a container's provider"
            )


def pool_problems(path: str, placed: Sequence[Placed]) -> Iterator[EnhancerPlaceError]:
    """Find enhancers that a processor with a process pool cannot have."""
    pipes = dict.fromkeys(each.name for each in placed if each.kind is PIPE and each.takes_part("process"))
    if pipes:
        problem = (
            f"has a process_pool, whose processes read the jobs' own data: {', '.join(pipes)} would change nothing; "
            "call it in `process`, or leave process_pool out"
        )
        yield EnhancerPlaceError(path, problem)


def _named(used: Sequence[Used]) -> str:
    return ", ".join(dict.fromkeys(f"@{each.kind.decorator}({enhancer_name(each.enhancer)})" for each in used))
