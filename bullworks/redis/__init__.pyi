from bullworks.redis.address import Address
from bullworks.redis.connecting import connection_to
from bullworks.redis.connection_options import ConnectionOptions, url_of
from bullworks.redis.endpoint import Client, Endpoint
from bullworks.redis.errors import (
    BadUrlError,
    ConnectError,
    ConnectionLostError,
    EmbeddedServerError,
    RedisError,
    UnusableClientError,
)
from bullworks.redis.group.hash_slot import has_tag
from bullworks.redis.lease import Lease
from bullworks.redis.pace import Pace, retry_pause_s
from bullworks.redis.patience import persist
from bullworks.redis.pipelined import Argument, PipelinedConnection
from bullworks.redis.script import Script
from bullworks.redis.server_error import ServerError
from bullworks.redis.url import parse_url

__all__ = [
    "Address",
    "Argument",
    "BadUrlError",
    "Client",
    "ConnectError",
    "ConnectionLostError",
    "ConnectionOptions",
    "EmbeddedServerError",
    "Endpoint",
    "Lease",
    "Pace",
    "PipelinedConnection",
    "RedisError",
    "Script",
    "ServerError",
    "UnusableClientError",
    "connection_to",
    "has_tag",
    "parse_url",
    "persist",
    "retry_pause_s",
    "url_of",
]
