"""In-process events: callbacks by name, sync or async, that can never harm a job."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from bullworks.arity import most_positional
from bullworks.bullmq.errors import InvalidOptionError
from bullworks.tasks import wait_or_cancel

log = logging.getLogger(__name__)

Callback = Callable[..., Any]
C = TypeVar("C", bound=Callback)


class Emitter:
    """Calls the callbacks registered for an event; one that raises is logged with `context`.

    Async callbacks run as tasks of the emitter, started in the order of the events; `drain` awaits them.

    Args:
        events: the names there are; None if the emitter's owner checks them.
        context: whose events these are, for the log.
    """

    def __init__(self, events: Collection[str] | None, context: str) -> None:
        self._events = events
        self._context = context
        self._callbacks: dict[str, list[tuple[Callback, Callback]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, event: str, callback: C) -> C:
        """Register `callback`; it may take fewer arguments than the event has.

        Raises:
            InvalidOptionError: there is no such event; the near name is named.
        """
        if self._events is not None and event not in self._events:
            raise InvalidOptionError.unknown(event, self._events)
        self._callbacks.setdefault(event, []).append((callback, _taking_fewer(callback)))
        return callback

    def once(self, event: str, callback: C) -> C:
        """Register `callback` for the next such event only; `off` removes it earlier."""
        self.on(event, callback)
        entries = self._callbacks[event]
        _, call = entries.pop()

        def call_once(*args: Any) -> Any:
            entries = self._callbacks.get(event, [])
            if entry not in entries:  # a callback before this one emitted the event too, or took this one off
                return None
            self._keep(event, [other for other in entries if other is not entry])
            return call(*args)

        entry = (callback, call_once)
        entries.append(entry)
        return callback

    def off(self, event: str, callback: Callback) -> None:
        """Remove a callback; an unknown one is ignored."""
        self._keep(event, [entry for entry in self._callbacks.get(event, []) if entry[0] != callback])

    def has(self, event: str) -> bool:
        """Whether an event has listeners; without any, preparing it is skipped."""
        return bool(self._callbacks.get(event))

    def emit(self, event: str, *args: Any, job_id: str | None = None) -> None:
        for _, call in tuple(self._callbacks.get(event, ())):
            try:
                result = call(*args)
                if inspect.isawaitable(result):
                    task = asyncio.ensure_future(self._await(result, event, job_id))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - a listener never harms a job
                self._log(event, job_id, error)

    async def drain(self, timeout_s: float) -> None:
        """Wait for async callbacks in progress; past the timeout they are cancelled."""
        await wait_or_cancel(self._tasks - {asyncio.current_task()}, timeout_s)

    def _keep(self, event: str, entries: list[tuple[Callback, Callback]]) -> None:
        # An event that nobody listens to leaves nothing behind: there is one for each job.
        if entries:
            self._callbacks[event] = entries
        else:
            self._callbacks.pop(event, None)

    async def _await(self, result: Any, event: str, job_id: str | None) -> None:
        try:
            await result
        except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a listener never harms a job
            self._log(event, job_id, error)

    def _log(self, event: str, job_id: str | None, error: BaseException) -> None:
        log.error(
            "%s: a callback of the event %s failed",
            self._context,
            event,
            exc_info=error,
            extra={"queue": self._context, "event": event, "job_id": job_id},
        )


def _taking_fewer(callback: Callback) -> Callback:
    most = most_positional(callback)
    return callback if most is None else lambda *args: callback(*args[:most])
