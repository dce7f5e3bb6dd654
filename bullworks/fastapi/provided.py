"""Provided: a provider of our modules, as a dependency of a FastAPI endpoint."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from bullworks.core import AnyToken
from bullworks.fastapi.errors import NotHostedError
from bullworks.web.hosted_app import SCOPES
from bullworks.web.request_scope import Modules, RequestScopes


def Provided(token: AnyToken) -> Any:  # noqa: N802 - it is read as FastAPI's own Depends
    """A dependency that is the instance of a token: `users: Annotated[UserService, Provided(UserService)]`.

    Singletons are the application's. REQUEST-scoped providers have one instance a request, closed after it; a
    TRANSIENT gives each parameter its own. A plain function of FastAPI can have it as well as an endpoint.

    Args:
        token: a class, a name or a Token, as `get_queue_token("email")`.

    Raises:
        NotHostedError: at the request, no application of ours is running.
        UnknownProviderError: at the request, no module provides it.
    """
    return Depends(_Resolve(token), use_cache=False)


def current_modules(connection: HTTPConnection) -> Modules:
    """Find the application beside which a request or a WebSocket is answered, to look providers up in it.

    Raises:
        NotHostedError: no application of ours is running beside the app.
    """
    return _scopes(connection).modules


def _scopes(connection: HTTPConnection) -> RequestScopes:
    found = getattr(getattr(connection.scope.get("app"), "state", None), SCOPES, None)
    if found is None:
        found = (connection.scope.get("state") or {}).get(SCOPES)
    if not isinstance(found, RequestScopes):
        raise NotHostedError
    return found


async def _in_request(connection: HTTPConnection) -> AsyncIterator[Modules]:
    """One unit of work for each request that has something provided; FastAPI asks once, however many do."""
    scopes = _scopes(connection)
    async with scopes.open(connection):
        yield scopes.modules


@dataclass(frozen=True, slots=True)
class _Resolve:
    token: AnyToken

    async def __call__(self, modules: Annotated[Any, Depends(_in_request)]) -> Any:
        return await modules.resolve(self.token)
