"""Builds what does not need each other side by side: a start takes as long as its longest row, not as all together."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator

from bullworks.core.graph import needs
from bullworks.core.node import Entry
from bullworks.core.scope import Scope
from bullworks.core.tokens import label

# One factory has failed: so long the others have to end, or to fail too and be reported, before they are cancelled.
_LAST_WORDS_S = 2.0
# How long a factory that was cancelled may take to end.
_CANCELLED_S = 2.0

Begin = Callable[[Entry], Coroutine[None, None, None] | None]
"""Builds an entry at once and returns None, or returns what is left to be awaited."""


async def build_side_by_side(entries: Iterable[Entry], begin: Begin, what: str) -> None:
    """Build each entry once its dependencies are built; async ones concurrently.

    Args:
        entries: what is to be built, what is needed first.
        what: whose providers they are, for the error.

    Raises:
        Exception: what the one that failed raised.
        ExceptionGroup: several failed, each for itself.
    """
    await _SideBySide(begin).build(list(entries), what)


class _SideBySide:
    """One run: which entries are under way, and which wait for which."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._unfinished: set[Entry] = set()
        self._blockers: dict[Entry, set[Entry]] = {}
        self._waiting_for: dict[Entry, list[Entry]] = {}
        self._tasks: dict[asyncio.Task[None], Entry] = {}
        self._failures: dict[Entry, BaseException] = {}

    async def build(self, entries: list[Entry], what: str) -> None:
        try:
            for entry in entries:
                self._begin_or_wait(entry)
            while self._tasks and not self._failures:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                self._take_in()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_LAST_WORDS_S)
                self._take_in()
        finally:
            await self._cancel_rest()
        failures = [self._failures[entry] for entry in entries if entry in self._failures]
        _raise(failures, what)

    def _begin_or_wait(self, entry: Entry) -> None:
        blockers = {needed for needed in _needed_singletons(entry) if needed in self._unfinished}
        if not blockers:
            self._begin_all(deque([entry]))
            return
        self._unfinished.add(entry)
        self._blockers[entry] = blockers
        for blocker in blockers:
            self._waiting_for.setdefault(blocker, []).append(entry)

    def _begin_all(self, ready: deque[Entry]) -> None:
        """Begin these, and what waited for those among them that are built at once."""
        while ready and not self._failures:
            entry = ready.popleft()
            try:
                rest = self._begin(entry)
            except Exception as error:  # noqa: BLE001 - raised once those under way have ended
                self._failures[entry] = error
                return
            if rest is None:
                ready.extend(self._release_waiting(entry))
            else:
                self._unfinished.add(entry)
                self._tasks[asyncio.create_task(rest, name=f"build {label(entry.token)}")] = entry

    def _release_waiting(self, built: Entry) -> Iterator[Entry]:
        self._unfinished.discard(built)
        for waiting in self._waiting_for.pop(built, ()):
            self._blockers[waiting].discard(built)
            if not self._blockers[waiting]:
                yield waiting

    def _take_in(self) -> None:
        """Note what came of the tasks that have ended, in the order in which they began."""
        built = []
        for task in [task for task in self._tasks if task.done()]:
            entry = self._tasks.pop(task)
            failure = asyncio.CancelledError() if task.cancelled() else task.exception()
            if failure is None:
                built.append(entry)
            else:
                self._failures[entry] = failure
        for entry in built:
            self._begin_all(deque(self._release_waiting(entry)))

    async def _cancel_rest(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            ended, _ = await asyncio.wait(self._tasks, timeout=_CANCELLED_S)
            for task in ended:
                if not task.cancelled():
                    task.exception()  # looked at, or it would be logged as forgotten


def _needed_singletons(entry: Entry) -> Iterator[Entry]:
    """The singletons that an entry needs, also those that a TRANSIENT between them needs."""
    seen: set[Entry] = set()
    rest = needs(entry)
    while rest:
        needed = rest.pop()
        if needed not in seen:
            seen.add(needed)
            yield needed
            if needed.scope is not Scope.SINGLETON or not needed.is_owned:
                rest.extend(needs(needed))


def _raise(failures: list[BaseException], what: str) -> None:
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise BaseExceptionGroup(f"{len(failures)} providers of {what} could not be built", failures)
