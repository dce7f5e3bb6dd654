"""The connection that a queue's part uses."""

import redis.asyncio

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.keys import QueueKeys
from bullworks.redis import ConnectionOptions, Endpoint, Lease, PipelinedConnection, connection_to, has_tag

Connection = str | ConnectionOptions | redis.asyncio.Redis | redis.asyncio.RedisCluster | Endpoint | PipelinedConnection
"""A URL, a dict of one, a client whose settings are read (never used itself), or a connection, which stays open."""


def lease(connection: Connection, keys: QueueKeys | None = None) -> Lease:
    """Lease the connection that the option says: the one that is given, or one of its own.

    Args:
        keys: of the one queue that it is for; None means any keys.

    Raises:
        InvalidOptionError: on a cluster, the queue's keys do not lie together.
        BadUrlError, UnusableClientError: a connection that cannot be used.
    """
    endpoint = endpoint_of(connection, keys)
    if isinstance(connection, PipelinedConnection):
        return Lease(connection if keys is None else connection.at(keys.base), is_own=False)
    return Lease(connection_to(endpoint, key=None if keys is None else keys.base), is_own=True)


def endpoint_of(connection: Connection, keys: QueueKeys | None = None) -> Endpoint:
    """The Redis endpoint of a `connection` option, for callers that open their own connections."""
    endpoint = connection.endpoint if isinstance(connection, PipelinedConnection) else Endpoint.of(connection)
    if keys is not None and endpoint.has_slots:
        check_tagged(keys)
    return endpoint


def check_parent(endpoint: Endpoint, keys: QueueKeys, parent_key: str) -> None:
    """Refuse a parent that a cluster may store on another node than the job. Raises InvalidOptionError."""
    if endpoint.slot_of(keys.base) != endpoint.slot_of(parent_key):
        raise InvalidOptionError(
            "parent",
            f"must be in a queue that shares the tag of queue {keys.name!r} on a Redis Cluster: use one prefix with "
            f"a tag for both, such as {'{bull}'!r}; the parent is {parent_key!r}, the job's prefix {keys.prefix!r}",
        )


def check_tagged(keys: QueueKeys) -> None:
    """Refuse a prefix with which a cluster would spread a queue over several nodes. Raises InvalidOptionError."""
    if not has_tag(keys.base):
        raise InvalidOptionError(
            "prefix",
            f"must hold a tag in braces on a Redis Cluster, so that all keys of queue {keys.name!r} are on one node: "
            f"write prefix={'{' + keys.prefix + '}'!r}, in everything that uses the queue, instead of {keys.prefix!r}",
        )
