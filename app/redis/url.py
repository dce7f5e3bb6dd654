"""Redis URLs: parsed into an Address, redacted for messages. Pure.

Forms: `redis://`, `rediss://` (TLS, verified) and `unix://`. What is wrong with a URL is said without
showing a password, also where the URL is so broken that it is unclear which part the password is.
"""

from __future__ import annotations

import difflib
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from app.redis.address import Address, Transport
from app.redis.errors import BadUrlError

KNOWN_FORMS = (
    "Known forms: redis://[user:password@]host[:port][/db], rediss://... (TLS), "
    "unix://[user:password@]/path/to/socket[?db=n]"
)
_TRANSPORTS: Mapping[str, Transport] = {"redis": "tcp", "rediss": "tls", "unix": "unix"}
_PLANNED_SCHEMES = frozenset({"redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"})
_SECRET_OPTIONS = frozenset({"password", "ssl_password"})
_BARE_PLACE = re.compile(r"[\w.-]+(:\d{1,5})?(/\d*)?")
_MAX_PORT = 65_535
_MAX_CONNECT_TIMEOUT_S = 3_600.0


def parse_url(url: str) -> Address:
    """The address that `url` names.

    Raises:
        BadUrlError: an unknown scheme or option, a bad port, database or value.
    """
    if "://" not in url:
        raise _bad(url, "it has no scheme", f"{KNOWN_FORMS}.")
    scheme = url.split("://", 1)[0].lower()
    if scheme in _PLANNED_SCHEMES:
        raise _bad(url, f"{scheme}:// is not supported yet", f"It comes with the next release. {KNOWN_FORMS}.")
    transport = _TRANSPORTS.get(scheme)
    if transport is None:
        raise _bad(url, "unknown scheme", f"{KNOWN_FORMS}.")
    parts = _split(url)
    options = _options(url, parts, transport)
    username = options.pop("username", None) or unquote(parts.username or "") or None
    password = options.pop("password", None) or unquote(parts.password or "") or None
    timeout_s = options.pop("socket_connect_timeout", None)
    db = _database(url, parts, transport, options.pop("db", None))
    path = unquote(parts.path) if transport == "unix" else ""
    if transport == "unix" and not path.strip("/"):
        raise _bad(url, "the path of the socket is missing", "Write unix:///path/to/socket.")
    return Address(
        transport=transport,
        host=unquote(parts.hostname or "") or "localhost",
        port=_port(url, parts),
        path=path,
        db=db,
        username=username,
        password=password,
        connect_timeout_ms=None if timeout_s is None else max(1, round(timeout_s * 1000)),
        options=tuple(sorted(options.items())),
    )


def redact_url(url: str) -> str:
    """`url` fit for a log: the password, and whatever might be one, is `***`."""
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
    # An @ or # further on, or a port that is no number, means a password with unescaped characters:
    # no part can be trusted to be what it looks like.
    if "@" in login or "@" in f"{parts.path}{parts.query}" or "#" in rest:
        return f"{scheme}://***"
    if not login and ":" in place and not re.search(r":-?\d*$", place):
        return f"{scheme}://***"
    user, colon, _ = login.partition(":")
    shown_login = f"{user}{':***' if colon else ''}@" if login else ""
    query = "&".join(_redact_option(pair) for pair in parts.query.split("&")) if parts.query else ""
    return f"{scheme}://{shown_login}{place}{parts.path}{'?' if query else ''}{query}"


def _redact_option(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if not equals:
        return "***"
    is_shown = unquote(name) in _OPTIONS and unquote(name) not in _SECRET_OPTIONS
    return pair if is_shown else f"{name}=***"


def _bad(url: str, reason: str, hint: str) -> BadUrlError:
    return BadUrlError(redact_url(url), reason, hint)


def _split(url: str) -> SplitResult:
    encode = "In a user name or password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F."
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None:
        raise _bad(url, "it cannot be taken apart", encode)
    if parts.netloc.count("@") > 1 or "#" in url or "@" in f"{parts.path}{parts.query}":
        raise _bad(url, "it has an unescaped @ or #", encode)
    return parts


def _port(url: str, parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        return 6379
    if not 1 <= port <= _MAX_PORT:
        raise _bad(url, f"the port is not a number from 1 to {_MAX_PORT}", f"{KNOWN_FORMS}.")
    return port


def _database(url: str, parts: SplitResult, transport: Transport, from_query: int | None) -> int:
    text = "" if transport == "unix" else unquote(parts.path).strip("/")
    if not text:
        return from_query or 0
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise _bad(url, "the database is not a number", "Databases are numbered from 0: redis://host:6379/0.")
    if from_query is not None and from_query != int(text):
        raise _bad(url, "it names two databases", "Give the path /db or the option ?db=, not both.")
    return int(text)


def _options(url: str, parts: SplitResult, transport: Transport) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        reader = _OPTIONS.get(name)
        if reader is None:
            near = difflib.get_close_matches(name, _OPTIONS, n=1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise _bad(url, f"unknown option {name[:40]!r}", f"{meant}Known options: {', '.join(_OPTIONS)}.")
        if name.startswith("ssl_") and transport != "tls":
            raise _bad(url, f"{name} has no meaning without TLS", "Write rediss://.")
        if name in parsed:
            raise _bad(url, f"the option {name} is given twice", "Leave one of them out.")
        try:
            parsed[name] = reader(text)
        except ValueError as error:
            reason = str(error)
        else:
            continue
        raise _bad(url, f"the option {name} {reason}", "Correct it or leave it out.")
    return parsed


def _text(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("is not a whole number >= 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= _MAX_CONNECT_TIMEOUT_S:
        raise ValueError(f"is not a number of seconds from 0 to {_MAX_CONNECT_TIMEOUT_S:g}")
    return value


def _yes_or_no(text: str) -> bool:
    answers = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in answers:
        raise ValueError("is neither true nor false")
    return answers[text.lower()]


def _certificate_rule(text: str) -> str:
    if text not in {"required", "optional", "none"}:
        raise ValueError("is none of required, optional, none")
    return text


def _tls_version(text: str) -> ssl.TLSVersion:
    versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    if text not in versions:
        raise ValueError("is neither 1.2 nor 1.3")
    return versions[text]


_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "db": _whole_number,
    "username": _text,
    "password": _text,
    "socket_connect_timeout": _seconds,
    "socket_keepalive": _yes_or_no,
    "ssl_ca_certs": _text,
    "ssl_ca_path": _text,
    "ssl_certfile": _text,
    "ssl_keyfile": _text,
    "ssl_password": _text,
    "ssl_check_hostname": _yes_or_no,
    "ssl_cert_reqs": _certificate_rule,
    "ssl_min_version": _tls_version,
    "ssl_ciphers": _text,
}
"""Query options and how each is read; the names are redis-py's keyword arguments."""
