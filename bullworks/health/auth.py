"""Who may read the metrics: whoever holds the token or the password, or whom a function of the user's lets in."""

import hashlib
import hmac
import inspect
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request

MetricsAuth = Callable[[Request], bool | Awaitable[bool]]
"""Sync or async: whether the sender of a request may read the metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials that give access to metrics; without any, access is denied.

    Args:
        token: for `Authorization: Bearer`.
        user, password: for Basic.
    """

    token: str | None = field(default=None, repr=False)
    user: str = "prometheus"
    password: str | None = field(default=None, repr=False)

    @property
    def is_any_set(self) -> bool:
        return bool(self.token or self.password)

    def __call__(self, request: Request) -> bool:
        """Whether the request carries one of the credentials."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return _is_same(given.strip(), self.token)
        if scheme.lower() == "basic":
            return _is_same(_decode(given), f"{self.user}:{self.password}" if self.password else None)
        return False


async def may_read(auth: MetricsAuth, request: Request) -> bool:
    """Whether `auth` admits a request; only True admits."""
    answer = auth(request)
    return (await answer if inspect.isawaitable(answer) else answer) is True


def _is_same(given: str, secret: str | None) -> bool:
    # by digests: how long it takes tells neither the length nor how much of it was right
    return hmac.compare_digest(_digest(given), _digest(secret or "")) and bool(secret)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _decode(given: str) -> str:
    try:
        return b64decode(given.strip(), validate=True).decode()
    except ValueError:
        return ""
