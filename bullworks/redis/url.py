"""Redis URLs: parsed into an Address, redacted for messages. Pure.

Forms: `redis://`, `rediss://` (TLS, verified) and `unix://`. What is wrong with a URL is said without
showing a password, also where the URL is so broken that it is unclear which part the password is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from bullworks.redis.address import Address, Transport
from bullworks.redis.errors import BadUrlError
from bullworks.redis.url_options import OPTIONS, SECRET_OPTIONS, SENTINEL_OPTIONS, read_options, timeout_ms

KNOWN_FORMS = (
    "Known forms: redis://[user:password@]host[:port][/db], rediss://... (TLS), "
    "unix://[user:password@]/path/to/socket[?db=n], redis+sentinel://host:port[,host:port]/service[/db], "
    "redis+cluster://host:port[,host:port] (the last two with TLS: rediss+...)"
)
_TRANSPORTS: Mapping[str, Transport] = {"redis": "tcp", "rediss": "tls", "unix": "unix"}
_BARE_PLACE = re.compile(r"[\w.-]+(:\d{1,5})?(/\d*)?")
_MAX_PORT = 65_535


def parse_url(url: str) -> Address:
    """Parse a Redis URL to an address.

    Raises:
        BadUrlError: an unknown scheme or option, a bad port, database or value.
    """
    if "://" not in url:
        raise bad_url(url, "it has no scheme", f"{KNOWN_FORMS}.")
    scheme = url.split("://", 1)[0].lower()
    transport = _TRANSPORTS.get(scheme)
    if transport is None:
        raise bad_url(url, "unknown scheme", f"{KNOWN_FORMS}.")
    parts = split(url)
    options = read_options(parts.query, transport, OPTIONS, lambda reason, hint: bad_url(url, reason, hint))
    username = options.pop("username", None) or unquote(parts.username or "") or None
    password = options.pop("password", None) or unquote(parts.password or "") or None
    connect_timeout_ms = timeout_ms(options)
    db = _database(url, parts, transport, options.pop("db", None))
    path = unquote(parts.path) if transport == "unix" else ""
    if transport == "unix" and not path.strip("/"):
        raise bad_url(url, "the path of the socket is missing", "Write unix:///path/to/socket.")
    return Address(
        transport=transport,
        host=unquote(parts.hostname or "") or "localhost",
        port=_port(url, parts),
        path=path,
        db=db,
        username=username,
        password=password,
        connect_timeout_ms=connect_timeout_ms,
        options=tuple(sorted(options.items())),
    )


def redact_url(url: str) -> str:
    """Replace the password in a URL, and whatever might be one, by `***`, for logs."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return repr(url) if _BARE_PLACE.fullmatch(url) or not url else "***"
    if not re.fullmatch(r"[A-Za-z][\w+.-]*", scheme):
        return "***"
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{scheme}://***"
    login, _, place = parts.netloc.rpartition("@")
    # An @ or # further on, or a port that is not a number, means a password with unescaped characters:
    # no part can be trusted to be what it looks like.
    if "@" in login or "@" in f"{parts.path}{parts.query}" or "#" in rest:
        return f"{scheme}://***"
    if not login and any(":" in part and not re.search(r":-?\d*$", part) for part in place.split(",")):
        return f"{scheme}://***"
    user, colon, _ = login.partition(":")
    shown_login = f"{user}{':***' if colon else ''}@" if login else ""
    query = "&".join(_redact_option(pair) for pair in parts.query.split("&")) if parts.query else ""
    return f"{scheme}://{shown_login}{place}{parts.path}{'?' if query else ''}{query}"


def _redact_option(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if not equals:
        return "***"
    is_shown = unquote(name) in SENTINEL_OPTIONS and unquote(name) not in SECRET_OPTIONS
    return pair if is_shown else f"{name}=***"


def bad_url(url: str, reason: str, hint: str) -> BadUrlError:
    """Build the error for a bad URL, without anything that may be a password."""
    return BadUrlError(redact_url(url), reason, hint)


def split(url: str) -> SplitResult:
    """Split a URL into its parts.

    Raises:
        BadUrlError: it is malformed, as it is when a password in it is not percent-encoded.
    """
    encode = "In a user name or password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F."
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None:
        raise bad_url(url, "it cannot be parsed", encode)
    if parts.netloc.count("@") > 1 or "#" in url or "@" in f"{parts.path}{parts.query}":
        raise bad_url(url, "it has an unescaped @ or #", encode)
    return parts


def _port(url: str, parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    return 6379 if port is None else checked_port(url, port)


def checked_port(url: str, port: int) -> int:
    """Check that a port is valid. Raises BadUrlError."""
    if not 1 <= port <= _MAX_PORT:
        raise bad_url(url, f"the port is not a number from 1 to {_MAX_PORT}", f"{KNOWN_FORMS}.")
    return port


def _database(url: str, parts: SplitResult, transport: Transport, from_query: int | None) -> int:
    text = "" if transport == "unix" else unquote(parts.path).strip("/")
    if not text:
        return from_query or 0
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise bad_url(url, "the database is not a number", "Databases are numbered from 0: redis://host:6379/0.")
    if from_query is not None and from_query != int(text):
        raise bad_url(url, "it names two databases", "Give the path /db or the option ?db=, not both.")
    return int(text)
