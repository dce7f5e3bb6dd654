"""The application: a module brought to life, run, and closed in order."""

import asyncio
import logging
import os
import signal
from collections.abc import Generator, Mapping
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import Any

from bullworks.closing import Closing
from bullworks.core.assembling import assemble
from bullworks.core.building import build_async, close_resources
from bullworks.core.container import ModuleContainer, graph_of, node_of
from bullworks.core.discovery import Discovery
from bullworks.core.error_text import render_duplicate
from bullworks.core.errors import ApplicationStateError, ForcedShutdownError, UnknownProviderError
from bullworks.core.lifecycle import Lifecycle
from bullworks.core.resolver import Resolver, open_request
from bullworks.core.shutdown import SignalHandlers, stop_signals
from bullworks.core.tokens import AnyToken, label
from bullworks.core.watchdog import Watchdog
from bullworks.settings import SettingsSource

log = logging.getLogger(__name__)

# after a second signal, how long hooks may take to hand back what they hold
_FORCED_GRACE_S = 2.0
# past the grace time, how long closing may take before the process is ended from outside the loop
_WATCHDOG_MARGIN_S = 3.0


class _State(Enum):
    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    CLOSING = "closing"
    CLOSED = "closed"


def create_application(module: type[Any] | ModuleContainer, *, settings: SettingsSource | None = None) -> "Application":
    """Create an application from a module class, or from the container that a `for_root()` returned.

        async with await create_application(AppModule) as app:
            app.enable_shutdown_hooks()
            await app.wait_for_shutdown()

    Awaiting it starts it: everything is built and every start hook has run. Before that, providers can be
    overridden on its `container`.

    Args:
        settings: where settings classes are read from; the environment and `.env` unless given.

    Raises:
        WiringError: the modules do not fit together; lists every problem. What an override could still
            provide is reported when the application is awaited.
    """
    container = module if isinstance(module, ModuleContainer) else assemble(module)
    graph_of(container).settings = settings or SettingsSource()
    return Application(container)


