"""Turns what redis-py raises while connecting into one ConnectError that says what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import redis.exceptions

from bullworks.redis.address import Address
from bullworks.redis.errors import ConnectError, ConnectFailure

_MAX_CHAIN_LENGTH = 10


def connect_error(error: BaseException, address: Address, timeout_ms: int) -> ConnectError:
    """Convert an error to a ConnectError; raise it outside the `except` block.

    redis-py's own errors stay out of the chain: a server that does not know AUTH quotes its arguments.
    """
    chain = list(_chain(error))
    return (
        _server_refusal(chain, address)
        or _tls_failure(chain, address)
        or _network_failure(chain, address, timeout_ms)
        or ConnectError(
            address.place,
            "other",
            _describe(address, error),
            f"Check that a Redis server answers at {address.describe()}.",
        )
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(_MAX_CHAIN_LENGTH):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__


def _describe(address: Address, error: BaseException) -> str:
    text = address.hide_secrets(str(error)) or type(error).__name__
    return text[:200].rstrip(".")


def _server_refusal(chain: list[BaseException], address: Address) -> ConnectError | None:
    replies = (redis.exceptions.ResponseError, redis.exceptions.ConnectionError)
    for error in chain:
        if isinstance(error, redis.exceptions.BusyLoadingError | redis.exceptions.MasterDownError):
            reason = "the server is up but not ready (loading its data, or cut off from its master)"
            return ConnectError(address.place, "loading", reason, "Try again in a moment.")
        if isinstance(error, redis.exceptions.NoPermissionError):
            hint = "Give this user the permissions that bullworks/redis/README.md lists, or use another."
            return ConnectError(address.place, "acl", _acl_reason(address, error), hint)
        text = str(error)
        if isinstance(error, redis.exceptions.AuthenticationError) or "NOAUTH" in text:
            return _login_error(address, text)
        if isinstance(error, redis.exceptions.ResponseError) and "DB index" in text:
            reason = f"database {address.db} does not exist there"
            return ConnectError(address.place, "database", reason, "Use one that `CONFIG GET databases` allows.")
        if isinstance(error, replies) and ("protected mode" in text or "max number of clients" in text):
            full = "max number of clients" in text
            reason = "it has reached its maxclients" if full else "it is in protected mode"
            hint = "Raise maxclients or close clients." if full else "Set a password there, then use it here."
            return ConnectError(address.place, "refused", reason, hint)
    return None


def _acl_reason(address: Address, error: BaseException) -> str:
    user = f"user {address.username!r}" if address.username else "the default user"
    return f"{user} lacks a permission ({_describe(address, error)})"


def _login_error(address: Address, text: str) -> ConnectError:
    if "without any password configured" in text:
        reason, hint = "a password was given but the server has none", "Remove the password from the URL."
    elif address.password is None and address.credentials is None:
        reason, hint = "the server asks for a password", "Add it to the URL: redis://:password@host:port/0."
    else:
        who = f"user {address.username!r}" if address.username else "the default user"
        reason = f"wrong user name or password for {who}"
        hint = "Check them; in a URL special characters are percent-encoded."
    return ConnectError(address.place, "auth", reason, hint)


def _tls_failure(chain: list[BaseException], address: Address) -> ConnectError | None:
    if address.transport != "tls":
        return None
    for error in chain:
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = f"its certificate is not trusted ({error.verify_message or 'verification failed'})"
            return ConnectError(address.place, "tls", reason, "Name its authority with ?ssl_ca_certs=/path/ca.pem.")
        if isinstance(error, ssl.SSLError):
            reason = f"the TLS handshake failed ({error.reason or 'no reason given'})"
            return ConnectError(address.place, "tls", reason, "If the port speaks plain Redis, use redis://.")
        if isinstance(error, FileNotFoundError | PermissionError):
            reason = f"a certificate or key file cannot be read ({error.strerror})"
            return ConnectError(address.place, "tls", reason, "Check ssl_ca_certs, ssl_certfile and ssl_keyfile.")
    return None


def _network_failure(chain: list[BaseException], address: Address, timeout_ms: int) -> ConnectError | None:
    scheme_hint = {
        "tcp": "If the port speaks TLS, use rediss://.",
        "tls": "If the port speaks plain Redis, use redis://.",
        "unix": "Check that a Redis server owns the socket.",
    }[address.transport]
    failures: list[tuple[tuple[type[BaseException], ...], ConnectFailure, str, str]] = [
        ((socket.gaierror,), "name", "the host name is unknown", "Check its spelling and the DNS."),
        (
            (ConnectionRefusedError, FileNotFoundError),
            "refused",
            "nothing listens there (connection refused)",
            "Start the server, or correct the address.",
        ),
        (
            (PermissionError,),
            "refused",
            "this user may not open it (permission denied)",
            "Check the rights of the socket.",
        ),
        (
            (TimeoutError, redis.exceptions.TimeoutError),
            "timeout",
            f"no answer within {timeout_ms} ms",
            f"Check host, port and firewall. {scheme_hint}",
        ),
        ((redis.exceptions.InvalidResponse,), "other", "the server there is not Redis", scheme_hint),
        ((EOFError, ConnectionError), "closed", "the server closed the connection", scheme_hint),
    ]
    for types, kind, reason, hint in failures:
        if any(isinstance(error, types) for error in chain):
            return ConnectError(address.place, kind, reason, hint)
    if "closed" in str(chain[0]).lower():
        return ConnectError(address.place, "closed", "the server closed the connection", scheme_hint)
    return None
