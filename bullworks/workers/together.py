"""Several steps at once, of which each is taken whatever becomes of the others."""

import asyncio
from collections.abc import Awaitable, Iterable


async def together(failure: str, steps: Iterable[Awaitable[object]]) -> None:
    """Run all steps concurrently; a failing step does not stop the others.

    Raises:
        Exception, ExceptionGroup: what one raised; what several raised, under the text `failure`.
    """
    results = await asyncio.gather(*steps, return_exceptions=True)
    errors = [result for result in results if isinstance(result, Exception)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(failure, errors)
