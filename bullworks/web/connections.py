"""BoundedProtocol: uvicorn's HTTP over one connection, with a deadline for headers and a cap on connections."""

import asyncio
from collections.abc import Iterator
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 10.0
"""How long a client may take to send the headers of a request, from the connection or its last answer on."""
MOST_CONNECTIONS = 500
MOST_OF_A_CLIENT = 100
"""Of one address. Past either bound the connection that waited longest without a whole request is closed, so that a
client that begins requests and never ends them makes no room scarce but its own; without one the new one is refused."""


class BoundedProtocol(H11Protocol):
    """A connection that is closed when its headers do not come, or to make room for another."""

    _deadline: asyncio.TimerHandle | None = None
    began_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        others = [other for other in self._standing() if other is not self]
        crowd = [other for other in others if other.address == self.address]
        is_full = len(others) >= MOST_CONNECTIONS
        if is_full or len(crowd) >= MOST_OF_A_CLIENT:
            waiting = [other for other in (others if is_full else crowd) if not other.is_answering]
            oldest = min(waiting, key=lambda other: other.began_s, default=self)
            oldest.transport.abort()
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.is_answering:
            self._stop_waiting()
        elif self._deadline is None:
            self._await_headers()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.is_answering:
            self._await_headers()

    @property
    def is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def address(self) -> Any:
        return None if self.client is None else self.client[0]

    def _standing(self) -> Iterator["BoundedProtocol"]:
        return (other for other in self.connections if isinstance(other, BoundedProtocol) and not other.is_closing)

    @property
    def is_closing(self) -> bool:
        return bool(self.transport.is_closing())

    def _await_headers(self) -> None:
        self._stop_waiting()
        self.began_s = self.loop.time()
        self._deadline = self.loop.call_later(HEADERS_S, self._late)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if not self.is_answering:
            self.transport.abort()
