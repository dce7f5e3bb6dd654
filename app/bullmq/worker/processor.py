"""Processor: the function that a worker runs for each job, and what it expects."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

Processor = Callable[..., Any]
"""`async def process(job: Job)`, or a plain function of a SyncJob, which runs in a thread.

Either may take the job's CancelSignal as its second argument."""


def is_async(processor: Processor) -> bool:
    """Whether calling it gives a coroutine: an async function, bound or not, partial, or an object with one."""
    while isinstance(processor, partial):
        processor = processor.func
    return inspect.iscoroutinefunction(processor) or inspect.iscoroutinefunction(type(processor).__call__)


def takes_signal(processor: Processor) -> bool:
    """Whether it takes a second argument: one that it needs, or one that is called `signal`."""
    try:
        parameters = list(inspect.signature(processor).parameters.values())
    except (TypeError, ValueError):  # a builtin that does not say
        return False
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    return len(positional) > 1 and (positional[1].name == "signal" or positional[1].default is inspect.Parameter.empty)
