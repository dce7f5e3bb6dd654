"""Credentials: what a request's Authorization header holds, and secrets in a form that is safe to compare."""

import hashlib
from base64 import b64decode

from starlette.requests import Request


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """The user and the password of `Authorization: Basic`, or None without a readable header of that kind."""
    encoded = _of_scheme(request, "basic")
    if encoded is None:
        return None
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return user, password


def bearer_token(request: Request) -> str | None:
    """The token of `Authorization: Bearer`, or None without a header of that kind."""
    return _of_scheme(request, "bearer")


def digest(secret: str) -> bytes:
    """A hash to compare in place of a secret, by `hmac.compare_digest`.

    It has one length whatever the secret's, so the time that comparing takes tells nothing about it.
    """
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _of_scheme(request: Request, wanted: str) -> str | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == wanted else None
