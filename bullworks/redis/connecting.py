"""The connection that fits what is at an endpoint: one server, a master with sentinels, or a cluster."""

from bullworks.redis.endpoint import Endpoint
from bullworks.redis.group.cluster_connection import ClusterConnection
from bullworks.redis.group.following import FollowingConnection
from bullworks.redis.pipelined import PipelinedConnection


def connection_to(
    endpoint: Endpoint, *, key: str | None = None, client_name: str | None = None, reply_timeout_ms: int = 10_000
) -> PipelinedConnection:
    """Create a connection that reaches the right server, even after a failover or a cluster's slot migration.

    Args:
        key: for the keys in this one's slot only; `send`, and commands that name no key, need no more than that.
            None means all keys; `run(script, keys, args)` and `execute("GET", key)` each go to their key's node.
        client_name, reply_timeout_ms: as of PipelinedConnection.
    """
    if endpoint.group is None:
        return PipelinedConnection(endpoint, client_name=client_name, reply_timeout_ms=reply_timeout_ms)
    if key is None and endpoint.has_slots:
        return ClusterConnection(endpoint, client_name=client_name, reply_timeout_ms=reply_timeout_ms)
    return FollowingConnection(endpoint, key=key, client_name=client_name, reply_timeout_ms=reply_timeout_ms)
