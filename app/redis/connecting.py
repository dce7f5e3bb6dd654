"""The connection for whoever speaks of many keys."""

from app.redis.endpoint import Endpoint
from app.redis.pipelined import PipelinedConnection


def connection_to(
    endpoint: Endpoint, *, client_name: str | None = None, reply_timeout_ms: int = 10_000
) -> PipelinedConnection:
    """A connection for all keys there are: `run(script, keys, args)` and `execute("GET", key)` reach the right server.

    Args: as of PipelinedConnection.
    """
    return PipelinedConnection(endpoint, client_name=client_name, reply_timeout_ms=reply_timeout_ms)