class Application(Resolver, Closing):
    """A module brought to life. Await it or enter it to start; leave it or `close()` to stop.

    Attributes:
        container: the dependency-injector container of its root module.
        discovery: searches its modules, before it has started as well.
    """

    def __init__(self, container: ModuleContainer) -> None:
        self._node = node_of(container)
        self._graph = graph_of(container)
        self.container = container
        self.discovery = Discovery(self._graph)
        self._lifecycle = self._graph.lifecycle = Lifecycle(self._graph)
        self._shutdown = self._graph.shutdown
        self._signals = SignalHandlers()
        self._state = _State.CREATED
        self._changing_state = asyncio.Lock()
        self._starting: asyncio.Task[Any] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._stop_deadline: asyncio.Timeout | None = None

    def __repr__(self) -> str:
        return f"<Application {self._node.spec.name}, {self._state.value}>"

    def __await__(self) -> Generator[Any, None, "Application"]:
        return self.init().__await__()

    async def __aenter__(self) -> "Application":
        return await self.init()

    def select(self, module: type[Any]) -> ModuleContainer:
        """Select a module's container, to look up what several modules provide.

        Raises:
            UnknownProviderError: the application has no such module.
        """
        for node, container in self._graph.containers.items():
            if node.spec.cls is module and isinstance(container, ModuleContainer):
                return container
        names = [node.spec.name for node in self._graph.nodes]
        raise UnknownProviderError(label(module), self._node.spec.name, None, names)

    def request(self, values: Mapping[AnyToken, object] | None = None) -> AbstractAsyncContextManager[None]:
        """Begin a unit of work with REQUEST-scoped instances of its own: see `ModuleRef.request`."""
        return open_request(self._node, self._graph, values or {})

    async def init(self) -> "Application":
        """Build everything and run the start hooks. Does nothing if the application runs already.

        Raises:
            WiringError: a dependency has no provider; lists every problem.
            ApplicationStateError: another application runs the same container.
        """
        async with self._changing_state:
            if self._state is _State.RUNNING:
                return self
            if self._graph.is_running:
                raise ApplicationStateError(self._node.spec.name, "an application is already running its container")
            if self._state is _State.CLOSED:
                self._shutdown.reset()
            self._state, self._closing = _State.STARTING, None
            self._starting = asyncio.current_task()
            for duplicate in self._graph.duplicates:
                log.warning("%s", render_duplicate(duplicate))
            self._graph.is_running = True
            self._graph.open()
            try:
                await build_async(self._graph)
                await self._lifecycle.start()
            except BaseException as failure:
                # not only Exception: a start that is cancelled has opened things as well
                for error in await self._stop(self._shutdown.signal):
                    failure.add_note(f"and while closing what had started: {error!r}")
                raise
            finally:
                self._starting = None
            self._state = _State.RUNNING
            log.info("%s started: %d modules", self._node.spec.name, len(self._graph.nodes))
            return self

    async def close(self, signal: str | None = None) -> None:
        """Run the stop hooks and close every resource, in the reverse order of the start.

        It runs once, however often it is requested; concurrent callers wait for it.

        Args:
            signal: handed to the shutdown hooks.

        Raises:
            ExceptionGroup: what hooks and resources raised; none of it kept the others from closing.
        """
        if self._closing is None:
            self._begin_closing(signal)
        if self._closing is not None and not self._closing.done():
            # shielded: a caller who gives up waiting does not leave the application half closed
            await asyncio.shield(self._closing)

    def enable_shutdown_hooks(self, *signals: signal.Signals, end_process: bool = True) -> "Application":
        """Close in order on a signal; SIGINT, SIGTERM and SIGHUP unless others are given.

        A second one forces: hooks that wait are asked to give up (`Shutdown.forced`), and what has not ended
        2 seconds later is abandoned. A third one ends the process, as if nothing had been enabled.

        Args:
            end_process: the process is expected to end. If it still runs 3 seconds past the grace time, whatever
                blocks it, what runs is logged with its stacks and the process ends with exit code 1. False: it goes on.
        """
        watchdog = Watchdog(asyncio.get_running_loop())
        asked: list[str] = []

        def at_once(name: str) -> None:
            asked.append(name)
            match len(asked):
                case 1:
                    watchdog.start(self._shutdown.grace_s + _WATCHDOG_MARGIN_S)
                case 2:
                    watchdog.start(_FORCED_GRACE_S + _WATCHDOG_MARGIN_S)
                case _:  # the loop did not even get to the second one
                    os._exit(128 + signal.Signals[name])

        self._signals.install(signals or stop_signals(), self._on_signal, at_once=at_once if end_process else None)
        return self

    async def run(self) -> str | None:
        """Start, wait until a signal or `close()` asks the application to stop, and close in order.

        A signal that comes while it starts ends the start.

        Returns:
            the signal's name, or None.

        Raises:
            Exception: what `init` and `close` raise.
        """
        self.enable_shutdown_hooks()
        try:
            await self.init()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not self._shutdown.requested.is_set():
                raise
            task.uncancel()
            return self._shutdown.signal
        try:
            return await self.wait_for_shutdown()
        finally:
            await self.close()

    async def wait_for_shutdown(self) -> str | None:
        """Wait until a signal or `close()` asks the application to stop.

        Returns:
            the signal's name, or None.
        """
        await self._shutdown.requested.wait()
        return self._shutdown.signal

    def _on_signal(self, name: str) -> None:
        if not self._shutdown.requested.is_set():
            log.info("%s received, closing; send it again to force the shutdown", name)
            if self._starting is not None:
                self._shutdown.request(name)
                self._starting.cancel()
            else:
                self._begin_closing(name)
        else:
            log.warning("%s received again, cancelling what still runs", name)
            self._signals.restore()
            self._shutdown.forced.set()
            if self._stop_deadline is not None:
                self._stop_deadline.reschedule(asyncio.get_running_loop().time() + _FORCED_GRACE_S)

    def _begin_closing(self, signal_name: str | None) -> None:
        self._shutdown.request(signal_name)
        self._closing = asyncio.create_task(self._close(self._shutdown.signal), name=f"close {self._node.spec.name}")

    async def _close(self, signal_name: str | None) -> None:
        async with self._changing_state:
            if self._state is _State.CLOSED:
                return
            self._state = _State.CLOSING
            errors = await self._stop(signal_name)
        if errors:
            raise ExceptionGroup(f"errors while closing {self._node.spec.name}", errors)

    async def _stop(self, signal_name: str | None) -> list[Exception]:
        errors: list[Exception] = []
        try:
            async with asyncio.timeout(None) as self._stop_deadline:
                await self._lifecycle.stop(signal_name, errors)
                await close_resources(self._graph, errors)
        except TimeoutError:
            errors.append(ForcedShutdownError(self._lifecycle.running_hook))
        finally:
            self._stop_deadline = None
            self._signals.restore()
            self._graph.is_running = False
            self._graph.close()
            self._state = _State.CLOSED
            log.info("%s closed", self._node.spec.name)
        return errors
