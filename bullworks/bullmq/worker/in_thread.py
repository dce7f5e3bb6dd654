"""What a handler comes to that runs in a thread."""

from collections.abc import Callable
from typing import Any


def returned_or_raised(function: Callable[..., Any], *args: Any) -> tuple[Any, BaseException | None]:
    """Call a handler in its thread; some of what it may raise no future can carry, or would end the loop."""
    try:
        return function(*args), None
    except (StopIteration, KeyboardInterrupt, GeneratorExit) as error:
        ended = RuntimeError(f"the handler raised {type(error).__name__}")
        ended.__cause__ = error
        return None, ended
    except BaseException as error:  # noqa: BLE001 - whatever comes out of a handler is one failed attempt
        return None, error
