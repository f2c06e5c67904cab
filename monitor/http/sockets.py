"""Sockets for outgoing connections. What they may reach is decided here, the last step before connecting.

However an address was written and whatever a name resolved to this time, this is where the bytes would go.
"""

import resource
import socket
import ssl
import sys
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

CONNECTIONS = 256  # of each of two pools
RESERVED_FILES = 40  # for the database, the pages, the resolver and the log

UNACKNOWLEDGED_MILLISECONDS = 4000  # a peer that vanished is noticed while there is time to ask again

AddressInfo = tuple[int, int, int, str, tuple[str | int, ...]]
"""Family, kind, protocol, canonical name and address, as `socket.getaddrinfo` gives them."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """The address is not a public one."""

    def __init__(self) -> None:
        super().__init__(None, "a private address, which this target may not reach")


def to_anywhere(address: AddressInfo) -> socket.socket:
    """A socket for `address` that gives up on a peer which no longer acknowledges what it is sent."""
    family, kind, protocol, *_ = address
    connection = socket.socket(family=family, type=kind, proto=protocol)
    if sys.platform == "linux":
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS)
    return connection


def to_public(address: AddressInfo) -> socket.socket:
    """The same, for public addresses only. Raises `PrivateAddressError`."""
    if not is_public(ip_address(str(address[4][0]))):
        raise PrivateAddressError
    return to_anywhere(address)


def affordable_connections() -> int:
    """How many connections each of two pools may hold, so that the database and the pages keep files to open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return CONNECTIONS
    return min(CONNECTIONS, max(1, (files - RESERVED_FILES) // 2))


def note_certificates(context: ssl.SSLContext, ends_at: dict[str, datetime]) -> None:
    """Have every handshake of `context` write into `ends_at` when the certificate of that host ends."""

    class Noting(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            match self.getpeercert():
                case {"notAfter": str(end)}:
                    ends_at[str(self.server_hostname)] = datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC)
                case _:
                    pass

    context.sslobject_class = Noting


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether everybody's internet leads there: not private, loopback, link-local, shared, reserved or multicast."""
    match address:
        case IPv4Address():
            return address.is_global and not address.is_multicast
        case IPv6Address():
            carried = _carried(address)
            return is_public(carried) if carried else address in _GLOBAL_UNICAST and address.is_global


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
