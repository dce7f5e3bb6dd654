"""Runs a command's coroutine, on uvloop where it is installed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bullworks.cli.early_signals import let_interrupts_raise

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine and return its result. Ctrl-C cancels it, then raises KeyboardInterrupt."""
    let_interrupts_raise()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(coroutine)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Find the maker of event loops: uvloop where it is installed; None means asyncio's own."""
    try:
        import uvloop  # the `fast` extra
    except ImportError:
        return None
    return uvloop.new_event_loop
