"""Whose request it is: the address of a connection, or the one that a trusted proxy names."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDING = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip",
     "fastly-client-ip", "x-original-host", "x-original-url"}
)  # fmt: skip
_FORWARDING_PREFIXES = ("x-forwarded", "x-envoy-")
# Of one network of IPv6 a client has all addresses.
_IPV6_CLIENT_BITS = 64


def networks_of(proxies: Sequence[str]) -> tuple[Network, ...]:
    """Parse addresses and networks, as in `10.0.0.0/8`.

    Raises:
        ValueError: one is neither.
    """
    return tuple(ipaddress.ip_network(proxy, strict=False) for proxy in proxies)


def is_forwarded(request: Request) -> bool:
    """Whether a request came through a proxy, by its headers: then its connection says nothing about who asks."""
    return any(name in _FORWARDING or name.startswith(_FORWARDING_PREFIXES) for name in request.headers)


def client_of(request: Request, trusted: Sequence[Network] = ()) -> str:
    """The client's address, of IPv6 its /64 network; "local" for a connection without an address.

    Args:
        trusted: proxies whose X-Forwarded-For is believed; what others send of it is not read.
    """
    hops = [hop.strip() for line in request.headers.getlist("x-forwarded-for") for hop in line.split(",")]
    # from the nearest on: each trusted proxy vouches for the one before it
    address = _address(_peer(request))
    while address is not None and hops and any(address in network for network in trusted):
        before = _address(hops.pop())
        if before is None:
            break
        address = before
    if address is None:
        return "local"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address.packed, _IPV6_CLIENT_BITS), strict=False))


def _peer(request: Request) -> str | None:
    return request.client.host if request.client else None


def _address(host: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
