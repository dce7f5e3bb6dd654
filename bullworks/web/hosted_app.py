"""HostedApp: an ASGI app that a module mounts. Its lifespan runs while routes are served."""

import asyncio
import logging
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bullworks.web.errors import LifespanError
from bullworks.web.request_scope import RequestScopes

log = logging.getLogger(__name__)

SCOPES = "bullworks"
"""The key in a request's state under which a hosted app finds the RequestScopes."""


class HostedApp:
    """Runs a mounted app's lifespan, and gives its requests the state that the lifespan left, and the modules.

    An app that knows no lifespan is served all the same, as servers do: it raises, or returns, before it answers.

    Args:
        path: where it is mounted, for messages.
        scopes: by which `bullworks.fastapi.Provided` finds what a request needs.
    """

    def __init__(self, app: ASGIApp, path: str, scopes: RequestScopes) -> None:
        self._app = app
        self._path = path
        self._scopes = scopes
        self._state: dict[str, Any] = {SCOPES: scopes}
        self._running: asyncio.Task[None] | None = None
        self._phase = "startup"
        self._answered = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failure: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope["state"] = {**(scope.get("state") or {}), **self._state}
        await self._app(scope, receive, send)

    async def start(self) -> None:
        """Run the app's startup.

        Raises:
            LifespanError: it failed.
        """
        self._phase, self._failure, self._state = "startup", None, {SCOPES: self._scopes}
        self._answered, self._stopping = asyncio.Event(), asyncio.Event()
        # one task for all of it: a startup may enter what only its own task can leave
        self._running = asyncio.create_task(self._run(), name=f"lifespan:{self._path}")
        await self._answered.wait()
        self._raise_failure()

    async def close(self) -> None:
        """Run the app's shutdown. Closing twice, or before starting, is fine.

        Raises:
            LifespanError: it failed.
        """
        running, self._running = self._running, None
        if running is None:
            return
        has_failed = self._failure is not None
        self._phase = "shutdown"
        self._stopping.set()
        try:
            await asyncio.wait((running,))
        finally:
            running.cancel()
        if not has_failed:
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise LifespanError(self._path, self._phase, self._failure)

    async def _run(self) -> None:
        asgi = {"version": "3.0", "spec_version": "2.0"}
        messages = iter(("lifespan.startup", "lifespan.shutdown"))

        async def receive() -> Message:
            kind = next(messages, None)
            if kind != "lifespan.startup":
                await self._stopping.wait()
            return {"type": kind or "lifespan.shutdown"}

        try:
            await self._app({"type": "lifespan", "asgi": asgi, "state": self._state}, receive, self._send)
        except Exception as error:
            if not self._answered.is_set():
                log.debug("the app at %s knows no lifespan: %r", self._path, error)
            elif self._failure is None:
                log.exception("the lifespan of the app at %s ended", self._path)
                self._failure = repr(error)
        finally:
            self._answered.set()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"lifespan.startup.failed", "lifespan.shutdown.failed"}:
            self._failure = str(message.get("message") or "it gave no reason").strip().rpartition("\n")[2]
        elif kind not in {"lifespan.startup.complete", "lifespan.shutdown.complete"}:
            raise RuntimeError(f"{kind} is not an answer to a lifespan event")
        self._answered.set()
