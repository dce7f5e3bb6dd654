"""AsyncConsole: Python's console, in which `await` works, over an event loop in a thread of its own."""

import ast
import asyncio
import code
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from inspect import CO_COROUTINE
from types import CodeType, FunctionType, TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread, for a main thread that waits for a person to type.

    Args:
        new_loop: makes the loop; asyncio's own if it is None.
    """

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
        self._loop = (new_loop or asyncio.new_event_loop)()
        self._thread = threading.Thread(target=self._loop.run_forever, name="shell-loop", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop, and wait for its result; Ctrl-C cancels it, then raises KeyboardInterrupt."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise


class AsyncConsole(code.InteractiveConsole):
    """Runs what is typed in the loop, `await` at the top included; names stay from one line to the next."""

    def __init__(self, names: dict[str, Any], loop: LoopThread) -> None:
        super().__init__(names)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._has_failed = False
        self._names = names
        self._loop = loop

    def run_text(self, text: str) -> bool:
        """Run code as a whole, and print its value or its error; returns whether there was no error."""
        self._has_failed = False
        try:
            compiled = self.compile.compiler(text, "<command>", "exec" if "\n" in text else "single")
        except (SyntaxError, ValueError, OverflowError):
            self.showsyntaxerror("<command>")
            return False
        self.runcode(compiled)
        return not self._has_failed

    def runcode(self, code: CodeType) -> None:
        """Run one statement, and print its error if it has one.

        Raises:
            SystemExit: it was `exit()`.
        """
        try:
            error = self._loop.run(self._run(code))
            if error is not None:
                raise error
        except SystemExit:
            raise
        except KeyboardInterrupt:
            self.write("\nKeyboardInterrupt\n")
        except BaseException:  # noqa: BLE001 - whatever was typed, the console goes on
            self._has_failed = True
            self.showtraceback()

    async def _run(self, code: CodeType) -> BaseException | None:
        try:
            result = FunctionType(code, self._names)()
            if code.co_flags & CO_COROUTINE:
                await result
        except BaseException as error:  # `exit()` too would end the loop
            if isinstance(error, asyncio.CancelledError):
                raise
            return error
        return None
