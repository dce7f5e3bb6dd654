"""Who asks: `auth=` of the board, or of routes of your own, is a function from a request to a name."""

import hmac
import inspect
import ipaddress
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from bullworks.web.credentials import basic_credentials, bearer_token, digest

Identity = str | bool | Response | None
"""A name; True: somebody without one; None or False: nobody, which is answered with 401. A Response, as a redirect to
a login page, is sent as it is."""

Auth = Callable[[Request], Identity | Awaitable[Identity]]
"""Sync or async; an exception in it is answered with 500, and nothing is done."""

CHALLENGE = "challenge"
"""The attribute of an Auth that holds what WWW-Authenticate says."""

# What ASGI servers give for a client without a network address: a unix socket, or a test.
_LOCAL_CLIENTS = frozenset({None, "", "testclient"})
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def basic_auth(users: Mapping[str, str]) -> Auth:
    """Authenticate with HTTP Basic: browsers ask for user and password.

    Args:
        users: passwords by name.
    """
    known = {name: digest(password) for name, password in users.items()}
    nobody = digest("")

    def check(request: Request) -> Identity:
        name, password = basic_credentials(request) or ("", "")
        # the same work for an unknown name: the duration must not reveal whether the name exists
        matches = hmac.compare_digest(known.get(name, nobody), digest(password))
        return name if matches and name in known and password else None

    return _challenging(check, 'Basic realm="queues", charset="UTF-8"')


def bearer_auth(tokens: Mapping[str, str]) -> Auth:
    """Authenticate with `Authorization: Bearer <token>`, for programs.

    Args:
        tokens: names by token.
    """
    known = [(digest(token), name) for token, name in tokens.items() if token]

    def check(request: Request) -> Identity:
        token = bearer_token(request)
        if token is None:
            return None
        given = digest(token)
        names = [name for secret, name in known if hmac.compare_digest(secret, given)]
        return names[0] if names else None

    return _challenging(check, 'Bearer realm="queues"')


def any_auth(*ways: Auth) -> Auth:
    """Combine several authentication methods; the first that recognises the caller wins."""

    async def check(request: Request) -> Identity:
        for way in ways:
            identity = way(request)
            found: Identity = await identity if inspect.isawaitable(identity) else identity
            if found:
                return found
        return None

    challenges = [challenge_of(way) for way in ways]
    return _challenging(check, ", ".join(challenge for challenge in challenges if challenge))


def anyone(_: Request) -> Identity:
    """Admit every caller: an Auth for what is public on purpose."""
    return True


def challenge_of(auth: Auth) -> str | None:
    """Read the WWW-Authenticate challenge of an authentication method."""
    challenge = getattr(auth, CHALLENGE, None)
    return challenge if isinstance(challenge, str) and challenge else None


def is_this_machine(request: Request) -> bool:
    """Whether the request comes from this machine, and asks for it by a name that only this machine has for itself.

    The name matters too: a page of another site may have had its own name lead here, and what a proxy on this machine
    passes on comes from this machine.
    """
    try:
        name = request.url.hostname
    except ValueError:
        return False
    return name in _LOCAL_NAMES and is_local(request)


async def identify(auth: Auth, request: Request) -> str | Response | None:
    """Authenticate a request: the caller's name, the response that `auth` itself gave, or None for nobody."""
    answer = auth(request)
    identity = await answer if inspect.isawaitable(answer) else answer
    if isinstance(identity, Response) or (isinstance(identity, str) and identity):
        return identity
    return "somebody" if identity is True else None


def challenge_headers(auth: Auth | None) -> dict[str, str]:
    """The headers of a 401 that say how to authenticate; none where the method has no challenge."""
    challenge = None if auth is None else challenge_of(auth)
    return {} if challenge is None else {"WWW-Authenticate": challenge}


def is_local(request: Request) -> bool:
    """Whether the request comes from this machine, by the address of its connection."""
    host = request.client.host if request.client else None
    if host in _LOCAL_CLIENTS:
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _challenging(check: Auth, challenge: str) -> Auth:
    setattr(check, CHALLENGE, challenge)
    return check
