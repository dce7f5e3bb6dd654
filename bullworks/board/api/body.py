"""The JSON of a request: bounded, strict, and an object."""

import asyncio
import json
from typing import Any

from starlette.requests import Request

from bullworks.board.errors import RefusedError, invalid
from bullworks.bullmq import InvalidPayloadError
from bullworks.bullmq.wire import payload

MOST_BYTES = 1024 * 1024
"""Of a body. Who adds larger jobs has a program for it."""

_SLOWEST_S = 15
"""How long a body may take to come in; a client that never finishes must not hold memory for ever."""


async def json_of(request: Request) -> dict[str, Any]:
    """Parse the JSON object in a request's body; {} if there is no body.

    Raises:
        RefusedError: 413, too large; 408, too slow; 400, not JSON, or not an object.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise _too_large()
    received = bytearray()
    try:
        async with asyncio.timeout(_SLOWEST_S):
            async for chunk in request.stream():
                received += chunk
                if len(received) > MOST_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise RefusedError(408, "INVALID_REQUEST_BODY", f"the body did not arrive within {_SLOWEST_S} s") from None
    if not received:
        return {}
    try:
        body = json.loads(received.decode(), parse_constant=_refuse_constant)
        payload.check(body)
    except (ValueError, RecursionError, InvalidPayloadError) as error:
        raise invalid("INVALID_REQUEST_BODY", f"the body is not usable JSON: {_reason(error)}") from None
    if not isinstance(body, dict):
        raise invalid("INVALID_REQUEST_BODY", "the body must be a JSON object")
    return body


def _too_large() -> RefusedError:
    return RefusedError(413, "INVALID_REQUEST_BODY", f"a body has {MOST_BYTES} bytes at most", code="TOO_LARGE")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
