"""Contributions: the routes of all modules, to be served together by whatever serves HTTP in this process."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.routing import BaseRoute, Host, Mount

from bullworks.core import Discovery
from bullworks.web.errors import RoutesTwiceError
from bullworks.web.guarded_route import GuardedRoute
from bullworks.web.hosted_app import HostedApp
from bullworks.web.request_scope import Modules, RequestScopes
from bullworks.web.routes import RoutesToken, WebRoutes


@dataclass(frozen=True, slots=True)
class Contribution:
    """The routes that one module contributes.

    Attributes:
        module: its path from the root module, for messages.
    """

    module: str
    given: WebRoutes


class Contributions:
    """The routes of all modules, in the order of their tokens' names, and the apps that are mounted among them.

    Args:
        is_address_checked: whether routes that are for this machine only are kept from other addresses by the server;
            otherwise each caller is looked at.

    Raises:
        RoutesTwiceError: two modules want one path.
    """

    def __init__(self, discovery: Discovery, modules: Modules, *, is_address_checked: bool) -> None:
        found = sorted(_contributions(discovery), key=lambda entry: entry[0])
        self.found = [Contribution(module, given) for _, module, given in found]
        self.paths = sorted({path_of(route) for each in self.found for route in each.given.routes})
        self.scopes = RequestScopes(modules)
        self._hosted: list[HostedApp] = []
        self._check_paths()
        self.routes: list[BaseRoute] = []
        for each in self.found:
            is_for_all = each.given.loopback_only is None or is_address_checked
            hosting = [self._hosting(route) for route in each.given.routes]
            self.routes += hosting if is_for_all else [GuardedRoute(route, None) for route in hosting]

    async def start(self) -> None:
        """Run the startup of each mounted app, one after the other.

        Raises:
            LifespanError: one failed; `close` runs the shutdown of those before it.
        """
        for hosted in self._hosted:
            await hosted.start()

    async def close(self) -> None:
        """Run the shutdown of each mounted app that was started, in reverse; one failure does not stop the rest.

        Raises:
            ExceptionGroup: a LifespanError of each that failed.
        """
        errors: list[Exception] = []
        for hosted in reversed(self._hosted):
            try:
                await hosted.close()
            except Exception as error:  # noqa: BLE001 - the others must be closed as well
                errors.append(error)
        if errors:
            raise ExceptionGroup("mounted apps did not shut down in order", errors)

    def _check_paths(self) -> None:
        owners: dict[str, str] = {}
        for each in self.found:
            for path in {path_of(route) for route in each.given.routes}:
                if owners.setdefault(path, each.module) != each.module:
                    raise RoutesTwiceError(path, [owners[path], each.module])

    def _hosting(self, route: BaseRoute) -> BaseRoute:
        """The route itself, or a copy that serves a mounted app together with its lifespan."""
        if isinstance(route, GuardedRoute):
            guarded = copy.copy(route)
            guarded.route = self._hosting(route.route)
            return guarded
        if not isinstance(route, Mount | Host):
            return route
        hosted = HostedApp(route.app, path_of(route), self.scopes)
        self._hosted.append(hosted)
        hosting = copy.copy(route)  # the module's own route may be served again, by another application
        hosting.app = hosted
        return hosting


def path_of(route: BaseRoute) -> str:
    """The path of a route, or of a mount, "/" for one without."""
    path: object = getattr(route, "path", None)
    return path if isinstance(path, str) and path else "/"


def _contributions(discovery: Discovery) -> Iterator[tuple[str, str, WebRoutes]]:
    for provider in discovery.providers():
        instance = provider.instance
        if isinstance(provider.token, RoutesToken) and isinstance(instance, WebRoutes) and instance.routes:
            yield provider.token.name, " > ".join(provider.path[:-1]), instance
