"""Who may read the metrics: holders of the token or password, or those that a function of the user admits."""

import hmac
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from bullworks.web.credentials import basic_credentials, bearer_token, digest

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
        token = bearer_token(request)
        if token is not None:
            return _is_same(token, self.token)
        user, password = basic_credentials(request) or ("", "")
        return _is_same(f"{user}:{password}", f"{self.user}:{self.password}" if self.password else None)


async def may_read(auth: MetricsAuth, request: Request) -> bool:
    """Whether `auth` admits a request; only True admits."""
    answer = auth(request)
    return (await answer if inspect.isawaitable(answer) else answer) is True


def _is_same(given: str, secret: str | None) -> bool:
    return hmac.compare_digest(digest(given), digest(secret or "")) and bool(secret)
