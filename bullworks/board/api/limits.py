"""How much the fleet may do: concurrency and rate, of one queue."""

from typing import Any

from bullworks.board.api.call import Call
from bullworks.board.api.checks import whole
from bullworks.board.errors import invalid


async def rate_limit(call: Call) -> dict[str, Any]:
    """Answer with the queue's global rate limit."""
    limit = await call.queue.get_global_rate_limit()
    shown = None if limit is None else {"max": limit.max, "duration": limit.duration_ms}
    return {"supported": True, "rateLimit": shown}


async def set_rate_limit(call: Call) -> dict[str, Any]:
    """Set the queue's global rate limit, or remove it if `max` is null."""
    if call.body.get("max") is None:
        call.remember("none")
        await call.queue.remove_global_rate_limit()
        return {}
    most, duration_ms = whole(call.body.get("max"), 1), whole(call.body.get("duration"), 1)
    if most is None or duration_ms is None:
        raise invalid("INVALID_RATE_LIMIT")
    call.remember(f"{most} per {duration_ms} ms")
    await call.queue.set_global_rate_limit(most, duration_ms)
    return {}


async def release_rate_limit(call: Call) -> dict[str, Any]:
    """End the current rate limit, so that workers take jobs again."""
    await call.queue.remove_rate_limit_key()
    return {}


async def set_concurrency(call: Call) -> dict[str, Any]:
    """Set the queue's global concurrency; 0 removes the limit."""
    concurrency = whole(call.body.get("concurrency"), 0)
    if concurrency is None:
        raise invalid("INVALID_CONCURRENCY")
    call.remember(str(concurrency))
    if concurrency == 0:
        await call.queue.remove_global_concurrency()
    else:
        await call.queue.set_global_concurrency(concurrency)
    return {}
