"""The address to listen at: resolved, bound, and known to be this machine's own or not."""

import errno
import ipaddress
import socket
from dataclasses import dataclass
from typing import Any

from bullworks.web.errors import BadAddressError, PortTakenError

# Connections that wait to be accepted, as asyncio has it.
BACKLOG = 100


@dataclass(frozen=True, slots=True)
class Address:
    """A resolved host and port of this machine.

    Args:
        host, port: as they were given, for messages.
        family: of the socket.
        place: what the socket is bound to.
    """

    host: str
    port: int
    family: socket.AddressFamily
    place: tuple[Any, ...]

    @classmethod
    def resolve(cls, host: str, port: int) -> "Address":
        """Resolve a host and port; of several addresses an IPv4 one.

        Raises:
            BadAddressError: there is no such host.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError) as error:
            raise BadAddressError(host, port, f"no such host: {error}") from error
        family, _, _, _, place = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        return cls(host, port, family, place)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return ipaddress.ip_address(str(self.place[0]).partition("%")[0]).is_loopback

    def listen(self) -> socket.socket:
        """Open a listening socket; connections are answered once it is served.

        Raises:
            PortTakenError: another process holds it.
            BadAddressError: the host is not one of this machine, or the port not one for this user.
        """
        listener = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            # against our own connections in TIME_WAIT; of two that listen, the second is refused all the same
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(self.place)
            # at once: on Linux two may be bound to one port with SO_REUSEADDR as long as neither listens
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(self.host, self.port) from error
            raise BadAddressError(self.host, self.port, error.strerror or str(error)) from error
        return listener
