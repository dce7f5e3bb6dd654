"""Runs a coroutine in a context of its own, with no task of its own."""

from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class InContext(Generic[T]):
    """Awaitable that runs every step of `coroutine` in `context`, inside the present task.

    A task a job would isolate its context variables too, at 3 us and a turn of the loop each. asyncio's own
    notions, current_task(), timeout(), cancellation, see the task that awaits.
    """

    __slots__ = ("_context", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, T], context: Context) -> None:
        self._coroutine = coroutine
        self._context = context

    def __await__(self) -> Generator[Any, Any, T]:
        run, coroutine = self._context.run, self._coroutine
        is_closing = False
        try:
            waited_for = run(coroutine.send, None)
            while True:
                try:
                    answer = yield waited_for
                except GeneratorExit:
                    is_closing = True
                    coroutine.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - cancellation and errors are the coroutine's to see
                    waited_for = run(coroutine.throw, error)
                else:
                    waited_for = run(coroutine.send, answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        except GeneratorExit as error:
            if is_closing:
                raise
            # Whoever awaits would take it for the end of its own life.
            raise RuntimeError("the coroutine raised GeneratorExit") from error
