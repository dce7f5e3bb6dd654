"""The options in the query of a Redis URL, and how each is read. Pure."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from bullworks.redis.address import Transport
from bullworks.redis.errors import BadUrlError
from bullworks.suggestion import suggestion

Reader = Callable[[str], Any]
"""Reads an option's text. Raises ValueError with what is wrong, to follow its name."""

SECRET_OPTIONS = frozenset({"password", "ssl_password", "sentinel_password"})
_MAX_CONNECT_TIMEOUT_S = 3_600.0


def read_options(
    query: str, transport: Transport, known: Mapping[str, Reader], refuse: Callable[[str, str], BadUrlError]
) -> dict[str, Any]:
    """Parse the options in a URL's query, by name.

    Args:
        known: how each may be read.
        refuse: makes the error of the URL out of reason and hint.

    Raises:
        BadUrlError: an unknown option, one that is given twice, or a bad value.
    """
    parsed: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        reader = known.get(name)
        if reader is None:
            near = suggestion(name, known)
            meant = f"Did you mean {near}? " if near else ""
            raise refuse(f"unknown option {name[:40]!r}", f"{meant}Known options: {', '.join(known)}.")
        if name.startswith("ssl_") and transport != "tls":
            raise refuse(
                f"{name} has no meaning without TLS", "Write rediss://, rediss+sentinel:// or rediss+cluster://."
            )
        if name in parsed:
            raise refuse(f"the option {name} is given twice", "Leave one of them out.")
        try:
            parsed[name] = reader(text)
        except ValueError as error:
            reason = str(error)
        else:
            continue
        raise refuse(f"the option {name} {reason}", "Correct it or leave it out.")
    return parsed


def timeout_ms(options: dict[str, Any]) -> int | None:
    """Remove the connect timeout from the options and return it."""
    timeout_s = options.pop("socket_connect_timeout", None)
    return None if timeout_s is None else max(1, round(timeout_s * 1000))


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


OPTIONS: Mapping[str, Reader] = {
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

SENTINEL_OPTIONS: Mapping[str, Reader] = {**OPTIONS, "sentinel_username": _text, "sentinel_password": _text}
"""The same, and the login of the sentinels themselves."""
