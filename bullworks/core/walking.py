"""Walking a graph in depth, with a trail of our own: a chain may be longer than Python's stack is deep."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

N = TypeVar("N")


def dependencies_first(starts: Iterable[N], needs: Callable[[N], Iterable[N]]) -> Iterator[N]:
    """Sort nodes after their dependencies, each once; within a cycle in any order."""
    entered: set[N] = set()
    for start in starts:
        if start in entered:
            continue
        entered.add(start)
        trail = [(start, iter(needs(start)))]
        while trail:
            node, rest = trail[-1]
            following = next((needed for needed in rest if needed not in entered), None)
            if following is None:
                trail.pop()
                yield node
            else:
                entered.add(following)
                trail.append((following, iter(needs(following))))


def find_cycles(starts: Iterable[N], needs: Callable[[N], Iterable[N]]) -> Iterator[list[N]]:
    """Find the cycles of nodes; the last node of each cycle repeats the first."""
    done: set[N] = set()
    for start in starts:
        if start in done:
            continue
        places = {start: 0}
        trail = [(start, iter(needs(start)))]
        while trail:
            node, rest = trail[-1]
            following = next((needed for needed in rest if needed not in done), None)
            if following is None:
                trail.pop()
                del places[node]
                done.add(node)
            elif following in places:
                yield [*(each for each, _ in trail[places[following] :]), following]
            else:
                places[following] = len(trail)
                trail.append((following, iter(needs(following))))
