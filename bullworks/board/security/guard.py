"""The guard: what a request must be before the board looks at what it asks for."""

import hmac
import logging
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.audit import Audit, AuditEvent
from bullworks.board.errors import RefusedError
from bullworks.board.security.client_address import client_of, is_forwarded, networks_of
from bullworks.board.security.throttle import LoginThrottle
from bullworks.board.security.xsrf import XSRF_COOKIE, XSRF_HEADER, XsrfTokens
from bullworks.web.auth import Auth, challenge_headers, identify, is_local

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_READING = frozenset({"GET", "HEAD"})

log = logging.getLogger(__name__)


class Guard:
    """Checks host, client address, authentication and XSRF token, in this order.

    Args:
        auth: identifies the caller; None means no authentication, and only this machine is answered, without a proxy.
        allowed_hosts: names for the Host header, `*` in them for any text; the port does not matter.
        public_url: where browsers reach the board, if that is elsewhere; its host and origin are the board's own.
        trusted_proxies: addresses or networks whose X-Forwarded-For names the client.
        audit: keeps failed logins.
        secret: see XsrfTokens.

    Attributes:
        tokens: what pages prove their changes with.
    """

    def __init__(
        self,
        auth: Auth | None,
        allowed_hosts: Sequence[str] = LOOPBACK_HOSTS,
        *,
        public_url: str | None = None,
        trusted_proxies: Sequence[str] = (),
        audit: Audit | None = None,
        secret: str | None = None,
    ) -> None:
        self.tokens = XsrfTokens(secret)
        self._auth = auth
        public = urlsplit(public_url or "")
        hosts = [*allowed_hosts, _without_port(public.netloc)] if public.netloc else allowed_hosts
        self._hosts = [re.compile(re.escape(host.lower()).replace(r"\*", ".*")) for host in hosts]
        self._origin = _plain(public.netloc) or None
        self._trusted = networks_of(trusted_proxies)
        self._throttle = LoginThrottle()
        self._audit = audit

    async def admit(self, request: Request) -> str | Response:
        """Check a request: the caller's name, or the response that `auth` gives instead.

        Raises:
            RefusedError: the request is not one to be answered.
        """
        # First: a page of another site that had its name lead here (DNS rebinding) learns not even that.
        self._check_host(request)
        if self._auth is None and not is_local(request):
            raise RefusedError(403, "FORBIDDEN", "without auth= the board answers this machine only")
        if self._auth is None and is_forwarded(request):
            # a proxy on this machine: everybody whom it serves would have the board open before them
            raise RefusedError(403, "FORBIDDEN", "without auth= the board is not served through a proxy")
        if request.method in _READING:
            return await self._identify(request)
        _check_origin(request, self._origin)
        who = await self._identify(request)
        _check_json(request)
        if not _has_bearer(request):
            self._check_token(request)
        return who

    async def _identify(self, request: Request) -> str | Response:
        """Who asks; wrong credentials are counted, logged and kept. None at all is how every browser begins."""
        if self._auth is None:
            return "local"
        has_credentials = "authorization" in request.headers
        client = client_of(request, self._trusted)
        if has_credentials:
            self._throttle.check(client)
        who = await identify(self._auth, request)
        if who is not None:
            return who
        if has_credentials:
            await self._note_failure(client)
        raise RefusedError(401, "FORBIDDEN", "authentication required", headers=challenge_headers(self._auth))

    async def _note_failure(self, client: str) -> None:
        self._throttle.failed(client)
        log.warning("a login of the board failed, from %s", client, extra={"client": client})
        if self._audit is not None:
            event = AuditEvent(who="unknown", action="log-in", outcome="refused", note=f"from {client}")
            await self._audit.record(event)

    def _check_host(self, request: Request) -> None:
        host = _without_port(request.headers.get("host", "").strip().lower())
        if not host or not any(allowed.fullmatch(host) for allowed in self._hosts):
            raise RefusedError(
                403, "FORBIDDEN", "this host name is not one of the board's; see allowed_hosts, BOARD_ALLOWED_HOSTS"
            )

    def _check_token(self, request: Request) -> None:
        token, sent = self.tokens.of(request), request.headers.get(XSRF_HEADER, "")
        if token is None or not hmac.compare_digest(token.encode(), sent.encode()):
            raise RefusedError(
                403,
                "FORBIDDEN",
                f"the header {XSRF_HEADER.upper()} does not repeat a valid cookie {XSRF_COOKIE}: load the page again",
                code="XSRF",
            )


def _check_origin(request: Request, public_origin: str | None) -> None:
    """A browser says where a request comes from, and a page cannot change what it says."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise RefusedError(403, "FORBIDDEN", "changes are accepted from the board's own pages only", code="CROSS_SITE")
    own = {_plain(request.headers.get("host", "")), public_origin}
    if origin is not None and _plain(urlsplit(origin).netloc) not in own:
        raise RefusedError(403, "FORBIDDEN", "changes are accepted from the board's own pages only", code="CROSS_SITE")


def _check_json(request: Request) -> None:
    """A form of another site can send any text, but not as JSON: for that the browser asks us first."""
    headers = request.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if not has_body and request.method != "POST":
        return  # a PUT without a body, as the page sends them: no form can, and a script must ask first
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "INVALID_REQUEST_BODY", "send JSON, with Content-Type: application/json")


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
