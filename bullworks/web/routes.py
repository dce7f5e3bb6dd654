"""What modules contribute to the server: routes, found by their token."""

from dataclasses import dataclass

from starlette.routing import BaseRoute

from bullworks.core import Token
from bullworks.web.auth import Auth
from bullworks.web.guarded_route import GuardedRoute

_NEEDS_AUTH = "it has no auth"


@dataclass(frozen=True, slots=True)
class WebRoutes:
    """The routes of one module.

    Args:
        routes: Starlette's, in their order: `Route`s, or a `Mount` of any ASGI app, whose lifespan runs while it is
            served. WebSockets are not served.
        loopback_only: why they may be served on a loopback address only, in words for the user; None means any address.
    """

    routes: tuple[BaseRoute, ...]
    loopback_only: str | None = None

    @classmethod
    def guarded(cls, auth: Auth | None, *routes: BaseRoute) -> "WebRoutes":
        """Routes behind authentication; handlers find the caller's name in `request.state.who`.

        Args:
            auth: see `Auth`; of the board it is `BoardService.auth`. None means that this machine only is answered,
                and no other address served.
        """
        together = tuple(GuardedRoute(route, auth) for route in routes)
        return cls(together, loopback_only=_NEEDS_AUTH if auth is None else None)


class RoutesToken(Token[WebRoutes]):
    """The token under which a module provides routes."""

    def __init__(self, name: str) -> None:
        super().__init__(f"web:routes:{name}")


def get_routes_token(name: str) -> RoutesToken:
    """Return the token to provide routes under: `provide(get_routes_token("health"), use_factory=...)`.

    A provider of any module is found; it needs no export. Routes of several modules are tried in the order of their
    names.
    """
    return RoutesToken(name)
