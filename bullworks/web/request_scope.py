"""The scope of an HTTP request: REQUEST-scoped providers have one instance in it, and may ask for the request."""

from contextlib import AbstractAsyncContextManager

from starlette.requests import HTTPConnection

from bullworks.core import Application, ModuleRef, Token, UnknownProviderError, register_mark
from bullworks.web.errors import NoRequestError

REQUEST: Token[HTTPConnection] = Token(
    "web:request", attr="current_request", hint="import WebModule.for_root() in the root module"
)
"""The request that is being answered, or the WebSocket: `Annotated[HTTPConnection, Inject(REQUEST)]`.

What asks for it is REQUEST-scoped itself.
"""

register_mark(HTTPConnection, "Annotated[HTTPConnection, Inject(REQUEST)]")

Modules = Application | ModuleRef
"""What looks providers up: the application itself, or what one of its modules sees."""


class RequestScopes:
    """Opens the scope of each request to an app that is hosted, or that hosts us.

    Attributes:
        modules: what looks providers up in an open scope.
    """

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self._brings_request = _is_provided(modules)

    def open(self, connection: HTTPConnection) -> AbstractAsyncContextManager[None]:
        """Open the scope of one request; what was made in it is closed at its end."""
        return self.modules.request({REQUEST: connection} if self._brings_request else None)


def no_request() -> HTTPConnection:
    """Provide REQUEST outside of a request: there is none.

    Raises:
        NoRequestError: always.
    """
    raise NoRequestError


def _is_provided(modules: Modules) -> bool:
    try:
        modules.provider_of(REQUEST)
    except UnknownProviderError:
        return False
    return True
