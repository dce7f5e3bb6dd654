"""XsrfTokens: what a page proves with that a change comes from it. Signed and dated, so that none can be invented."""

import hmac
import re
import secrets
import time
from base64 import urlsafe_b64encode

from starlette.requests import Request

XSRF_COOKIE = "XSRF-TOKEN"
XSRF_HEADER = "x-xsrf-token"
"""What Bull Board's page sends back of the cookie; axios has these names."""

LIFE_S = 12 * 3600
"""How long a token holds. A page that is loaded in its second half brings a new one."""

_TOKEN = re.compile(r"([0-9a-f]{8})[A-Za-z0-9_-]{16}([A-Za-z0-9_-]{22})")
_MAC_BYTES = 16
# Of a clock that is behind that of the process which gave the token.
_AHEAD_S = 60


class XsrfTokens:
    """Gives tokens, and knows its own again.

    Args:
        secret: shared by the processes that serve one board; None means a secret of this process.
    """

    def __init__(self, secret: str | None = None) -> None:
        self._key = secret.encode() if secret else secrets.token_bytes(32)

    def new(self) -> str:
        """Make a token."""
        dated = f"{int(time.time()):08x}{secrets.token_urlsafe(12)}"
        return dated + self._mac(dated)

    def of(self, request: Request) -> str | None:
        """The token in a request's cookie; None if there is none, or it is stale or was not given by this board."""
        token = request.cookies.get(XSRF_COOKIE, "")
        return token if 0 <= self._age_s(token) + _AHEAD_S <= LIFE_S else None

    def is_fresh(self, token: str) -> bool:
        """Whether a token of ours is in the first half of its life."""
        return self._age_s(token) <= LIFE_S / 2

    def _age_s(self, token: str) -> float:
        found = _TOKEN.fullmatch(token)
        if found is None or not hmac.compare_digest(self._mac(token[: -len(found[2])]), found[2]):
            return float("inf")
        return time.time() - int(found[1], 16)

    def _mac(self, dated: str) -> str:
        mac = hmac.digest(self._key, dated.encode(), "sha256")[:_MAC_BYTES]
        return urlsafe_b64encode(mac).decode().rstrip("=")


def xsrf_cookie(token: str, path: str, *, is_secure: bool) -> str:
    """Build the Set-Cookie header of the XSRF token: readable by the page's script, not sent by other sites."""
    secure = "; Secure" if is_secure else ""
    return f"{XSRF_COOKIE}={token}; Path={path}; SameSite=Strict{secure}"
