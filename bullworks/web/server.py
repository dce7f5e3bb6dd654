"""WebServer: uvicorn on the application's own loop, started and stopped at its fixed points."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import uvicorn
from starlette.applications import Starlette

from bullworks.core import Discovery, Inject, ModuleRef
from bullworks.web.address import Address
from bullworks.web.connections import BoundedProtocol
from bullworks.web.contributions import Contributions
from bullworks.web.errors import NotLoopbackError, PortTakenError
from bullworks.web.options import WEB_SETUP, WebSetup

log = logging.getLogger(__name__)

# How long answers under way may take once the end has come: what streams for ever, such as server-sent events, would
# else hold the process up. In whole seconds, as uvicorn has it.
STOP_S = 1
# For answers that were cut off to notice it.
_CANCEL_S = 0.5


class WebServer:
    """Serves the routes of all modules.

    The order is the design: the port is taken before any worker takes a job, so that a start which must fail has done
    nothing. Answers are given from the application's start, while workers are drained as well, and until then only:
    what handlers may use, queues above all, is closed after.

    Attributes:
        host, port: where it serves; None while it does not.
    """

    def __init__(self, setup: Annotated[WebSetup, Inject(WEB_SETUP)], discovery: Discovery, modules: ModuleRef) -> None:
        self._setup = setup
        self._discovery = discovery
        self._modules = modules
        self._contributions: Contributions | None = None
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.host: str | None = None
        self.port: int | None = None

    @property
    def url(self) -> str | None:
        """The server's URL without a path, such as `http://127.0.0.1:3000`; None while nothing is served."""
        if self.host is None:
            return None
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def on_module_init(self) -> None:
        """Gather the routes and take the port.

        Raises:
            PortTakenError, BadAddressError: nothing can be served there.
            NotLoopbackError: some routes must not be served there.
            RoutesTwiceError: two modules want one path.
        """
        contributions = Contributions(self._discovery, self._modules, is_address_checked=True)
        if self._setup.serve == "never" or not contributions.found:
            return
        address = Address.resolve(self._setup.host, self._setup.port)
        for each in contributions.found:
            if each.given.loopback_only is not None and not address.is_loopback:
                raise NotLoopbackError(address.host, each.module, each.given.loopback_only)
        try:
            self._socket = address.listen()
        except PortTakenError as error:
            if self._setup.serve == "always":
                raise
            log.warning("this process does not serve HTTP: %s:%d is taken", error.host, error.port)
            return
        self._contributions = contributions
        self.host, self.port = self._socket.getsockname()[:2]

    async def on_application_start(self) -> None:
        """Start mounted apps, then start answering requests.

        Raises:
            LifespanError: a mounted app did not start.
        """
        if self._socket is None or self._contributions is None:
            return
        await self._contributions.start()
        self._server = server = _Server(_config(Starlette(routes=self._contributions.routes)))
        self._serving = asyncio.create_task(server.serve([self._socket]), name="web-server")
        up = asyncio.create_task(server.is_up.wait(), name="web-server-up")
        await asyncio.wait((up, self._serving), return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if self._serving.done():
            self._serving.result()
        log.info("serving %s: %s", self.url, " ".join(self._contributions.paths))

    async def on_module_destroy(self) -> None:
        """Stop the server, then the mounted apps; requests in progress have a second to finish.

        Raises:
            ExceptionGroup: mounted apps that failed to shut down.
        """
        contributions, self._contributions = self._contributions, None
        server, serving, listener = self._server, self._serving, self._socket
        self._server = self._serving = self._socket = self.host = self.port = None
        if server is not None and serving is not None:
            server.should_exit = True
            await asyncio.gather(serving)
            answering = set(server.server_state.tasks)
            if answering:
                await asyncio.wait(answering, timeout=_CANCEL_S)
        if listener is not None:
            listener.close()
        if contributions is not None:
            await contributions.close()


class _Server(uvicorn.Server):
    """uvicorn's, which leaves signals to the application and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_config=None,  # the logs are the application's
        log_level=logging.WARNING,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,  # the caller is the connection's peer, not whom a header names
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )
