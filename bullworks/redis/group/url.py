"""URLs of Sentinel and Cluster: parsed into a group of servers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote

from bullworks.redis.address import Address, Transport
from bullworks.redis.group.cluster import Cluster
from bullworks.redis.group.sentinels import Sentinels
from bullworks.redis.url import bad_url, checked_port, split
from bullworks.redis.url_options import OPTIONS, SENTINEL_OPTIONS, read_options, timeout_ms

SENTINEL_FORM = "redis+sentinel://[user:password@]host:port[,host:port]/service[/db], with TLS rediss+sentinel://"
CLUSTER_FORM = "redis+cluster://[user:password@]host:port[,host:port], with TLS rediss+cluster://"
_SENTINEL_PORT = 26_379
_CLUSTER_PORT = 6_379
_TRANSPORTS: Mapping[str, Transport] = {
    "redis+sentinel": "tcp",
    "rediss+sentinel": "tls",
    "redis+cluster": "tcp",
    "rediss+cluster": "tls",
}
# A host name, an IPv4 address, or an IPv6 address in brackets; and a port.
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^:\[\]]+)(:(?P<port>[0-9]{1,5}))?")


def is_group_url(url: str) -> bool:
    """Whether the URL's scheme is one of Sentinel's or Cluster's."""
    return _scheme(url) in _TRANSPORTS


def parse_group_url(url: str) -> Sentinels | Cluster:
    """Parse a URL that names Sentinels or a cluster.

    Raises:
        BadUrlError: an unknown option, a bad host, port, database or value, or no service.
    """
    scheme = _scheme(url)
    # urllib knows no list of hosts: it is taken out first, and the rest taken apart with one in its place.
    before, login, hosts, after = _cut(url)
    parts = split(f"{before}{login}h{after}")
    transport = _TRANSPORTS[scheme]
    if scheme.endswith("sentinel"):
        return _sentinels(url, parts, hosts, transport)
    return _cluster(url, parts, hosts, transport)


def _scheme(url: str) -> str:
    return url.split("://", 1)[0].lower() if "://" in url else ""


def _cut(url: str) -> tuple[str, str, str, str]:
    """`scheme://`, `user:password@`, the hosts, and what follows them."""
    scheme, _, rest = url.partition("://")
    end = next((at for at, character in enumerate(rest) if character in "/?#"), len(rest))
    login, at, hosts = rest[:end].rpartition("@")
    return f"{scheme}://", login + at, hosts, rest[end:]


def _sentinels(url: str, parts: SplitResult, hosts: str, transport: Transport) -> Sentinels:
    options = read_options(parts.query, transport, SENTINEL_OPTIONS, lambda reason, hint: bad_url(url, reason, hint))
    sentinel_login = (options.pop("sentinel_username", None), options.pop("sentinel_password", None))
    path = [unquote(part) for part in parts.path.strip("/").split("/")] if parts.path.strip("/") else []
    if not 1 <= len(path) <= 2:
        raise bad_url(url, "it must name a service, and a database at most", f"Write {SENTINEL_FORM}.")
    db = _database(url, path[1] if len(path) == 2 else None, options.pop("db", None))
    login = _login(parts, transport, db, options)
    nodes = [
        Address(
            transport=transport,
            host=host,
            port=port,
            username=sentinel_login[0],
            password=sentinel_login[1],
            options=login.options,
        )
        for host, port in _hosts(url, hosts, _SENTINEL_PORT, SENTINEL_FORM)
    ]
    return Sentinels(path[0], nodes, login)


def _cluster(url: str, parts: SplitResult, hosts: str, transport: Transport) -> Cluster:
    options = read_options(parts.query, transport, OPTIONS, lambda reason, hint: bad_url(url, reason, hint))
    if _database(url, unquote(parts.path).strip("/") or None, options.pop("db", None)) != 0:
        raise bad_url(url, "it names a database", "A cluster has database 0 only: leave it out.")
    login = _login(parts, transport, 0, options)
    return Cluster([login.at(host, port) for host, port in _hosts(url, hosts, _CLUSTER_PORT, CLUSTER_FORM)])


def _login(parts: SplitResult, transport: Transport, db: int, options: dict[str, object]) -> Address:
    username = options.pop("username", None) or unquote(parts.username or "") or None
    password = options.pop("password", None) or unquote(parts.password or "") or None
    connect_timeout_ms = timeout_ms(options)
    return Address(
        transport=transport,
        db=db,
        username=None if username is None else str(username),
        password=None if password is None else str(password),
        connect_timeout_ms=connect_timeout_ms,
        options=tuple(sorted(options.items())),
    )


def _hosts(url: str, hosts: str, port: int, form: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for part in hosts.split(","):
        match = _HOST.fullmatch(part)
        if match is None:
            raise bad_url(url, "a host or port cannot be read", f"Write {form}.")
        given = match["port"]
        found.append((unquote(match["host"].strip("[]")), port if given is None else checked_port(url, int(given))))
    return found


def _database(url: str, from_path: str | None, from_query: int | None) -> int:
    if from_path is None:
        return from_query or 0
    if not re.fullmatch(r"[0-9]{1,9}", from_path):
        raise bad_url(url, "the database is not a number", "Databases are numbered from 0.")
    if from_query is not None and from_query != int(from_path):
        raise bad_url(url, "it names two databases", "Give it in the path or as the option ?db=, not both.")
    return int(from_path)
