"""The guard: what a request must be before the board looks at what it asks for."""

import hmac
import re
import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.errors import RefusedError
from bullworks.web.auth import Auth, challenge_headers, identify, is_local

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
XSRF_COOKIE = "XSRF-TOKEN"
XSRF_HEADER = "x-xsrf-token"
"""What Bull Board's page sends back of the cookie; axios has these names."""

_READING = frozenset({"GET", "HEAD"})
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,64}")


class Guard:
    """Checks host, client address, authentication and XSRF token, in this order.

    Args:
        auth: identifies the caller; None means no authentication, and only this machine is answered.
        allowed_hosts: names for the Host header, `*` in them for any text; the port does not matter.
    """

    def __init__(self, auth: Auth | None, allowed_hosts: Sequence[str] = LOOPBACK_HOSTS) -> None:
        self._auth = auth
        self._hosts = [re.compile(re.escape(host.lower()).replace(r"\*", ".*")) for host in allowed_hosts]

    async def admit(self, request: Request) -> str | Response:
        """Check a request: the caller's name, or the response that `auth` gives instead.

        Raises:
            RefusedError: the request is not one to be answered.
        """
        # First: a page of another site that had its name lead here (DNS rebinding) learns not even that.
        self._check_host(request)
        if self._auth is None and not is_local(request):
            raise RefusedError(403, "FORBIDDEN", "without auth= the board answers this machine only")
        if request.method in _READING:
            return await self._identify(request)
        _check_origin(request)
        who = await self._identify(request)
        _check_json(request)
        if not _has_bearer(request):
            _check_token(request)
        return who

    async def _identify(self, request: Request) -> str | Response:
        if self._auth is None:
            return "local"
        who = await identify(self._auth, request)
        if who is None:
            raise RefusedError(401, "FORBIDDEN", "authentication required", headers=challenge_headers(self._auth))
        return who

    def _check_host(self, request: Request) -> None:
        host = _without_port(request.headers.get("host", "").strip().lower())
        if not host or not any(allowed.fullmatch(host) for allowed in self._hosts):
            raise RefusedError(
                403, "FORBIDDEN", "this host name is not one of the board's; see allowed_hosts, BOARD_ALLOWED_HOSTS"
            )


def xsrf_token(request: Request) -> str | None:
    """Read the browser's XSRF token; None if it has none yet."""
    token = request.cookies.get(XSRF_COOKIE, "")
    return token if _TOKEN.fullmatch(token) else None


def new_xsrf_token() -> str:
    """Generate an unguessable XSRF token."""
    return secrets.token_urlsafe(32)


def xsrf_cookie(token: str, path: str, *, is_secure: bool) -> str:
    """Build the Set-Cookie header of the XSRF token: readable by the page's script, not sent by other sites."""
    secure = "; Secure" if is_secure else ""
    return f"{XSRF_COOKIE}={token}; Path={path}; SameSite=Strict{secure}"


def _check_origin(request: Request) -> None:
    """A browser says where a request comes from, and a page cannot change what it says."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise RefusedError(403, "FORBIDDEN", "changes are accepted from the board's own pages only", code="CROSS_SITE")
    if origin is not None and _plain(urlsplit(origin).netloc) != _plain(request.headers.get("host", "")):
        raise RefusedError(403, "FORBIDDEN", "changes are accepted from the board's own pages only", code="CROSS_SITE")


def _check_json(request: Request) -> None:
    """A form of another site can send any text, but not as JSON: for that the browser asks us first."""
    headers = request.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if not has_body and request.method != "POST":
        return  # a PUT without a body, as the page sends them: no form can, and a script must ask first
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "INVALID_REQUEST_BODY", "send JSON, with Content-Type: application/json")


def _check_token(request: Request) -> None:
    token, sent = xsrf_token(request), request.headers.get(XSRF_HEADER, "")
    if token is None or not hmac.compare_digest(token.encode(), sent.encode()):
        raise RefusedError(
            403,
            "FORBIDDEN",
            f"the header {XSRF_HEADER.upper()} does not repeat the cookie {XSRF_COOKIE}: load the page again",
            code="XSRF",
        )


def _has_bearer(request: Request) -> bool:
    # no browser sends it by itself, and a page of another site that wants to must ask us first
    return request.headers.get("authorization", "").partition(" ")[0].lower() == "bearer"


def _plain(host: str) -> str:
    """Without the port that browsers leave out, which a proxy may have added."""
    return host.lower().removesuffix(":443").removesuffix(":80")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]" if "]" in host else ""
    return host.partition(":")[0]
